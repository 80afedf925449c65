"""Declares the sandbox as data."""
