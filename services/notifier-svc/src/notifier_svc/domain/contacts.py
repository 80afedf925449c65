"""Says what a template may tell of an order and its buyer, and how amounts and times are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hanro.events.orders import StatedAmount
from hanro.value import hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLine:
    """Be one line of the order as its buyer knows it; cancelled ones are left out."""

    title: str
    quantity: int
    unit_price: StatedAmount | None

    __repr__ = hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactParcel:
    """Be one parcel that is registered at the marketplace; `url` is the carrier's page for its number."""

    carrier: str
    number: str | None
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Be what order-svc tells about a buyer and the order at the moment of sending; never stored, never cached.

    `email` None: there is no address (yet). `is_email_masked`: it is the marketplace's, mail passes through its relay.
    """

    name: str | None = field(repr=False)
    email: str | None = field(repr=False)
    is_email_masked: bool
    external_id: str
    placed_at: datetime
    lines: tuple[ContactLine, ...]
    totals: Mapping[str, StatedAmount] = field(repr=False)
    parcels: tuple[ContactParcel, ...] = ()


TOTALS = ("goods", "postage", "total", "payable")

Variables = Mapping[str, object]


def variables_of(contact: Contact, *, shop_name: str, zone: ZoneInfo) -> Variables:
    """Give what a template may name; all are texts but `lines`, `parcels` and `quantity`, what is not stated is empty.

    Amounts are grouped by thousands, without currency ("1,980"). Times are the marketplace's ("2026-10-01 12:34").
    """
    return {
        "shop": {"name": shop_name},
        "order": {
            "external_id": contact.external_id,
            "placed_at": contact.placed_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        },
        "buyer": {"name": contact.name or ""},
        "lines": [
            {"title": line.title, "quantity": line.quantity, "unit_price": write_amount(line.unit_price)}
            for line in contact.lines
        ],
        "parcels": [
            {"carrier": one.carrier, "number": one.number or "", "url": one.url or ""} for one in contact.parcels
        ],
        "totals": {name: write_amount(contact.totals.get(name)) for name in TOTALS},
    }


def write_amount(amount: StatedAmount | None) -> str:
    """Write an amount for people; one that is not stated or not decided is empty, never 0."""
    if amount is None or amount.amount is None:
        return ""
    return f"{Decimal(amount.amount):,f}"
