"""Contracts of what hanro's services tell each other: one module per owner, one class per fact and version."""
