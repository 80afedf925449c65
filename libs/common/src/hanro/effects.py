"""Puts received facts through a subscription inside one transaction, each aggregate's newest version once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hanro import failpoints, inbox, trace
from hanro.db import Transaction
from hanro.errors import Retryable
from hanro.events.envelope import Received
from hanro.subscriptions import Subscription

Known = TypeVar("Known")
Change = TypeVar("Change")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Be what a batch came to: how many were applied and known already, versions jumped over, what `decide` refused."""

    applied: int
    stale: int
    gaps: int
    failures: dict[str, Exception]
    """By aggregate id; the inbox does not know these."""


async def put(
    tx: Transaction,
    subscription: Subscription[Known, Change],
    facts: Sequence[Received],
    superseded: Mapping[str, int] | None = None,
) -> Effect:
    """Apply those facts whose version is news; `facts` holds at most one an aggregate, the newest.

    `superseded` counts the older ones of an aggregate that came with it: they are no gap.

    Raises:
        Retryable: `decide` or `apply` said so; roll back and come again.
        Exception: whatever `load` and `apply` raise.
    """
    by_id = {received.fact.id: received for received in facts}
    versions = {aggregate_id: received.fact.version for aggregate_id, received in by_id.items()}
    before = await inbox.take(tx, subscription.name, versions)
    # Sorted by id, as every set of rows is locked.
    news = [by_id[aggregate_id] for aggregate_id in sorted(before)]
    gaps = 0
    changes: list[Change] = []
    failures: dict[str, Exception] = {}
    if news:
        known = await subscription.load(tx, news)
        for received in news:
            aggregate_id = received.fact.id
            jumped = versions[aggregate_id] - (before[aggregate_id] or 0) - 1
            if jumped > 0:
                gaps += max(0, jumped - (superseded.get(aggregate_id, 0) if superseded else 0))
            try:
                changes.append(subscription.decide(known.get(aggregate_id), received))
            except Retryable:
                raise
            except Exception as error:  # noqa: BLE001  whatever it is, it names its culprit: that fact's dead letter
                failures[aggregate_id] = error
        await inbox.give_back(tx, subscription.name, {culprit: before[culprit] for culprit in failures})
        if changes:
            await _apply(tx, subscription, changes, news)
    failpoints.reach("consume.before_commit")
    return Effect(applied=len(news) - len(failures), stale=len(facts) - len(news), gaps=gaps, failures=failures)


async def _apply(
    tx: Transaction, subscription: Subscription[Known, Change], changes: Sequence[Change], news: Sequence[Received]
) -> None:
    if len(news) > 1:
        # What a whole batch records follows from no single event.
        await subscription.apply(tx, changes)
        return
    cause = news[0]
    with trace.following(cause.correlation_id, causation=cause.event_id, traceparent=cause.traceparent):
        await subscription.apply(tx, changes)
