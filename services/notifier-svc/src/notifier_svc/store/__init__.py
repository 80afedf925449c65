"""Holds the SQL of notifier-svc, one module per noun."""
