"""Finds, reads and accepts orders: the port's `Orders`."""

# The port's signatures stand as they are; what is absent reads no argument.

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

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
    Route,
    SeenOrder,
    Shipment,
    Ticket,
    Window,
)
from hanro_rakuten_ichiba.cancelling.sending import Cancellations
from hanro_rakuten_ichiba.client import Client
from hanro_rakuten_ichiba.cursors import Place, read_cursor, write_cursor
from hanro_rakuten_ichiba.decisions import Decisions
from hanro_rakuten_ichiba.declared.limits import OPEN, OPEN_PROGRESSES, ORDERS_PER_CALL, ROUTES
from hanro_rakuten_ichiba.reading import Read, read_orders, read_payments
from hanro_rakuten_ichiba.searching import search
from hanro_rakuten_ichiba.shipping.sending import Shipments
from hanro_rakuten_ichiba.verifying import verify

# A search that begins at their very limit would be refused by the time it arrives.
_MARGIN = timedelta(minutes=10)


class IchibaOrders:
    """Be the door to one shop's orders."""

    def __init__(self, session: Session) -> None:
        self._clock = session.clock
        self._client = Client(session)
        self._decisions = Decisions(self._client)
        self._cancellations = Cancellations(self._client)
        self._shipments = Shipments(self._client, session.clock)

    def pages(self, route: str, window: Window, after: Cursor | None = None) -> AsyncIterator[OrderPage]:
        """Yield orders placed in the window, oldest first, 1 to 100 a page: any (`placed`), or open ones (`open`).

        A window in which nothing is found yields no page. A cursor holds the number of a page's last order, behind
        which a run goes on, and the time of its first: there it begins again where the search no longer shows the last.

        Raises:
            ValueError: no such route, or a window that begins beyond its reach.
            ContractBroken: unreadable, pagination-stuck.
            Retryable: throttled, unavailable, a key that settles; go on at the last cursor.
            NeedsSeller: key refused or grant missing.

        Source: rakuten-ichiba-orders 4.1 [2+], 4.2 [2+].
        """
        known = next((one for one in ROUTES if one.name == route), None)
        if known is None:
            raise ValueError(f"there is no route {route!r}")
        oldest = self._oldest(known)
        if window.start < oldest - _MARGIN:
            raise ValueError(f"the window begins more than {known.reach} ago")
        place = read_cursor(after, window)
        start = max(window.start if place is None else place.start, oldest + _MARGIN)
        return self._walk(route, Window(start=start, end=window.end), "" if place is None else place.after)

    async def fetch(self, refs: Sequence[OrderRef], details: frozenset[Detail] = frozenset()) -> Fetched:
        """Read orders again in any state, with all that getOrder tells; PAYMENT costs a request for each order.

        Raises:
            ValueError: more than 100 orders, or one twice.
            Retryable, NeedsSeller, ContractBroken: as `pages`.

        Source: rakuten-ichiba-orders 4.2 [2+], 4.18 [1].
        """
        by_number = {ref.external_id: ref for ref in refs}
        if len(by_number) < len(refs) or len(refs) > ORDERS_PER_CALL:
            raise ValueError(f"at most {ORDERS_PER_CALL} orders at once, each once")
        read = await read_orders(self._client, list(by_number))
        sightings = tuple(read.sightings.values())
        if Detail.PAYMENT in details:
            sightings = tuple([await read_payments(self._client, sighting) for sighting in sightings])
        return Fetched(
            sightings=(*sightings, *read.nameless),
            missing=tuple(by_number[number] for number in read.not_found),
        )

    async def decide(self, decisions: Sequence[Decision]) -> Receipt[LineKey]:
        """Accept whole orders; see `Decisions.decide`."""
        return await self._decisions.decide(decisions)

    async def ship(self, shipments: Sequence[Shipment]) -> Receipt[LineKey]:
        """Register parcels; see `Shipments.ship`."""
        return await self._shipments.ship(shipments)

    async def cancel(self, cancellations: Sequence[Cancellation]) -> Receipt[LineKey]:
        """Cancel an order or parts of it; see `Cancellations.cancel`."""
        return await self._cancellations.cancel(cancellations)

    async def poll(self, ticket: Ticket, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Ask what became of queued parcels; see `Shipments.poll`."""
        return await self._shipments.poll(ticket, asked)

    async def verify(self, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Hold effects against the orders as they stand; see `verifying.verify`."""
        return await verify(self._client, asked)

    def _oldest(self, route: Route) -> datetime:
        return self._clock.now() - (route.reach or timedelta.max)

    async def _walk(self, route: str, window: Window, after: str) -> AsyncIterator[OrderPage]:
        """Read one batch behind the search, so that the last page is known as the last."""
        progresses = OPEN_PROGRESSES if route == OPEN else ()
        waiting: tuple[str, ...] = ()
        place = Place(start=window.start, after=after)
        async with aclosing(search(self._client, window, progresses)) as found:
            async for numbers in found:
                fresh = numbers[numbers.index(after) + 1 :] if after in numbers else numbers
                for first in range(0, len(fresh), ORDERS_PER_CALL):
                    if waiting:
                        read = await read_orders(self._client, waiting)
                        place = _advance(place, waiting, read)
                        for page in _page(read, waiting, write_cursor(place)):
                            yield page
                    waiting = fresh[first : first + ORDERS_PER_CALL]
        if waiting:
            read = await read_orders(self._client, waiting)
            for page in _page(read, waiting, None):
                yield page


def _page(read: Read, numbers: Sequence[str], cursor: Cursor | None) -> tuple[OrderPage, ...]:
    """Make the page of a batch in the order of its numbers; none where all of them have gone."""
    sightings = [read.sightings[number] for number in numbers if number in read.sightings]
    sightings += read.nameless
    return (OrderPage(sightings=tuple(sightings), claims=(), cursor=cursor),) if sightings else ()


def _advance(place: Place, numbers: Sequence[str], read: Read) -> Place:
    """Go on behind a batch, in time from its earliest order: one whose time is wrong must not hide those behind it."""
    times = [seen.placed.at for seen in read.sightings.values() if isinstance(seen, SeenOrder)]
    return Place(start=max(place.start, min(times, default=place.start)), after=numbers[-1])
