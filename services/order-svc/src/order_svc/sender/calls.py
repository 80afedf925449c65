"""Puts wishes into calls: how many at once, by which method, and when they are looked at again."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hanro.doubling import doubled
from hanro.marketplace.types import (
    Batch,
    BatchUnit,
    Cancellation,
    Decision,
    LineKey,
    OrderEffect,
    OutcomeStatus,
    Receipt,
    Shipment,
    Ticket,
)
from hanro.sessions import OpenSession
from order_svc.domain.effects import Kind
from order_svc.domain.verdicts import Verdict
from order_svc.orders import Wish

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)

Call = Callable[[Sequence[OrderEffect]], Awaitable[Receipt[LineKey]]]


def write_call(opened: OpenSession, kind: Kind) -> Call:
    """Give the port's method for a kind, for effects of that kind alone."""
    door = opened.plugin.orders(opened.session)
    match kind.name:
        case "ship":
            return lambda asked: door.ship([one for one in asked if isinstance(one, Shipment)])
        case "cancel":
            return lambda asked: door.cancel([one for one in asked if isinstance(one, Cancellation)])
        case _:
            return lambda asked: door.decide([one for one in asked if isinstance(one, Decision)])


def batches(wishes: Sequence[Wish], batch: Batch) -> Iterator[list[Wish]]:
    """Cut wishes into what one call takes, counted as the marketplace counts."""
    taken: list[Wish] = []
    size = 0
    for wish in wishes:
        cost = _line_count(wish.effect) if batch.unit is BatchUnit.LINE else 1
        if taken and size + cost > batch.size:
            yield taken
            taken, size = [], 0
        taken.append(wish)
        size += cost
    if taken:
        yield taken


def _line_count(effect: OrderEffect) -> int:
    # An answer to a claim names no line, and is one all the same.
    return max(1, len(effect.line_ids if isinstance(effect, Decision) else effect.lines))


def poll_call(opened: OpenSession, ticket: Ticket) -> Call:
    """Give the call that asks for what a ticket stands for."""
    return lambda asked: opened.plugin.orders(opened.session).poll(ticket, asked)


def after_poll(found: Mapping[str, Verdict], ticket: Ticket, *, is_failed: bool, now: datetime) -> dict[str, Verdict]:
    """Keep the ticket of what is not decided yet, also where the question failed."""
    later = replace(ticket, poll_at=now + FIRST_PAUSE)
    if is_failed:
        return dict.fromkeys(found, Verdict(status=OutcomeStatus.SENT, ticket=later))
    return {
        one: replace(verdict, ticket=verdict.ticket or later)
        if verdict.status is OutcomeStatus.SENT and not verdict.is_answered
        else verdict
        for one, verdict in found.items()
    }


def look_again_at(wish: Wish, verdict: Verdict, *, lag: timedelta, now: datetime) -> datetime:
    """Say when a wish is taken up again: read back at once, tried again ever later, looked for as its age says."""
    if verdict.is_answered and not wish.is_answered:
        return now + lag
    if wish.operation.sent_at is None or verdict.status is OutcomeStatus.NOT_SENT:
        return now + doubled(FIRST_PAUSE, wish.operation.attempt_count, LONGEST_PAUSE)
    return now + min(LONGEST_PAUSE, max(FIRST_PAUSE, age(wish, now) / 2))


def age(wish: Wish, now: datetime) -> timedelta:
    """Give how long ago a wish was sent; zero: not yet."""
    return now - wish.operation.sent_at if wish.operation.sent_at else timedelta()
