"""Lets internal systems say which orders they have dealt with, each for itself."""

from collections.abc import Mapping, Sequence
from typing import Literal

from hanro.db import Transaction
from order_svc.store import acks as store

Acknowledged = Literal["acknowledged", "changed", "unknown-version", "not-found"]


async def known_consumer(tx: Transaction, name: str | None) -> str | None:
    """Give the name of a consumer that acknowledged something before; for any other one all orders wait."""
    return name if name is not None and await store.is_known(tx, name) else None


async def acknowledge(
    tx: Transaction, consumer: str, versions: Mapping[str, int], *, account_ids: Sequence[str] | None
) -> dict[str, tuple[Acknowledged, int | None]]:
    """Write down that a consumer has dealt with orders as they were at these versions; tell what came of each.

    Gives an outcome and the version that stands, None where there is no such order for this caller. One that has
    changed since stays unacknowledged: there is something to look at. Twice is as once.
    """
    await store.save_consumer(tx, consumer)
    standing = await store.share_versions(tx, list(versions), account_ids)
    outcomes: dict[str, tuple[Acknowledged, int | None]] = {
        order_id: _outcome(version, standing.get(order_id)) for order_id, version in versions.items()
    }
    done = [order_id for order_id, (outcome, _) in outcomes.items() if outcome == "acknowledged"]
    await store.save_acknowledged(tx, consumer, done)
    return outcomes


def _outcome(version: int, standing: int | None) -> tuple[Acknowledged, int | None]:
    if standing is None:
        return "not-found", None
    if version == standing:
        return "acknowledged", standing
    return ("changed" if version < standing else "unknown-version"), standing
