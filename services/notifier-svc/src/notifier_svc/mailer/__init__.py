"""Speaks SMTP to a marketplace's mail relay, step by step."""
