"""Serves what every service has under its noun: operations, facts and their replay, dead letters, breakers, quota."""
