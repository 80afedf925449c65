"""Sends shipping rows: those of one order at once, those of several queued; asks what became of the queued ones."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hanro.clock import Clock
from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Retryable
from hanro.marketplace.types import (
    LineKey,
    OrderEffect,
    Outcome,
    OutcomeStatus,
    Receipt,
    SeenOrder,
    Shipment,
    Sighting,
    Ticket,
)
from hanro_rakuten_ichiba.client import Client, Reply
from hanro_rakuten_ichiba.effects import (
    Verdict,
    absent,
    check_keys,
    in_doubt,
    may_have_effect,
    numbers_of,
    outcomes_of,
    supported,
)
from hanro_rakuten_ichiba.functions import QUEUE_SHIPPING, SHIPPING_RESULT, UPDATE_SHIPPING
from hanro_rakuten_ichiba.reading import check, read_orders
from hanro_rakuten_ichiba.shipping.judging import judge_rows, judge_standing, judge_tracking, split_refused
from hanro_rakuten_ichiba.shipping.rows import ROWS_PER_BASKET, Packing, Row, body_of, pack, portions

JAPAN = ZoneInfo("Asia/Tokyo")
METHOD = "orders.ship"
SOONEST, LATEST = timedelta(seconds=5), timedelta(seconds=30)
"""How often to ask for a result. Source: rakuten-ichiba-orders 4.6."""
GIVES_UP_AFTER = timedelta(minutes=30)
_SENT = Verdict(status=OutcomeStatus.SENT)


class Shipments:
    """Register parcels of one shop's orders."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def ship(self, shipments: Sequence[Shipment]) -> Receipt[LineKey]:
        """Register parcels: of one order by updateOrderShipping, of several by updateOrderShippingAsync, then SENT.

        The orders are read first: rows belong to destinations, the last parcel dates all, and a number that is there
        already makes no second row.

        Raises:
            Retryable, NeedsSeller, ContractBroken: nothing was changed.
            Unsupported: all shipments need what is absent; beside others such a one is REJECTED.
            ValueError: more than 100 orders, a key twice, a shipment without a line.

        Source: rakuten-ichiba-orders 4.4 to 4.6, 8.2.
        """
        check_keys(shipments)
        supported(shipments)
        verdicts = {one.id: found for one in shipments if (found := absent(one) or judge_tracking(one)) is not None}
        sending = _Sending(self._client, self._clock, verdicts)
        ticket = await sending.send([one for one in shipments if one.id not in verdicts])
        return Receipt(outcomes=_outcomes(shipments, verdicts, sending.sightings), ticket=ticket)

    async def poll(self, ticket: Ticket, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Ask what became of queued rows; running, lost and expired requests look alike (4.6).

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
            ValueError: something else than shipments.
        """
        shipments = [one for one in asked if isinstance(one, Shipment)]
        if len(shipments) < len(asked):
            raise ValueError("only shipments are ever SENT")
        reply = await self._client.read(SHIPPING_RESULT, {"requestId": ticket.external_id})
        check(reply, "asking for a result")
        now = self._clock.now()
        if not reply.results:
            raise ContractBroken("the answer holds no result", code="unreadable")
        if set(reply.results) == {None}:
            return _without_result(ticket, shipments, now)
        places = _read_places(ticket.cursor)
        verdicts: dict[str, Verdict] = {}
        for number, rows in places.items():
            verdicts |= judge_rows(rows, reply.results.get(number, ()), reply)
        return Receipt(outcomes=_outcomes(shipments, verdicts, {}))


class _Sending:
    """Carry out one call; puts a verdict for each shipment into `verdicts`."""

    def __init__(self, client: Client, clock: Clock, verdicts: dict[str, Verdict]) -> None:
        self._client = client
        self._clock = clock
        self._verdicts = verdicts
        self.sightings: Mapping[str, Sighting] = {}

    async def send(self, shipments: Sequence[Shipment]) -> Ticket | None:
        """Read the orders, work out their rows and send them; a ticket where some were queued."""
        packings = await self._pack(shipments)
        if len(packings) == 1:
            await self._register_all(packings, shipments)
            return None
        long = {number: one for number, one in packings.items() if len(one.rows) > ROWS_PER_BASKET}
        await self._register_all(long, shipments)
        return await self._queue({number: one for number, one in packings.items() if number not in long}, shipments)

    async def _pack(self, shipments: Sequence[Shipment]) -> dict[str, Packing]:
        """Work out the rows of each order that needs some; what needs none has its verdict."""
        read = await read_orders(self._client, numbers_of(shipments))
        self.sightings = {**self.sightings, **read.sightings}
        packings = {}
        for number in numbers_of(shipments):
            own = [one for one in shipments if one.order.external_id == number]
            order = judge_standing(number, read)
            if isinstance(order, SeenOrder):
                packing = pack(order, own, self._today())
                self._verdicts |= packing.verdicts
                if packing.rows:
                    packings[number] = packing
            else:
                self._verdicts |= dict.fromkeys((one.id for one in own), order)
        return packings

    async def _register_all(self, packings: Mapping[str, Packing], shipments: Sequence[Shipment]) -> None:
        for number, packing in packings.items():
            for rows in portions(packing.rows):
                await self._register(number, rows, shipments)

    async def _register(self, number: str, rows: Sequence[Row], shipments: Sequence[Shipment]) -> None:
        """Register rows at once; where rows are named as bad the others go again, as the order then stands."""
        try:
            reply = await self._client.ask(UPDATE_SHIPPING, body_of(number, rows), has_effect=True)
        except (Retryable, NeedsSeller) as failure:
            self._stop(failure, shipments)
            return
        except (InDoubt, ContractBroken) as failure:
            self._put(rows, in_doubt(failure))
            return
        places = [row.shipment_ids for row in rows]
        errors = [message for message in reply.messages if message.is_error]
        if not errors or len(errors) < len(reply.messages):
            self._verdicts |= judge_rows(places, reply.messages, reply)
            return
        refused, rest = split_refused(places, errors, reply)
        self._verdicts |= refused
        if rest:
            await self._register_rest([one for one in shipments if one.id in rest])

    async def _register_rest(self, shipments: Sequence[Shipment]) -> None:
        """Send what a refusal did not name.

        That none of its rows was written is not proven (4.4 [?]): the order is read again, and what it shows is not
        sent a second time.
        """
        try:
            packings = await self._pack(shipments)
        except (Retryable, NeedsSeller, ContractBroken) as failure:
            self._verdicts |= dict.fromkeys((one.id for one in shipments), in_doubt(failure))
            return
        await self._register_all(packings, shipments)

    async def _queue(self, packings: Mapping[str, Packing], shipments: Sequence[Shipment]) -> Ticket | None:
        """Queue rows; what a refusal names goes out, the rest again: nothing was queued (4.5 [1])."""
        while packings:
            bodies = [body_of(number, packing.rows) for number, packing in packings.items()]
            try:
                reply = await self._client.ask(QUEUE_SHIPPING, {"OrderShippingModelList": bodies}, has_effect=True)
            except (Retryable, NeedsSeller) as failure:
                self._stop(failure, shipments)
                return None
            except (InDoubt, ContractBroken) as failure:
                self._put_all(packings, in_doubt(failure))
                return None
            request_id = next((one.request_id for one in reply.messages if one.request_id), None)
            if request_id is not None:
                self._put_all(packings, _SENT)
                return _ticket(request_id, packings, reply.sent_at)
            packings = self._without_refused(packings, reply, shipments)
        return None

    def _without_refused(
        self, packings: Mapping[str, Packing], reply: Reply, shipments: Sequence[Shipment]
    ) -> dict[str, Packing]:
        """Give what a refusal does not name; one that names no order is for all, no refusal at all leaves doubt."""
        errors = [message for message in reply.messages if message.is_error]
        if not errors:
            unsaid = ContractBroken("neither a request id nor a refusal was given", code="unreadable")
            self._put_all(packings, in_doubt(unsaid))
            return {}
        are_named = any(error.order_number in packings for error in errors)
        rest: dict[str, Packing] = {}
        for number, packing in packings.items():
            own = [error for error in errors if error.order_number == number] if are_named else errors
            if not own:
                rest[number] = packing
                continue
            refused, left = split_refused([row.shipment_ids for row in packing.rows], own, reply)
            self._verdicts |= refused
            order = self.sightings[number]
            if left and isinstance(order, SeenOrder):
                again = pack(order, [one for one in shipments if one.id in left], self._today())
                self._verdicts |= again.verdicts
                rest[number] = again
        return rest

    def _stop(self, failure: Retryable | NeedsSeller, shipments: Sequence[Shipment]) -> None:
        """Raise where nothing was changed; else say of what is left that it was not sent."""
        if not any(may_have_effect(verdict) for verdict in self._verdicts.values()):
            raise failure
        not_sent = Verdict(status=OutcomeStatus.NOT_SENT, failure=failure)
        for one in shipments:
            self._verdicts.setdefault(one.id, not_sent)

    def _today(self) -> date:
        return self._clock.now().astimezone(JAPAN).date()

    def _put_all(self, packings: Mapping[str, Packing], verdict: Verdict) -> None:
        for packing in packings.values():
            self._put(packing.rows, verdict)

    def _put(self, rows: Sequence[Row], verdict: Verdict) -> None:
        for row in rows:
            self._verdicts |= dict.fromkeys(row.shipment_ids, verdict)


def _ticket(request_id: str, packings: Mapping[str, Packing], sent_at: datetime) -> Ticket:
    """Make the ticket; its cursor holds the shipments of each row, for results name rows by their place alone."""
    places = {number: [row.shipment_ids for row in packing.rows] for number, packing in packings.items()}
    return Ticket(
        method=METHOD,
        external_id=request_id,
        sent_at=sent_at,
        poll_at=sent_at + SOONEST,
        gives_up_at=sent_at + GIVES_UP_AFTER,
        cursor=json.dumps(places, ensure_ascii=False, separators=(",", ":")),
    )


def _read_places(cursor: str | None) -> dict[str, list[list[str]]]:
    found = json.loads(cursor or "{}")
    return dict(found)


def _without_result(ticket: Ticket, shipments: Sequence[Shipment], now: datetime) -> Receipt[LineKey]:
    """Go on waiting, each time twice as long; give up once that is over."""
    if now >= ticket.gives_up_at:
        lost = InDoubt("the marketplace tells no result of the request", code="ticket-lost")
        return Receipt(outcomes=_outcomes(shipments, dict.fromkeys((one.id for one in shipments), in_doubt(lost)), {}))
    wait = min(max(now - ticket.sent_at, SOONEST), LATEST)
    later = Ticket(
        method=ticket.method,
        external_id=ticket.external_id,
        sent_at=ticket.sent_at,
        poll_at=now + wait,
        gives_up_at=ticket.gives_up_at,
        cursor=ticket.cursor,
    )
    return Receipt(outcomes=_outcomes(shipments, dict.fromkeys((one.id for one in shipments), _SENT), {}), ticket=later)


def _outcomes(
    shipments: Sequence[Shipment], verdicts: Mapping[str, Verdict], sightings: Mapping[str, Sighting]
) -> tuple[Outcome[LineKey], ...]:
    unsaid = in_doubt(ContractBroken("nothing tells what became of the parcel", code="unreadable"))
    outcomes: list[Outcome[LineKey]] = []
    for one in shipments:
        outcomes += outcomes_of(one, verdicts.get(one.id, unsaid), sightings.get(one.order.external_id))
    return tuple(outcomes)
