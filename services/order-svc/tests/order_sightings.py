"""Builds sightings of orders for tests: every one is synthetic."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hanro.errors import ContractBroken
from hanro.marketplace.types import (
    Address,
    Amount,
    Buyer,
    Detail,
    Hold,
    Line,
    Moment,
    OrderStatus,
    OrderTime,
    Package,
    Parcel,
    PersonName,
    SeenOrder,
    Totals,
    UnreadableOrder,
)
from hanro.money import Money
from order_svc.domain.accounts import Account

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAME = "見本 花子"
EMAIL = "m-0001@relay.example.invalid"


def account(
    account_id: str = "acc_1",
    *,
    epoch: int = 1,
    orders_from: datetime | None = None,
    marketplace_id: str = "playground",
) -> Account:
    """Give an account that works."""
    return Account(
        id=account_id,
        version=1,
        epoch=epoch,
        marketplace_id=marketplace_id,
        display_name="見本ストア",
        state="active",
        is_enabled=True,
        reason_code=None,
        credential_version=1,
        orders_from=orders_from,
        shop_ids=("shp_1",),
    )


def yen(amount: int) -> Amount:
    """Give an amount of yen as a marketplace states it."""
    return Amount(text=str(amount), money=Money(Decimal(amount), "JPY"))


def line(
    external_id: str = "1",
    *,
    quantity: int = 1,
    status: OrderStatus = OrderStatus.NEW,
    price: int = 1980,
    options_text: str | None = None,
    **more: Any,
) -> Line:
    """Give one line."""
    return Line(
        external_id=external_id,
        package_id="p1",
        keys={"manage_number": f"tea-{external_id}", "variant_id": "normal-inventory"},
        title="煎茶 ①髙級㈱",
        options_text=options_text,
        quantity=quantity,
        status=status,
        status_text=status.value,
        unit_price=yen(price),
        is_tax_included=True,
        tax_rate=Decimal("0.08"),
        details={},
        **more,
    )


def seen(
    external_id: str = "100001-20260301-0000000001",
    *,
    status: OrderStatus = OrderStatus.NEW,
    lines: tuple[Line, ...] | None = None,
    at: datetime = NOON,
    placed: datetime = NOON - timedelta(minutes=1),
    times: Mapping[OrderTime, Moment] | None = None,
    holds: frozenset[Hold] = frozenset(),
    lacks: frozenset[Detail] = frozenset(),
    has_all_lines: bool = True,
    has_buyer: bool = True,
    note: str = "",
    raw: bytes | None = None,
) -> SeenOrder:
    """Give a sighting; `raw` stands for its bytes, by default what makes it differ from others."""
    shown = lines if lines is not None else (line(status=status),)
    address = Address(
        lines=("東京都見本区見本町1-2-3",), country="JP", postal_code="000-0000", name=PersonName(full=NAME)
    )
    return SeenOrder(
        external_id=external_id,
        seen_at=at,
        placed=Moment(at=placed, local=placed.isoformat()),
        has_all_lines=has_all_lines,
        lacks=lacks,
        lines=shown,
        packages=(
            Package(
                external_id="p1",
                address=address if has_buyer else None,
                parcels=(Parcel(external_id=None, carrier_code="1001", carrier_text="", number=None, shipped_on=None),),
                postage=yen(500),
                cash_on_delivery_fee=None,
                total=None,
                details={},
            ),
        ),
        buyer=Buyer(name=PersonName(full=NAME), address=address, email=EMAIL, is_email_masked=True)
        if has_buyer
        else None,
        totals=Totals(
            goods=yen(1980),
            postage=yen(500),
            cash_on_delivery_fee=None,
            payment_fee=None,
            buyer_fee=None,
            seller_fee=None,
            total=yen(2480),
            payable=None,
            payout=None,
            is_goods_tax_included=True,
        ),
        holds=holds,
        times=times or {},
        notes={"remarks": note} if note else {},
        details={},
        raw=raw if raw is not None else repr((external_id, shown, sorted(holds), note, has_buyer)).encode(),
    )


def unreadable(
    external_id: str | None = "100001-20260301-0000000001", *, at: datetime = NOON, raw: bytes = b"{broken"
) -> UnreadableOrder:
    """Give an order that could not be read."""
    failure = ContractBroken("orderProgress 150 is not documented", code="unknown-status")
    return UnreadableOrder(external_id=external_id, seen_at=at, failure=failure, raw=raw)
