"""Gives parcels the form that callers send and see."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from hanro.errors import Failure
from hanro.events.orders import ShipmentState
from hanro.web import Body, NextCursor, ProblemShown, Shown
from hanro.web.problems import of_failure
from order_svc.domain.shipments import Shipment, Wanted
from order_svc.shipments import Asked, Correction, Parcel

MOST_LINES = 500
MOST_PARCELS = 200
# A number is as long as the longest that a marketplace takes; the carrier's own rule is narrower.
CarrierText = Annotated[str, Field(min_length=1, max_length=100)]
NumberText = Annotated[str, Field(min_length=1, max_length=120)]
UrlText = Annotated[str, Field(min_length=1, max_length=500)]
IdText = Annotated[str, Field(min_length=1, max_length=200)]


class UnitsInParcel(Body):
    """Units of a line in a parcel."""

    line_id: IdText = Field(examples=["lin_01M8K0000000000000000000000"])
    """`lin_…`, or the marketplace's id of the line."""
    quantity: Annotated[int, Field(ge=1, le=999_999_999)] = Field(examples=[1])
    """How many of it."""


class ParcelBody(Body):
    """A parcel to register at the marketplace. It goes out once and cannot be taken back there."""

    carrier_code: CarrierText | None = Field(default=None, examples=["yamato"])
    """By code, name, or the name that the account's files have for it; left out: the account's default."""
    tracking_number: NumberText | None = Field(default=None, examples=["123456789012"])
    """Hyphens, blanks and full-width digits are taken off; null: the parcel has none."""
    url: UrlText | None = None
    """The carrier's page for the number; left out: made from the catalogue."""
    shipped_on: date | None = None
    """The day in the marketplace's zone; left out: today."""
    package_id: IdText | None = None
    """The destination, where the order goes to several."""
    lines: Annotated[list[UnitsInParcel], Field(min_length=1, max_length=MOST_LINES)] | None = None
    """What is in it; left out: all that is left of its package."""
    is_last: bool | None = None
    """Nothing of the order stays behind; left out: true where no unit is left."""

    def parcel(self) -> Parcel:
        """Give it as a value."""
        lines: dict[str, int] | None = None
        if self.lines is not None:
            lines = {}
            for one in self.lines:
                lines[one.line_id] = lines.get(one.line_id, 0) + one.quantity
        return Parcel(
            carrier=self.carrier_code,
            number=self.tracking_number,
            url=self.url,
            shipped_on=self.shipped_on,
            wanted=Wanted(package_id=self.package_id, lines=lines, is_last=self.is_last),
        )


class ParcelEntry(ParcelBody):
    """A parcel of one order among many."""

    order_id: IdText = Field(examples=["ord_01M8K0000000000000000000000"])
    """ord_…"""


class ParcelsBody(Body):
    """Parcels to register, each on its own."""

    items: Annotated[list[ParcelEntry], Field(min_length=1, max_length=MOST_PARCELS)]
    """In any order."""


class CorrectionBody(Body):
    """What is to be changed about a registered parcel; what is left out stays."""

    carrier_code: CarrierText | None = None
    """The right carrier."""
    tracking_number: NumberText | None = Field(default=None, examples=["123456789013"])
    """The right number; null: it has none."""
    url: UrlText | None = None
    """The right page; left out with another number: made from the catalogue."""
    shipped_on: date | None = None
    """The right day; null: no day, so that the order can still be cancelled."""

    def correction(self) -> Correction:
        """Give it as a value."""
        names = {"carrier_code": "carrier", "tracking_number": "number"}
        return Correction(
            given=frozenset(names.get(name, name) for name in self.model_fields_set),
            carrier=self.carrier_code,
            number=self.tracking_number,
            url=self.url,
            shipped_on=self.shipped_on,
        )


class ShipmentShown(Shown):
    """A parcel that was asked to be registered, and how far that is."""

    id: str
    """shi_…"""
    order_id: str
    """ord_…"""
    account_id: str
    """The account that it goes out for."""
    operation_id: str
    """opr_…: how far it is, in detail."""
    state: ShipmentState
    """`waiting` to be sent, `sent`, `registered` (a read showed it), `rejected`, `in_doubt`, `observed` (the account
    only observes), `replaced` by a correction.
    """
    is_unconfirmed: bool
    """It was sent more than 10 minutes ago, and no read has shown it."""
    failure: dict[str, Any] | None
    """Why it is not registered: `code` is stable, `why` a sentence, and what the marketplace said."""
    carrier_code: str
    """In the catalogue of the marketplace's carriers."""
    tracking_number: str | None
    """As it is sent; null: it has none."""
    tracking_url: str | None
    """The carrier's page for it."""
    shipped_on: date | None
    """The day in the marketplace's zone."""
    package_id: str | None
    """The destination; null: the marketplace names none."""
    lines: dict[str, int]
    """Units by the marketplace's line id; empty: not told, and more parcels follow."""
    is_last: bool
    """Nothing of the order stays behind."""
    parcel_id: str | None
    """What the marketplace calls it; null: not known."""
    replaces_id: str | None
    """The shipment that it corrects; null: none."""
    created_by: str
    """Who asked for it."""
    created_at: datetime
    """When."""


class ShipmentsShown(Shown):
    """The parcels of an order."""

    items: list[ShipmentShown]
    """The first asked for first."""


class ShipmentPage(Shown):
    """Parcels of all orders, newest first."""

    items: list[ShipmentShown]
    """Newest first."""
    next: NextCursor


class ParcelOutcome(Shown):
    """What became of one entry."""

    order_id: str
    """The order that it was sent for."""
    status: int
    """As if it had been sent alone: 202, or that of `problem`."""
    shipment: ShipmentShown | None = None
    """The parcel; null: it was refused."""
    problem: ProblemShown | None = None
    """Why it was refused; null: it was not."""


class ParcelOutcomes(Shown):
    """What became of each entry; one never stops another."""

    items: list[ParcelOutcome]
    """In the order asked."""


def show_shipment(shipment: Shipment) -> ShipmentShown:
    """Show a parcel."""
    tracking = shipment.tracking
    return ShipmentShown.model_validate(
        {**asdict(shipment), **asdict(tracking), "tracking_number": tracking.number, "tracking_url": tracking.url}
    )


def show_asked(order_id: str, asked: Asked) -> ParcelOutcome:
    """Show an entry that was taken."""
    return ParcelOutcome(order_id=order_id, status=202, shipment=show_shipment(asked.shipment))


def show_refused(order_id: str, failure: Failure) -> ParcelOutcome:
    """Show an entry that was refused."""
    answer = of_failure(failure)
    problem = answer.body if isinstance(answer.body, Mapping) else {}
    return ParcelOutcome(order_id=order_id, status=answer.status, problem=dict(problem))
