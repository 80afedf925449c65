"""Reads and writes the catalogue's tables. Every statement takes a set; locks are taken sorted by id."""
