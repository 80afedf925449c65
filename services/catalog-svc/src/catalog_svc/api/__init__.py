"""Serves products, stock, listings and reservations over HTTP."""
