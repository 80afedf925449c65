"""Serves what every service has under its noun: operations, events, dead letters, breakers, and its own contract."""
