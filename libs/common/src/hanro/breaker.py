"""Stops calls that cannot succeed: a row per account and API group, open until a time; then one probe decides."""

from dataclasses import dataclass
from datetime import datetime

from hanro.db import Database, Transaction

WHOLE_ACCOUNT = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerState:
    """Be how an API group of an account fares; `api_group` "*" stands for the whole account.

    `open_until` None: closed, with failures counted. `reason` is the stable code of the last failure.
    """

    account_id: str
    api_group: str
    open_until: datetime | None
    reason: str
    failure_count: int
    changed_at: datetime


async def list_(db: Database, *, account_id: str | None = None) -> list[BreakerState]:
    """Give every breaker that is not at rest, by account and group."""
    raise NotImplementedError


async def close(tx: Transaction, account_id: str) -> None:
    """Close all breakers of an account: its credentials are new, or the account is active again."""
    raise NotImplementedError
