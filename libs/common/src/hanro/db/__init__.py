"""Gives a service its schema in Postgres: transactions, retries after conflicts, and migrations."""

from hanro.db.database import Database, Statements, Transaction, connect
from hanro.db.failures import Collided, is_away, is_conflict, is_passing, state_of
from hanro.db.migrations import migrate, revision

__all__ = [
    "Collided",
    "Database",
    "Statements",
    "Transaction",
    "connect",
    "is_away",
    "is_conflict",
    "is_passing",
    "migrate",
    "revision",
    "state_of",
]
