"""Gives what a marketplace states of an order, without its buyer, the form that callers see."""

from datetime import date, datetime, time

from pydantic import Field

from hanro.marketplace.types import AddressKind, ClaimKind, ClaimStage, OrderStatus, OrderTime, Party
from hanro.web.shapes import Shown
from order_svc.api.sum_shapes import (
    AmountShown,
    DifferenceShown,
    DiscountStated,
    PaymentStated,
    TaxStated,
    TotalsStated,
    WrappingStated,
)


class MomentShown(Shown):
    """A moment, and how the marketplace writes it."""

    at: datetime
    """UTC."""
    local: str
    """Its own characters."""


class PickupStated(Shown):
    """The shop or locker where the buyer fetches the parcel, as codes; its address is personal."""

    network: str | None = None
    """The network's code there."""
    external_id: str | None = None
    """The shop's code there."""


class DestinationStated(Shown):
    """What may be known of an address without the scope orders:personal."""

    kind: AddressKind
    """`masked`: the marketplace hides it; `awaited`: it is still to come, never ship to it."""
    country: str
    """ISO 3166 alpha-2; ZZ: abroad, not told where."""
    is_remote_island: bool
    """Whether a carrier asks more for it."""
    pickup: PickupStated | None = None
    """Where the buyer fetches it; null: it is delivered."""


class ParcelStated(Shown):
    """One parcel as the marketplace knows it."""

    external_id: str | None
    """Its id there."""
    carrier_code: str | None
    """The carrier in hanro's catalogue; null: not known there."""
    carrier_text: str
    """The carrier, verbatim."""
    number: str | None
    """The tracking number."""
    shipped_on: date | None
    """The day it left, local."""
    url: str | None
    """The page to track it."""


class PackageStated(Shown):
    """What goes to one destination, without the address."""

    external_id: str
    """Its id there."""
    address: DestinationStated | None = None
    """What kind of address it is; null: none is stated."""
    parcels: list[ParcelStated]
    """Its parcels."""
    postage: AmountShown | None
    """Null: not stated."""
    cash_on_delivery_fee: AmountShown | None
    """Null: not stated."""
    total: AmountShown | None
    """Null: not stated."""
    noshi: str | None
    """What stands on the ceremonial paper のし."""
    carrier_code: str | None
    """The carrier that is meant to bring it; null: not stated."""
    drop_off: str | None
    """Where it is to be left 置き配; null: it is handed over."""
    details: dict[str, str]
    """What the marketplace says besides, by its own names, verbatim."""


class LineStated(Shown):
    """One line as the marketplace showed it last."""

    external_id: str
    """Its id there."""
    package_id: str | None
    """The destination it goes to."""
    keys: dict[str, str]
    """The seller's keys, verbatim."""
    title: str
    """The product's name as sold."""
    options_text: str | None
    """What the buyer chose, line by line."""
    quantity: int
    """Units now; cancelled ones are gone already."""
    status: OrderStatus
    """How far it is there, in hanro's words."""
    status_text: str
    """The same in the marketplace's own."""
    unit_price: AmountShown
    """Tax in or out as `is_tax_included` says."""
    is_tax_included: bool | None
    """Null: not stated."""
    tax_rate: str | None
    """Decimal string; their characters. Null: not stated."""
    unit_price_with_tax: AmountShown | None
    """Null: not stated."""
    total: AmountShown | None
    """Of all units; null: not stated."""
    barcodes: list[str]
    """Barcodes, as stated."""
    decide_by: datetime | None
    """Their deadline to accept or refuse it, UTC."""
    ship_by: date | None
    """The last day to ship, local."""
    is_fulfilled_by_marketplace: bool
    """True: the marketplace ships it itself."""
    details: dict[str, str]
    """What the marketplace says besides, by its own names, verbatim."""


class WishStated(Shown):
    """What the buyer wishes of the delivery."""

    day: date | None
    """The wished day, local."""
    band_text: str | None
    """The wished time of day, verbatim."""
    earliest: time | None
    """From then on, local; null: from morning, or no rule explains the text."""
    latest: time | None
    """Until then, local; null: until night, or no rule explains the text."""
    method: str | None
    """The way of delivery, verbatim."""
    cold_chain: str | None
    """冷蔵 or 冷凍; null: none."""


class GiftStated(Shown):
    """That an order is a gift; from whom and with which words is personal."""

    is_wished: bool
    """The buyer wants it as a gift."""
    management_id: str | None
    """The number under which the marketplace asks the receiver for the address."""
    address_due_on: date | None
    """By when the address comes."""


class ClaimStated(Shown):
    """A cancellation, return or exchange, as the marketplace showed it last; why is personal."""

    external_id: str
    """Its id there."""
    kind: ClaimKind
    """What is asked for."""
    stage: ClaimStage
    """How far it is."""
    status_text: str
    """The same in the marketplace's own."""
    line_id: str | None
    """The marketplace's line; null: the whole order."""
    quantity: int | None
    """Units of the line; null: all."""
    by: Party | None
    """Who asked; null: not told."""
    requested: MomentShown | None
    """When it was asked for."""
    completed: MomentShown | None
    """When it was done."""
    amount: AmountShown | None
    """What is paid back; null: not told."""


class OrderStated(Shown):
    """An order as the marketplace showed it last, without its buyer. All of it is verbatim; nothing is repaired.

    An order that could never be read states nothing.
    """

    placed: MomentShown | None = None
    """When the buyer ordered."""
    lines: list[LineStated] = Field(default_factory=list)
    """The lines that were shown last; those before them stand in the order's own `lines`."""
    packages: list[PackageStated] = Field(default_factory=list)
    """The destinations."""
    totals: TotalsStated = Field(default_factory=TotalsStated)
    """The totals, none of them summed here."""
    taxes: list[TaxStated] = Field(default_factory=list)
    """A row for each tax rate; empty: not stated."""
    discounts: list[DiscountStated] = Field(default_factory=list)
    """Coupons, points, promotions."""
    payments: list[PaymentStated] = Field(default_factory=list)
    """Ways of payment."""
    wrappings: list[WrappingStated] = Field(default_factory=list)
    """Paper and ribbon."""
    gift: GiftStated | None = None
    """Null: it is none."""
    wish: WishStated | None = None
    """Null: nothing is wished."""
    claims: list[ClaimStated] = Field(default_factory=list)
    """Claims, the oldest first."""
    times: dict[OrderTime, MomentShown] = Field(default_factory=dict)
    """What happened when, by name."""
    differences: list[DifferenceShown] = Field(default_factory=list)
    """Sums that do not add up."""
    details: dict[str, str] = Field(default_factory=dict)
    """What the marketplace says besides, by its own names, verbatim."""
