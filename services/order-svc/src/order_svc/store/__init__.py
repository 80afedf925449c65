"""Holds the SQL of order-svc: one statement for each intent, in sets; every row is locked in the order of its id."""
