"""Breaks the plug-in in one way each: what the rules of conformance are there to see."""

# The port's signatures stand as they are; what is broken need not read its arguments.
# ruff: noqa: ARG002

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from hanro.errors import NeedsSeller, Retryable
from hanro.marketplace.port import Access, Orders, Secrets, Session
from hanro.marketplace.types import (
    Asked,
    Cancellation,
    Capability,
    CategorySchema,
    CsvLayout,
    CsvRow,
    Cursor,
    Decision,
    Detail,
    Fetched,
    GrantState,
    LineKey,
    MarketInformation,
    Moment,
    Notices,
    OrderEffect,
    OrderPage,
    OrderRef,
    OutcomeStatus,
    Plan,
    PreflightRow,
    Receipt,
    Renewed,
    SeenOrder,
    Shipment,
    Sighting,
    Supported,
    Ticket,
    UnreadableOrder,
    Window,
)
from hanro_rakuten_ichiba.access import IchibaAccess
from hanro_rakuten_ichiba.orders import IchibaOrders
from hanro_rakuten_ichiba.plugin import RakutenIchiba

NO_DETAILS: frozenset[Detail] = frozenset()


class WithOrders(RakutenIchiba):
    """Be Rakuten Ichiba with another door to orders."""

    def __init__(self, door: Callable[[Session], Orders]) -> None:
        self._door = door

    def orders(self, session: Session) -> Orders:
        """Open the other door."""
        return self._door(session)


class WithAccess(RakutenIchiba):
    """Be Rakuten Ichiba with another door to grants."""

    def __init__(self, door: Callable[[Session], Access]) -> None:
        self._door = door

    def access(self, session: Session) -> Access:
        """Open the other door."""
        return self._door(session)


class Greedy(RakutenIchiba):
    """Ask for more grants than parcels take."""

    def __init__(self) -> None:
        ship = self.capabilities[Capability.SHIP]
        payments = self.capabilities[Capability.CANCEL_SHIPPED]
        self.capabilities = MappingProxyType(
            {**self.capabilities, Capability.SHIP: Supported(grant_ids=ship.grant_ids | payments.grant_ids)}
        )


class Hopeful(IchibaAccess):
    """Take every grant for granted."""

    async def probe(self, grant_id: str) -> PreflightRow:
        """Ask, and do not listen."""
        return replace(await super().probe(grant_id), state=GrantState.GRANTED, refusal=None)


class Silent(IchibaAccess):
    """Do nothing where nothing can be done, and say nothing."""

    async def renew(self) -> Renewed:
        """Renew nothing."""
        return Renewed(values={}, expiries=())


class Calm(IchibaOrders):
    """Take an outage for an answer."""

    async def fetch(self, refs: Sequence[OrderRef], details: frozenset[Detail] = NO_DETAILS) -> Fetched:
        """Find nothing where nobody answers."""
        try:
            return await super().fetch(refs, details)
        except Retryable:
            return Fetched(sightings=(), missing=tuple(refs))


class Blithe(IchibaOrders):
    """Take a refusal of the shop's key, and an outage, for a yes: of parcels."""

    async def ship(self, shipments: Sequence[Shipment]) -> Receipt[LineKey]:
        """Ship, whatever comes."""
        try:
            return await super().ship(shipments)
        except (NeedsSeller, Retryable):
            return Receipt(outcomes=())


class Careless(IchibaOrders):
    """Take a refusal of the shop's key, and an outage, for a yes: of what was queued."""

    async def poll(self, ticket: Ticket, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Ask, whatever comes."""
        try:
            return await super().poll(ticket, asked)
        except (NeedsSeller, Retryable):
            return Receipt(outcomes=())


class Merry(IchibaOrders):
    """Take a refusal of the shop's key, and an outage, for a yes: of cancellations."""

    async def cancel(self, cancellations: Sequence[Cancellation]) -> Receipt[LineKey]:
        """Cancel, whatever comes."""
        try:
            return await super().cancel(cancellations)
        except (NeedsSeller, Retryable):
            return Receipt(outcomes=())


class OneWay(IchibaOrders):
    """Know one route alone."""

    def pages(self, route: str, window: Window, after: Cursor | None = None) -> AsyncIterator[OrderPage]:
        """Walk the same way whatever is asked."""
        return super().pages("placed", window, after)


class Changed(IchibaOrders):
    """Change what is read."""

    def change(self, sightings: Sequence[Sighting], *, is_resumed: bool) -> tuple[Sighting, ...]:
        """Give other sightings."""
        raise NotImplementedError

    async def fetch(self, refs: Sequence[OrderRef], details: frozenset[Detail] = NO_DETAILS) -> Fetched:
        """Read and change."""
        found = await super().fetch(refs, details)
        return replace(found, sightings=self.change(found.sightings, is_resumed=False))

    async def pages(self, route: str, window: Window, after: Cursor | None = None) -> AsyncIterator[OrderPage]:
        """Find and change."""
        async for page in super().pages(route, window, after):
            yield replace(page, sightings=self.change(page.sightings, is_resumed=after is not None))


class Skipping(Changed):
    """Go on one order too far."""

    def change(self, sightings: Sequence[Sighting], *, is_resumed: bool) -> tuple[Sighting, ...]:
        """Leave out the first of a resumed page."""
        return tuple(sightings[1:] if is_resumed else sightings)


class Squeamish(Changed):
    """Leave out what cannot be read."""

    def change(self, sightings: Sequence[Sighting], *, is_resumed: bool) -> tuple[Sighting, ...]:
        """Keep the good ones."""
        return tuple(one for one in sightings if not isinstance(one, UnreadableOrder))


class Trusting(Changed):
    """Believe every sum."""

    def change(self, sightings: Sequence[Sighting], *, is_resumed: bool) -> tuple[Sighting, ...]:
        """Report no difference."""
        return tuple(replace(one, differences=()) if isinstance(one, SeenOrder) else one for one in sightings)


class Local(Changed):
    """Read times in the zone of the process."""

    def change(self, sightings: Sequence[Sighting], *, is_resumed: bool) -> tuple[Sighting, ...]:
        """Forget the offset."""
        return tuple(
            replace(one, placed=_local(one.placed)) if isinstance(one, SeenOrder) else one for one in sightings
        )


class Cutting(Changed):
    """Cut what is long."""

    def change(self, sightings: Sequence[Sighting], *, is_resumed: bool) -> tuple[Sighting, ...]:
        """Keep 250 characters of each note."""
        return tuple(
            replace(one, notes={name: note[:250] for name, note in one.notes.items()})
            if isinstance(one, SeenOrder)
            else one
            for one in sightings
        )


class Forgetful(IchibaOrders):
    """Never tell what is missing."""

    async def fetch(self, refs: Sequence[OrderRef], details: frozenset[Detail] = NO_DETAILS) -> Fetched:
        """Read, and forget what was not found."""
        return replace(await super().fetch(refs, details), missing=())


class Single(IchibaOrders):
    """Read one order at a time."""

    async def fetch(self, refs: Sequence[OrderRef], details: frozenset[Detail] = NO_DETAILS) -> Fetched:
        """Read, a request for each."""
        found = [await super(Single, self).fetch([ref], details) for ref in refs]
        return Fetched(
            sightings=tuple(one for each in found for one in each.sightings),
            missing=tuple(one for each in found for one in each.missing),
        )


class Fresh(IchibaOrders):
    """Take every acceptance for the first."""

    async def decide(self, decisions: Sequence[Decision]) -> Receipt[LineKey]:
        """Decide and forget that it stood."""
        receipt = await super().decide(decisions)
        return Receipt(outcomes=tuple(replace(outcome, is_repeat=False) for outcome in receipt.outcomes))


class Stubborn(IchibaOrders):
    """Write again when the answer was lost."""

    async def decide(self, decisions: Sequence[Decision]) -> Receipt[LineKey]:
        """Decide until it is sure."""
        receipt = await super().decide(decisions)
        is_sure = all(outcome.status is not OutcomeStatus.IN_DOUBT for outcome in receipt.outcomes)
        return receipt if is_sure else await super().decide(decisions)


class Sure(IchibaOrders):
    """Find everything done."""

    async def verify(self, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Look and do not see."""
        receipt = await super().verify(asked)
        return Receipt(outcomes=tuple(replace(one, status=OutcomeStatus.APPLIED) for one in receipt.outcomes))


class Backward(IchibaOrders):
    """Tell outcomes in another order."""

    async def decide(self, decisions: Sequence[Decision]) -> Receipt[LineKey]:
        """Decide and turn around."""
        return Receipt(outcomes=tuple(reversed((await super().decide(decisions)).outcomes)))

    async def ship(self, shipments: Sequence[Shipment]) -> Receipt[LineKey]:
        """Ship and turn around."""
        receipt = await super().ship(shipments)
        return replace(receipt, outcomes=tuple(reversed(receipt.outcomes)))


class Bundling(IchibaOrders):
    """Take any number of cancellations."""

    async def cancel(self, cancellations: Sequence[Cancellation]) -> Receipt[LineKey]:
        """Cancel one after the other."""
        receipts = [await super(Bundling, self).cancel([one]) for one in cancellations]
        return Receipt(outcomes=tuple(outcome for receipt in receipts for outcome in receipt.outcomes))


class Poor(IchibaOrders):
    """Read what costs nothing."""

    async def fetch(self, refs: Sequence[OrderRef], details: frozenset[Detail] = NO_DETAILS) -> Fetched:
        """Read without the details."""
        return await super().fetch(refs)


class Hasty(IchibaOrders):
    """Take every parcel for the last."""

    async def ship(self, shipments: Sequence[Shipment]) -> Receipt[LineKey]:
        """Ship all."""
        return await super().ship([replace(one, is_last=True) for one in shipments])


class Sweeping(IchibaOrders):
    """Cancel all where a part is to go."""

    async def cancel(self, cancellations: Sequence[Cancellation]) -> Receipt[LineKey]:
        """Cancel whole orders."""
        return await super().cancel([replace(one, is_whole=True) for one in cancellations])


class Impatient(IchibaOrders):
    """Give up at once."""

    async def poll(self, ticket: Ticket, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Ask for the last time."""
        return await super().poll(replace(ticket, gives_up_at=ticket.sent_at), asked)


class Trustful(IchibaOrders):
    """Take silence for a yes."""

    async def ship(self, shipments: Sequence[Shipment]) -> Receipt[LineKey]:
        """Ship and be sure."""
        return _sure(await super().ship(shipments))

    async def cancel(self, cancellations: Sequence[Cancellation]) -> Receipt[LineKey]:
        """Cancel and be sure."""
        return _sure(await super().cancel(cancellations))


class Unplanned(RakutenIchiba):
    """Plan the last call alone, and see no problem."""

    def plan(
        self, asked: Sequence[Asked], schema: CategorySchema | None = None, market: MarketInformation | None = None
    ) -> Plan:
        """Plan little."""
        return Plan(calls=super().plan(asked).calls[-1:], problems=())


class Open(RakutenIchiba):
    """Believe every notice."""

    def read_notice(self, body: bytes, headers: Mapping[str, str], secrets: Secrets) -> Notices:
        """Read with the key that the notice brings."""
        found = re.search(rb"<authKey>(.*)</authKey>", body)
        values = {"notice_auth_key": found[1].decode() if found else ""}
        return super().read_notice(body, headers, replace(secrets, values=values))


def _sure(receipt: Receipt[LineKey]) -> Receipt[LineKey]:
    applied = tuple(replace(one, status=OutcomeStatus.APPLIED, failure=None) for one in receipt.outcomes)
    return replace(receipt, outcomes=applied)


def read_of(layout: CsvLayout) -> Callable[[tuple[CsvRow, ...]], SeenOrder]:
    """Give the reader of a layout that has one."""
    if layout.read is None:
        raise ValueError(f"{layout.name} reads nothing")
    return layout.read


def _local(moment: Moment) -> Moment:
    naive = datetime.fromisoformat(moment.local).replace(tzinfo=None)
    return replace(moment, at=naive.astimezone(UTC))
