"""Describes what the controls of a shop take: what a buyer orders, claims and asks."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from simkit.clock import EARLIEST_YEAR, LATEST_YEAR

State = Literal[
    "pending",
    "new",
    "ready",
    "on_hold",
    "shipped",
    "delivered",
    "cancelling",
    "cancelled",
    "refused",
    "expired",
]
View = Literal["placed", "open", "changed"]


def _check_year(moment: datetime) -> datetime:
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(f"only the years {EARLIEST_YEAR} to {LATEST_YEAR} can be played")
    return moment


PlayedTime = Annotated[AwareDatetime, AfterValidator(_check_year)]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LineWish(_Wish):
    """Describe a line; the first package takes it unless another is named."""

    listing: str = "item-1"
    variant: str = ""
    title: str = "見本の品"
    options: str | None = None
    quantity: int = Field(default=1, ge=1, le=9999)
    unit_price: int = Field(default=1000, ge=0, le=99_999_999)
    tax_percent: Literal[8, 10] = 10
    package: int = Field(default=1, ge=1, le=20)


class DiscountWish(_Wish):
    """Describe a coupon or points."""

    kind: Literal["coupon", "points"] = "coupon"
    paid_by: Literal["seller", "marketplace"] = "marketplace"
    name: str = "見本クーポン"
    amount: int = Field(default=100, ge=0, le=99_999_999)


class OrderWish(_Wish):
    """Describe orders that a buyer places; every field is optional.

    `is_varied` lets the buyer choose lines, packages, discounts and gift; what is given stays. `undecided` leaves the
    postage open, so that the order cannot be accepted. `raw` replaces members of the finished order.
    """

    count: int = Field(default=1, ge=1, le=10_000)
    id: str | None = None
    state: State = "new"
    placed_at: PlayedTime | None = None
    every_seconds: float = Field(default=0, ge=0, le=86_400)
    is_varied: bool = False
    is_undecided: bool = False
    lines: list[LineWish] = Field(default_factory=list, max_length=100)
    packages: int = Field(default=1, ge=1, le=20)
    postage: int = Field(default=500, ge=0, le=99_999_999)
    country: str = Field(default="JP", pattern="^[A-Z]{2}$")
    buyer_text: str | None = Field(default=None, description="Stands in the family name, the street and the remarks.")
    gift: str | None = None
    wish_day: date | None = None
    discounts: list[DiscountWish] = Field(default_factory=list, max_length=20)
    hidden_from: list[View] = Field(default_factory=list)
    raw: dict[str, object] = Field(default_factory=dict)


class Change(_Wish):
    """Describe what happens to an order; each action reads its own fields."""

    state: State | None = Field(default=None, description="set")
    views: list[View] = Field(default_factory=list, description="hide")
    line: str | None = Field(default=None, description="cancel and claims; None: the whole order.")
    quantity: int | None = Field(default=None, ge=1, description="claims; None: all units.")
    reason: str = Field(default="気が変わりました。", description="claims")
    claim: str | None = Field(default=None, description="arrive: a return that comes back.")
    text: str = Field(default="いつ届きますか。", description="ask")


class ShopWish(_Wish):
    """Describe a shop to open."""

    id: str | None = Field(default=None, pattern=r"^[a-z0-9-]{1,32}$")
    name: str | None = None


class KeyChange(_Wish):
    """Describe a new key."""

    active_after_seconds: float = Field(default=0, ge=0, le=86_400, description="issue: refused for so long.")


class NoticeTarget(_Wish):
    """Say where notices of a shop go; None: nowhere."""

    url: str | None = Field(pattern=r"^http://(127\.0\.0\.1|localhost)(:\d+)?/")
