"""Serves templates, bindings and messages over REST."""
