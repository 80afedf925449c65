"""Says what order-svc is told by its environment, beyond what every service is."""

from datetime import timedelta

from pydantic import Field

from hanro.settings import CommonSettings


class OrderSettings(CommonSettings):
    """Hold what order-svc is told; durations are ISO 8601 (`PT15S`)."""

    new_every: timedelta = Field(default=timedelta(seconds=15), gt=timedelta())
    """How often each account is asked for new orders."""
    sweep_every: timedelta = Field(default=timedelta(minutes=5), gt=timedelta())
    """How often all open orders of an account are looked through."""
    first_look_back: timedelta = Field(default=timedelta(days=30), ge=timedelta())
    """How far back the first look for new orders goes where the seller said nothing; open orders are always found."""
    follow_every: timedelta = Field(default=timedelta(hours=6), gt=timedelta())
    """How often an order that was shipped is read again, until the marketplace closes it."""
    longest_pause: timedelta = Field(default=timedelta(minutes=5), gt=timedelta())
    """How long a route rests at most after failures in a row, and after an answer that nobody can read."""
    poll_lease: timedelta = Field(default=timedelta(seconds=60), ge=timedelta(seconds=5))
    """How long a process may work on an account's route before another takes over; at least 3 calls' deadlines."""
    largest_import_bytes: int = Field(default=400 * 1024 * 1024, ge=1024)
    """How large a file of orders may be that is imported; 200,000 rows of 158 columns are about 280 MB."""
    poll_slots: int = Field(default=32, ge=1, le=1000)
    """How many routes a process reads at once."""
    decide_soon: timedelta = Field(default=timedelta(hours=4), gt=timedelta())
    """How long before its deadline an order that waits to be accepted is told of as due (OrderDecisionDue)."""
    policy_rules_off: frozenset[str] = frozenset()
    """Ids of rules of the marketplaces' policy packs that this installation does not follow (JSON list)."""
