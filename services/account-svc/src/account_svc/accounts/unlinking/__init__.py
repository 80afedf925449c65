"""Unlinks accounts by a plan that was read before, and links their shops again."""
