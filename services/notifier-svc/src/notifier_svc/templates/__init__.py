"""Speaks the language of templates: which variables there are, what is allowed, and what comes out."""
