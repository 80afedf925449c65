"""Decides who may send when. Values in, values out; all times are of the schema's clock.

The rule is GCRA, counted from the moment at which a request really left. So a slot is held by one turn until its
request has left, and the next one is given only then: pacing by planned times alone lets gaps fall short whenever a
sender is late for its slot. Turns that wait stand in one queue per group, in all their groups at once, so they are
served in the order of asking and cannot block each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil

from hanro.marketplace.types.limits import ApiGroup

# At the whole limit the least delay on the way makes two requests arrive too close.
MAX_SHARE = Decimal("0.97")
# A slot is given this much ahead, so that neither the database nor a sleep eats into the pace.
AHEAD = timedelta(milliseconds=150)
# A holder extends this while it connects; who was stopped or killed blocks the others no longer than this.
HOLD = timedelta(seconds=2)
# A turn that was not heard of for so long after it should have asked again is gone.
GRACE = timedelta(seconds=2)
LOOK_AGAIN = timedelta(milliseconds=20)
LONGEST_LOOK = timedelta(seconds=3)
LONGEST_WAIT = timedelta(hours=1)
NARROWING = 2.0
WIDENING = 0.85
NARROWEST = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Be the pace of one service in one group: a request each `step`, `burst` of them at once after a rest."""

    step: timedelta
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Be how a group of an account stands.

    `ready_at`: GCRA's theoretical arrival time, when a burst of one may leave. `slowdown` ≥ 1 widens each step while
    the marketplace refuses. `holder` is the turn whose request is about to leave at `slot_at`, gone at `held_until`.
    `queue`: turns that wait, in order, with the time until when each is believed to live.
    """

    api_group: str
    ready_at: datetime
    slowdown: float = 1.0
    holder: str | None = None
    slot_at: datetime | None = None
    held_until: datetime | None = None
    queue: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Be what a turn that asks is told: `slots` to store, and `not_before` when it was given, else `ask_again_at`."""

    slots: tuple[Slot, ...]
    not_before: datetime | None = None
    ask_again_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """Be what a group allows now: a request each `step`; of the burst `used_count` are used, turns wait in line.

    `next_at` is when a turn that asks now may send, None: at once.
    """

    step: timedelta
    used_count: int
    waiting_count: int
    next_at: datetime | None


def pace_of(group: ApiGroup, service: str, *, is_alone: bool) -> Pace:
    """Give a service's pace in a group: its share of the limit, at most 97% of it; with `is_alone` the whole share.

    Raises:
        ValueError: the plug-in gives the service no share of the group: our mistake.
    """
    share = Decimal(1) if is_alone else group.shares.get(service)
    if not share:
        raise ValueError(f"group {group.name} has no share for {service}")
    used = min(share, MAX_SHARE)
    seconds = Decimal(str(group.period.total_seconds())) / (group.request_count * used)
    return Pace(step=timedelta(seconds=float(seconds)), burst=max(1, int(group.burst * share)))


def ask(slots: Sequence[Slot], paces: Mapping[str, Pace], token: str, now: datetime) -> Answer:
    """Let a turn take its place in all its groups and give it the slot when it is first in each and time has come."""
    current = [_tidy(slot, paces[slot.api_group], token, now) for slot in slots]
    queues = _queue(current, token, now)
    places = [[name for name, _ in queue].index(token) for queue in queues]
    earliest = max(
        _opens_at(slot, paces[slot.api_group], place, now) for slot, place in zip(current, places, strict=True)
    )
    is_held = any(slot.holder for slot in current)
    if not is_held and not any(places) and earliest <= now + AHEAD:
        given = [
            replace(slot, holder=token, slot_at=earliest, held_until=earliest + HOLD, queue=queue[1:])
            for slot, queue in zip(current, queues, strict=True)
        ]
        return Answer(slots=tuple(given), not_before=earliest)
    again_at = min(max(earliest - AHEAD / 2, now + LOOK_AGAIN), now + LONGEST_LOOK)
    waiting = [
        replace(slot, queue=tuple((name, again_at + GRACE if name == token else until) for name, until in queue))
        for slot, queue in zip(current, queues, strict=True)
    ]
    return Answer(slots=tuple(waiting), ask_again_at=again_at)


def extend(slots: Sequence[Slot], token: str, now: datetime) -> tuple[Slot, ...] | None:
    """Keep a slot for a turn whose request has not left yet; None: it is another's already, in one of the groups.

    Nor is there one to keep (no `slots`) once the account was dropped.
    """
    if not slots or any(slot.holder != token or slot.held_until is None or slot.held_until <= now for slot in slots):
        return None
    return tuple(replace(slot, held_until=now + HOLD) for slot in slots)


def anchor(slots: Sequence[Slot], paces: Mapping[str, Pace], token: str, sent_at: datetime) -> tuple[Slot, ...]:
    """Count the next slot from when the request left, and give the group to the next turn."""
    done = []
    for slot in slots:
        step = paces[slot.api_group].step * slot.slowdown
        if slot.holder == token:
            freed = replace(slot, holder=None, slot_at=None, held_until=None)
            done.append(replace(freed, ready_at=max(slot.ready_at, sent_at) + step))
        else:
            # Given to another meanwhile, who was counted from our last possible moment.
            done.append(replace(slot, ready_at=max(slot.ready_at, sent_at + step)))
    return tuple(done)


def release(slots: Sequence[Slot], token: str) -> tuple[Slot, ...]:
    """Give back a place or a slot that no request used."""
    return tuple(
        replace(
            slot,
            queue=tuple(entry for entry in slot.queue if entry[0] != token),
            holder=None if slot.holder == token else slot.holder,
            slot_at=None if slot.holder == token else slot.slot_at,
            held_until=None if slot.holder == token else slot.held_until,
        )
        for slot in slots
    )


def narrow(
    slots: Sequence[Slot], paces: Mapping[str, Pace], now: datetime, after: timedelta | None
) -> tuple[Slot, ...]:
    """Slow groups down because the marketplace refused for rate; wait `after`, or one step where it did not say."""
    done = []
    for slot in slots:
        slowdown = min(slot.slowdown * NARROWING, NARROWEST)
        pause = min(after, LONGEST_WAIT) if after is not None else paces[slot.api_group].step * slowdown
        done.append(replace(slot, slowdown=slowdown, ready_at=max(slot.ready_at, now + pause)))
    return tuple(done)


def widen(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """Come back to the full pace step by step, because the marketplace served a request."""
    return tuple(replace(slot, slowdown=max(1.0, slot.slowdown * WIDENING)) for slot in slots)


def gauge(slot: Slot, pace: Pace, now: datetime) -> Gauge:
    """Say how a group stands for whoever looks at it; nothing is changed."""
    current = _tidy(slot, pace, "", now)
    step = pace.step * current.slowdown
    opens_at = _opens_at(current, pace, len(current.queue), now)
    return Gauge(
        step=step,
        used_count=max(0, min(pace.burst, ceil((current.ready_at - now) / step))),
        waiting_count=len(current.queue),
        next_at=opens_at if opens_at > now else None,
    )


def _tidy(slot: Slot, pace: Pace, token: str, now: datetime) -> Slot:
    queue = tuple(entry for entry in slot.queue if entry[1] > now or entry[0] == token)
    ready_at = min(slot.ready_at, now + _longest_wait(slot, pace))
    if slot.holder is None or slot.held_until is None or slot.held_until > now:
        return replace(slot, queue=queue, ready_at=ready_at)
    # The holder did not say when it sent: it may have been at the last moment that it was allowed to.
    return replace(
        slot,
        queue=queue,
        ready_at=max(ready_at, slot.held_until) + pace.step * slot.slowdown,
        holder=None,
        slot_at=None,
        held_until=None,
    )


def _longest_wait(slot: Slot, pace: Pace) -> timedelta:
    """Say how long a request that left may keep a pace waiting; only a refusal for rate may do so for longer.

    What left at a service's small share counts for that share's long step. It must not keep the same service waiting
    once it has the whole limit: what is to be found out then cannot wait. A reading may be a little old, hence HOLD.
    """
    return LONGEST_WAIT if slot.slowdown > 1 else pace.step * pace.burst + HOLD


def _queue(slots: Sequence[Slot], token: str, now: datetime) -> list[tuple[tuple[str, datetime], ...]]:
    if all(any(name == token for name, _ in slot.queue) for slot in slots):
        return [slot.queue for slot in slots]
    # Who lost a place in one queue gives up the others: different orders in two queues would block both for good.
    return [(*(entry for entry in slot.queue if entry[0] != token), (token, now + GRACE)) for slot in slots]


def _opens_at(slot: Slot, pace: Pace, place: int, now: datetime) -> datetime:
    step = pace.step * slot.slowdown
    arrival = slot.ready_at if slot.slot_at is None else max(slot.ready_at, slot.slot_at) + step
    return max(now, arrival + step * (place - pace.burst + 1))
