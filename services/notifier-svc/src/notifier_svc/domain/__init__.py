"""Decides what to tell a buyer and what an answer means. Values in, values out."""
