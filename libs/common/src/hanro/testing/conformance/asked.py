"""Makes what is asked of orders: decisions, shipments and cancellations, and reads what came of them."""

from collections.abc import Sequence
from dataclasses import replace

from hanro.marketplace import track
from hanro.marketplace.port import Orders
from hanro.marketplace.types import (
    Answer,
    Cancellation,
    CancelReason,
    Decision,
    DelayReason,
    LineKey,
    LinePart,
    MessageRequest,
    OrderRef,
    Outcome,
    OutcomeStatus,
    Party,
    Receipt,
    SeenOrder,
    Shipment,
    Tracking,
    Trigger,
)
from hanro.money import Money
from hanro.testing.conformance.market import Market


def decision(
    number: str,
    *line_ids: str,
    answer: Answer = Answer.ACCEPT,
    claim_id: str | None = None,
    delay: DelayReason | None = None,
) -> Decision:
    """Make a decision; accepting unless asked otherwise."""
    return Decision(
        id=f"op_{number}_{'_'.join(line_ids)}",
        order=OrderRef(external_id=number),
        answer=answer,
        line_ids=line_ids,
        claim_id=claim_id,
        ships_on=None,
        delay=delay,
        note=None,
        ships_from=None,
        return_to=None,
    )


async def accepting(orders: Orders, numbers: Sequence[str]) -> list[Decision]:
    """Make the decisions that accept whole orders, in the order asked; an unknown line where none is read."""
    fetched = await orders.fetch([OrderRef(external_id=number) for number in numbers])
    lines = {seen.external_id: [line.external_id for line in seen.lines] for seen in readable(fetched.sightings)}
    return [decision(number, *lines.get(number, ["1"])) for number in numbers]


async def shipping(market: Market, orders: Orders, numbers: Sequence[str], *, is_last: bool = True) -> list[Shipment]:
    """Make the shipments of whole orders, a parcel for each destination, in the order asked."""
    fetched = await orders.fetch([OrderRef(external_id=number) for number in numbers])
    found = {seen.external_id: seen for seen in readable(fetched.sightings)}
    return [one for number in numbers for one in parcels(market, found[number], is_last=is_last) if number in found]


def parcels(market: Market, order: SeenOrder, *, is_last: bool = True, place: int = 0) -> list[Shipment]:
    """Make a parcel for each destination, by a carrier whose numbers are public; `place` picks the number."""
    return [
        Shipment(
            id=f"op_ship_{order.external_id}_{package.external_id}_{place}",
            order=OrderRef(external_id=order.external_id),
            package_id=package.external_id,
            lines=tuple(
                LinePart(line_id=line.external_id, quantity=line.quantity)
                for line in order.lines
                if line.package_id in (None, package.external_id)
            ),
            tracking=tracking(market, place),
            shipped_on=None,
            is_last=is_last,
            replaces=None,
            claim_id=None,
        )
        for package in order.packages
    ]


def tracking(market: Market, place: int = 0) -> Tracking:
    """Give a carrier with one of its good numbers."""
    code, numbers = next(iter(market.tracking_numbers.items()))
    return track(market.plugin.carriers, code, numbers.good[place], None)


def readable(sightings: Sequence[object]) -> list[SeenOrder]:
    """Give the orders that could be read."""
    return [one for one in sightings if isinstance(one, SeenOrder)]


def shipment(*, replaces: str | None = None, lines: tuple[LinePart, ...] = ()) -> Shipment:
    """Make a shipment."""
    return Shipment(
        id="op_ship",
        order=OrderRef(external_id="1"),
        package_id=None,
        lines=lines or (LinePart(line_id="1", quantity=1),),
        tracking=Tracking(carrier_code="yamato", marketplace_value="1001", number="1", url=None),
        shipped_on=None,
        is_last=True,
        replaces=replaces,
        claim_id=None,
    )


def cancelling(decided: Decision) -> Cancellation:
    """Make the cancellation of a whole order, by the lines of its decision."""
    whole = tuple(LinePart(line_id=line_id, quantity=1) for line_id in decided.line_ids)
    return replace(cancellation(), id=f"op_cancel_{decided.order.external_id}", order=decided.order, lines=whole)


def cancellation(*, is_whole: bool = True, is_shipped: bool = False, refund: Money | None = None) -> Cancellation:
    """Make a cancellation."""
    return Cancellation(
        id="op_cancel",
        order=OrderRef(external_id="1"),
        lines=(LinePart(line_id="1", quantity=0 if refund else 1, refund=refund),),
        is_whole=is_whole,
        is_shipped=is_shipped,
        reason=CancelReason.OUT_OF_STOCK,
        by=Party.SELLER,
        comment=None,
        is_restocked=None,
    )


def message(*, reply_to: str | None = None) -> MessageRequest:
    """Make a message to a buyer, or an answer to one of theirs."""
    return MessageRequest(
        id="msg_1",
        order=OrderRef(external_id="1"),
        line_id=None,
        trigger=Trigger.MANUAL if reply_to is None else Trigger.REPLY,
        subject="subject",
        body="body",
        reply_to=reply_to,
    )


def statuses(receipt: Receipt[LineKey]) -> list[OutcomeStatus]:
    """Give the status of each line, in the order asked."""
    return [outcome.status for outcome in receipt.outcomes]


def code_of(outcome: Outcome[LineKey]) -> str | None:
    """Give the code of what went wrong; None where nothing did."""
    return None if outcome.failure is None else outcome.failure.code


def keys_of(asked: Sequence[Decision | Shipment | Cancellation]) -> list[LineKey]:
    """Give the keys that a receipt must hold, in order."""
    return [LineKey(id=one.id, line_id=line_id) for one in asked for line_id in _line_ids(one)]


def _line_ids(one: Decision | Shipment | Cancellation) -> Sequence[str]:
    return one.line_ids if isinstance(one, Decision) else [part.line_id for part in one.lines]
