"""Serves marketplaces, shops and accounts over HTTP, and vends credentials on the internal port."""
