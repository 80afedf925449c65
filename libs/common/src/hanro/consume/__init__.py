"""Reads facts in batches and puts each one's effect into the database once."""

from hanro.consume.loop import consume
from hanro.subscriptions import Observer, Subscription

__all__ = ["Observer", "Subscription", "consume"]
