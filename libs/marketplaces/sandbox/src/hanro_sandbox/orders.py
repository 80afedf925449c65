"""Finds, reads and answers orders: the port's `Orders`."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, timedelta

from hanro.errors import ContractBroken
from hanro.marketplace.port import Session
from hanro.marketplace.types import (
    Cancellation,
    Cursor,
    Decision,
    Detail,
    Fetched,
    LineKey,
    OrderEffect,
    OrderPage,
    OrderRef,
    Receipt,
    Shipment,
    Ticket,
    Window,
)
from hanro_sandbox.client import Client
from hanro_sandbox.declared.limits import MOST, ROUTES
from hanro_sandbox.effects import Effects
from hanro_sandbox.entries import ANSWERS, CANCELLATIONS, SHIPMENTS
from hanro_sandbox.functions import GET_ORDERS, SEARCH_ORDERS
from hanro_sandbox.mapping import map_order

_VERSION = 1
# A search that begins at the very limit would be refused by the time it arrives.
_MARGIN = timedelta(minutes=10)


class SandboxOrders:
    """Be the door to one shop's orders."""

    def __init__(self, session: Session) -> None:
        self._clock = session.clock
        self._client = Client(session)
        self._effects = Effects(self._client, session.clock)

    def pages(self, route: str, window: Window, after: Cursor | None = None) -> AsyncIterator[OrderPage]:
        """Yield what a view shows, oldest first: by time placed (`placed`, `open`) or changed (`changed`).

        A window in which nothing is found yields no page.

        Raises:
            ValueError: no such route, or a window that begins beyond its reach.
            ContractBroken: unreadable, pagination-stuck.
            Retryable, NeedsSeller: as `Client.read`; go on at the last cursor.

        Source: README, Orders.
        """
        known = next((one for one in ROUTES if one.name == route), None)
        if known is None:
            raise ValueError(f"there is no route {route!r}")
        oldest = self._clock.now() - (known.reach or timedelta.max)
        if window.start < oldest - _MARGIN:
            raise ValueError(f"the window begins more than {known.reach} ago")
        start = max(window.start, oldest + _MARGIN)
        return self._walk(route, Window(start=start, end=window.end), _read_cursor(after))

    async def fetch(self, refs: Sequence[OrderRef], details: frozenset[Detail] = frozenset()) -> Fetched:
        """Read orders again in any state; PAYMENT is told where it is asked for, all else always.

        Raises:
            ValueError: more than 100 orders, or one twice.
            Retryable, NeedsSeller, ContractBroken: as `Client.read`.
        """
        by_number = {ref.external_id: ref for ref in refs}
        if len(by_number) < len(refs) or len(refs) > MOST:
            raise ValueError(f"at most {MOST} orders at once, each once")
        if not refs:
            return Fetched(sightings=(), missing=())
        asked = ["payment"] if Detail.PAYMENT in details else []
        reply = await self._client.read(GET_ORDERS, {"ids": list(by_number), "with": asked})
        missing = reply.members.get("missing")
        if not isinstance(missing, list):
            raise ContractBroken("the answer does not say what is missing", code="unreadable", field="/missing")
        return Fetched(
            sightings=tuple(map_order(fragment, reply.sent_at) for fragment in reply.orders),
            missing=tuple(by_number[number] for number in missing if number in by_number),
        )

    async def decide(self, decisions: Sequence[Decision]) -> Receipt[LineKey]:
        """Accept, refuse or delay lines, answer claims; see `Effects.carry_out`."""
        return await self._effects.carry_out(ANSWERS, decisions)

    async def ship(self, shipments: Sequence[Shipment]) -> Receipt[LineKey]:
        """Register parcels, more than ten as a job; see `Effects.carry_out`."""
        return await self._effects.carry_out(SHIPMENTS, shipments)

    async def cancel(self, cancellations: Sequence[Cancellation]) -> Receipt[LineKey]:
        """Cancel orders, lines or units, or give money back; see `Effects.carry_out`."""
        return await self._effects.carry_out(CANCELLATIONS, cancellations)

    async def poll(self, ticket: Ticket, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Ask what became of a job; see `Effects.poll`."""
        return await self._effects.poll(ticket, asked)

    async def verify(self, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Hold effects against the orders as they stand; see `Effects.verify`."""
        return await self._effects.verify(asked)

    async def _walk(self, view: str, window: Window, after: str | None) -> AsyncIterator[OrderPage]:
        seen: set[str | None] = set()
        # Times are whole seconds there: an order of the first second belongs to the window.
        start = window.start.astimezone(UTC).replace(microsecond=0)
        bounds = {"from": start.isoformat(), "to": window.end.astimezone(UTC).isoformat()}
        while True:
            reply = await self._client.read(SEARCH_ORDERS, {"view": view, **bounds, "after": after})
            after = reply.members.get("next")
            sightings = tuple(map_order(fragment, reply.sent_at) for fragment in reply.orders)
            ids = {one.external_id for one in sightings}
            if (after is not None and not isinstance(after, str)) or (after and not ids):
                raise ContractBroken("the search does not say where it goes on", code="unreadable", field="/next")
            if ids and ids <= seen:
                raise ContractBroken("the search shows the same page again", code="pagination-stuck")
            seen |= ids
            if sightings:
                yield OrderPage(sightings=sightings, claims=(), cursor=_write_cursor(after))
            if after is None:
                return


def _write_cursor(place: str | None) -> Cursor | None:
    return None if place is None else Cursor(json.dumps([_VERSION, place], separators=(",", ":")))


def _read_cursor(cursor: Cursor | None) -> str | None:
    """Read a place; None when there is none, or it cannot be read."""
    try:
        version, place = json.loads(cursor or "")
    except (ValueError, TypeError):
        return None
    return place if version == _VERSION and isinstance(place, str) else None
