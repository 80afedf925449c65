"""Tells buyers what became of their orders: plans messages, hands each over once, and keeps what became of it."""
