"""Plays the writes of a marketplace inside a test: parcels and cancellations, at once or queued, answered or not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from order_sightings import NOON, line, seen

from hanro.errors import Failure, InDoubt, LocalizedText, Rejected
from hanro.marketplace.types import (
    Cancellation,
    Carrier,
    CarrierCatalogue,
    Decision,
    LineKey,
    OrderEffect,
    OrderStatus,
    Outcome,
    OutcomeStatus,
    Receipt,
    SeenOrder,
    Shipment,
    Sighting,
    Ticket,
)

CARRIERS = CarrierCatalogue(
    version="1",
    carriers=(
        Carrier(
            code="yamato",
            names=LocalizedText(ja="ヤマト運輸", en="Yamato Transport"),
            aliases=("ヤマト",),
            marketplace_value="1001",
            tracking_url="https://yamato.example.invalid/track?no={tracking_number}",
            number_pattern=r"[0-9]{12}",
            is_url_required=False,
        ),
        Carrier(
            code="own_van",
            names=LocalizedText(ja="自社便", en="own van"),
            aliases=(),
            marketplace_value="1000",
            tracking_url=None,
            number_pattern=None,
            is_url_required=False,
        ),
        Carrier(
            code="la_poste",
            names=LocalizedText(ja="ラ・ポスト", en="La Poste"),
            aliases=(),
            marketplace_value=None,
            tracking_url=None,
            number_pattern=None,
            is_url_required=False,
        ),
    ),
    other_value=None,
    is_other_url_required=False,
)


@dataclass(frozen=True)
class Registered:
    """Be a parcel as the marketplace has it."""

    external_id: str
    order_id: str
    number: str | None
    shipped_on: date | None
    is_last: bool


def _outcomes(
    asked: Sequence[OrderEffect],
    of: Callable[[OrderEffect], tuple[OutcomeStatus, Failure | None]],
    named: Callable[[OrderEffect], str | None] = lambda _one: None,
) -> tuple[Outcome[LineKey], ...]:
    found: list[Outcome[LineKey]] = []
    for one in asked:
        status, failure = of(one)
        line_ids = one.line_ids if isinstance(one, Decision) else [part.line_id for part in one.lines]
        found += [
            Outcome(key=LineKey(id=one.id, line_id=line_id), status=status, failure=failure, external_id=named(one))
            for line_id in line_ids
        ]
    return tuple(found)


@dataclass
class PlayedWrites:
    """Hold orders and parcels as a marketplace does.

    `failures` are raised by the next calls, first one first. `loses`: the next write is done and its answer lost;
    `drops`: it is not done and nobody knows. `queues`: parcels are taken once they are polled; `hides`: no look shows
    what stands; `cannot_tell`: no look can tell; orders among `refused` take no parcels.
    """

    orders: dict[str, Sighting] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    journal: list[tuple[str, object]] = field(default_factory=list)
    loses: bool = False
    drops: bool = False
    queues: bool = False
    hides: bool = False
    cannot_tell: bool = False
    refused: set[str] = field(default_factory=set)
    queue: list[Shipment] = field(default_factory=list)
    parcels: list[Registered] = field(default_factory=list)

    def buy(self, *sightings: Sighting) -> None:
        """Put orders there, or change them."""
        for sighting in sightings:
            self.orders[sighting.external_id or ""] = sighting

    def calls(self, name: str) -> list[object]:
        """Give what a method was asked for, each time."""
        return [asked for called, asked in self.journal if called == name]

    async def ship(self, shipments: Sequence[Shipment]) -> Receipt[LineKey]:
        """Register parcels, at once or, where it `queues`, when it is asked again."""
        self.journal.append(("ship", tuple(one.order.external_id for one in shipments)))
        self._fail()
        if self.queues:
            self.queue += shipments
            ticket = Ticket(
                method="queue",
                external_id=f"t-{len(self.calls('ship'))}",
                sent_at=NOON,
                poll_at=NOON,
                gives_up_at=datetime(2100, 1, 1, tzinfo=UTC),
            )
            return Receipt(outcomes=_outcomes(shipments, lambda _one: (OutcomeStatus.SENT, None)), ticket=ticket)
        return self._written(shipments, self._register)

    async def poll(self, ticket: Ticket, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Take what is queued, and say what became of it."""
        self.journal.append(("poll", ticket.external_id))
        self._fail()
        for one in self.queue:
            self._register(one)
        self.queue.clear()
        return Receipt(outcomes=_outcomes(asked, lambda _one: (OutcomeStatus.APPLIED, None)))

    async def cancel(self, cancellations: Sequence[Cancellation]) -> Receipt[LineKey]:
        """Cancel units."""
        self.journal.append(("cancel", tuple(one.order.external_id for one in cancellations)))
        self._fail()
        return self._written(cancellations, self._cancel)

    async def verify(self, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Hold effects against the orders as they stand."""
        self.journal.append(("verify", tuple(one.order.external_id for one in asked)))
        self._fail()
        return Receipt(
            outcomes=_outcomes(
                asked,
                self._look_at,
                self._name_of,
            )
        )

    def _written(self, asked: Sequence[Any], write: Callable[[Any], Failure | None]) -> Receipt[LineKey]:
        lost = InDoubt("no answer came", code="answer-lost")

        def outcome(one: OrderEffect) -> tuple[OutcomeStatus, Failure | None]:
            if self.drops:
                return OutcomeStatus.IN_DOUBT, lost
            refused = write(one)
            if refused is not None:
                return OutcomeStatus.REJECTED, refused
            return (OutcomeStatus.IN_DOUBT, lost) if self.loses else (OutcomeStatus.APPLIED, None)

        receipt = Receipt(outcomes=_outcomes(asked, outcome))
        self.loses = self.drops = False
        return receipt

    def _register(self, shipment: Shipment) -> Failure | None:
        sighting = self._seen(shipment)
        if sighting is None or sighting.lines[0].status is OrderStatus.CANCELLED:
            return Rejected("it is cancelled", code="order-cancelled")
        if shipment.order.external_id in self.refused:
            return Rejected("they do not like it", code="refused")
        self.parcels = [
            parcel for parcel in self.parcels if not shipment.replaces or parcel.external_id != shipment.replaces
        ]
        self.parcels.append(
            Registered(
                external_id=f"d-{len(self.parcels) + 1}",
                order_id=shipment.order.external_id,
                number=shipment.tracking.number,
                shipped_on=shipment.shipped_on,
                is_last=shipment.is_last,
            )
        )
        return None

    def _cancel(self, cancellation: Cancellation) -> Failure | None:
        sighting = self._seen(cancellation)
        if sighting is None:
            return Rejected("there is none", code="not-found")
        dated = [one for one in self.parcels if one.order_id == sighting.external_id and one.shipped_on]
        if dated and not cancellation.is_shipped:
            return Rejected("a parcel has its day", code="parcel-dated")
        gone = {one.line_id: one.quantity for one in cancellation.lines}
        self.buy(
            seen(
                sighting.external_id,
                placed=sighting.placed.at,
                at=sighting.seen_at + timedelta(seconds=1),
                lines=tuple(
                    line(
                        one.external_id,
                        quantity=one.quantity - gone.get(one.external_id, 0) or one.quantity,
                        status=OrderStatus.CANCELLED if gone.get(one.external_id) == one.quantity else one.status,
                    )
                    for one in sighting.lines
                ),
            )
        )
        return None

    def _look_at(self, effect: OrderEffect) -> tuple[OutcomeStatus, Failure | None]:
        if self.cannot_tell:
            return OutcomeStatus.IN_DOUBT, InDoubt("units that are gone leave no trace", code="answer-unreadable")
        return (OutcomeStatus.APPLIED if self._stands(effect) else OutcomeStatus.NOT_SENT), None

    def _name_of(self, effect: OrderEffect) -> str | None:
        if not isinstance(effect, Shipment):
            return None
        return next((one.external_id for one in self.parcels if one.number == effect.tracking.number), None)

    def _stands(self, effect: OrderEffect) -> bool:
        if isinstance(effect, Decision):
            return self._is_accepted(effect)
        if self.hides:
            return False
        sighting = self._seen(effect)
        if isinstance(effect, Shipment):
            return any(
                (one.order_id, one.number, one.shipped_on)
                == (effect.order.external_id, effect.tracking.number, effect.shipped_on)
                for one in self.parcels
            )
        there = {one.external_id: one for one in sighting.lines} if sighting else {}
        return all(
            there[one.line_id].status is OrderStatus.CANCELLED
            or (one.left is not None and not effect.is_whole and there[one.line_id].quantity <= one.left)
            for one in effect.lines
            if one.line_id in there
        )

    def _seen(self, effect: OrderEffect) -> SeenOrder | None:
        sighting = self.orders.get(effect.order.external_id)
        return sighting if isinstance(sighting, SeenOrder) else None

    def _is_accepted(self, effect: OrderEffect) -> bool:
        sighting = self._seen(effect)
        line_ids = effect.line_ids if isinstance(effect, Decision) else ()
        return sighting is not None and not any(
            one.status is OrderStatus.NEW for one in sighting.lines if one.external_id in line_ids
        )

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
