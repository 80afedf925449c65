"""Judges what became of shipments: from what was said of their rows, and from the parcels that an order shows."""

from collections.abc import Sequence

from hanro.errors import ContractBroken, Rejected, Retryable
from hanro.marketplace import status_of, track
from hanro.marketplace.types import OrderStatus, OutcomeStatus, Package, Parcel, SeenOrder, Shipment
from hanro_rakuten_ichiba.client import Reply
from hanro_rakuten_ichiba.declared.carriers import CARRIERS
from hanro_rakuten_ichiba.effects import Verdict, in_doubt, rejected
from hanro_rakuten_ichiba.messages import Message
from hanro_rakuten_ichiba.reading import Read
from hanro_rakuten_ichiba.shipping.rows import destination_of, is_same

_CANCELLED = "UPDATE_ORDERSHIPPING_ERROR_102"
_OVER = frozenset({OrderStatus.CANCELLING, OrderStatus.CANCELLED})


def judge_tracking(shipment: Shipment) -> Verdict | None:
    """Refuse a carrier or a number before any request; None: both are as the catalogue says."""
    tracking = shipment.tracking
    try:
        found = track(CARRIERS, tracking.carrier_code, tracking.number, tracking.url)
    except Rejected as refused:
        return Verdict(status=OutcomeStatus.REJECTED, failure=refused)
    if found.marketplace_value == tracking.marketplace_value:
        return None
    return rejected("the carrier has another code there", "carrier-unsupported")


def judge_standing(number: str, read: Read) -> SeenOrder | Verdict:
    """Give the order that parcels can be registered for, or what stands against it."""
    sighting = read.sightings.get(number)
    if sighting is None:
        return rejected("the marketplace does not know the order", "not-found", read.not_found.get(number))
    if not isinstance(sighting, SeenOrder):
        return rejected("the order cannot be read, so its destinations are not known", "refused")
    if status_of(sighting.lines) in _OVER:
        return rejected("the order was cancelled", "order-cancelled")
    return sighting


def judge_rows(places: Sequence[Sequence[str]], messages: Sequence[Message], reply: Reply) -> dict[str, Verdict]:
    """Judge shipments by what was said of their order's rows; `places` are the shipments of each row, in order sent.

    A refusal without a place speaks of all rows. A row of which nothing is said leaves its shipments in doubt.
    """
    whole = next((message for message in messages if message.is_error and message.place is None), None)
    said = {message.place: message for message in reversed(messages) if message.type in ("INFO", "ERROR")}
    return {
        shipment_id: _verdict(whole or said.get(place), reply)
        for place, group in enumerate(places, start=1)
        for shipment_id in group
    }


def split_refused(
    places: Sequence[Sequence[str]], errors: Sequence[Message], reply: Reply
) -> tuple[dict[str, Verdict], list[str]]:
    """Split an order whose rows were refused: shipments that are named are REJECTED, the others come second.

    Where no shipment is named all of them are.
    """
    ids = [shipment_id for place in places for shipment_id in place]
    named: dict[str, Verdict] = {}
    for error in errors:
        group = places[error.place - 1] if error.place is not None and 0 < error.place <= len(places) else ()
        named |= dict.fromkeys(group, _refused(error, reply))
    if not named:
        return dict.fromkeys(ids, _refused(errors[0], reply)), []
    return named, [shipment_id for shipment_id in ids if shipment_id not in named]


def _verdict(message: Message | None, reply: Reply) -> Verdict:
    if message is None:
        return in_doubt(ContractBroken("no message tells what became of the parcel", code="unreadable"))
    if message.is_error:
        return _refused(message, reply)
    return Verdict(status=OutcomeStatus.APPLIED, external_id=message.row_id, details=((message.code, message.text),))


def _refused(message: Message, reply: Reply) -> Verdict:
    refusal = reply.refusal_of(message)
    if message.code.endswith(_CANCELLED):
        return rejected("the order was cancelled", "order-cancelled", refusal)
    return rejected("the marketplace refused to register the parcel", "refused", refusal)


def judge_parcels(shipments: Sequence[Shipment], read: Read) -> dict[str, Verdict]:
    """Hold shipments against the parcels that their orders show, by carrier and number.

    A parcel without a number stands for one shipment. Where a row lacks the date that the last parcel brings, that one
    is still to be sent.
    """
    verdicts: dict[str, Verdict] = {}
    taken: set[tuple[str, str | None]] = set()
    for shipment in shipments:
        number = shipment.order.external_id
        sighting = read.sightings.get(number)
        if sighting is None:
            refusal = read.not_found.get(number)
            verdicts[shipment.id] = rejected("the marketplace does not know the order", "not-found", refusal)
        elif not isinstance(sighting, SeenOrder):
            verdicts[shipment.id] = in_doubt(sighting.failure)
        else:
            verdicts[shipment.id] = _judge_parcel(shipment, sighting, taken)
    return verdicts


def _judge_parcel(shipment: Shipment, order: SeenOrder, taken: set[tuple[str, str | None]]) -> Verdict:
    package = destination_of(order, shipment)
    parcel = _find(shipment, order.packages if isinstance(package, Verdict) else (package,), taken)
    if parcel is not None:
        taken.add((order.external_id, parcel.external_id))
        if not shipment.is_last or all(one.shipped_on for each in order.packages for one in each.parcels):
            return Verdict(status=OutcomeStatus.APPLIED, external_id=parcel.external_id)
    if status_of(order.lines) in _OVER:
        return rejected("the order was cancelled", "order-cancelled")
    if isinstance(package, Verdict):
        return package
    failure = Retryable("the order does not show the parcel", code="unavailable")
    return Verdict(status=OutcomeStatus.NOT_SENT, failure=failure)


def _find(shipment: Shipment, packages: Sequence[Package], taken: set[tuple[str, str | None]]) -> Parcel | None:
    number = shipment.order.external_id
    for parcel in (parcel for package in packages for parcel in package.parcels):
        is_free = shipment.tracking.number is not None or (number, parcel.external_id) not in taken
        is_it = shipment.replaces in (None, parcel.external_id)
        has_its_date = shipment.replaces is None or shipment.is_last or shipment.shipped_on or not parcel.shipped_on
        if is_free and is_it and has_its_date and is_same(shipment, parcel):
            return parcel
    return None
