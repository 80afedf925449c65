"""Decides what orders and counts do to stock. Values in, values out."""
