"""Holds account-svc's SQL, one module per noun."""
