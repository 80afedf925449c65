"""Serves orders over HTTP, and buyers' contacts on the internal port."""
