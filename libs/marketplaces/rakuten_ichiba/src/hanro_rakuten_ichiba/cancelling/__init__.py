"""Cancels orders and parts of them: whole ones by a call of their own, parts by restating the order."""
