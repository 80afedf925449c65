"""Builds orders to be printed, and prints them: every one is synthetic."""

import io
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pypdf
from order_sightings import NOON, account, seen, yen

from hanro.events.accounts import IssuerNamed
from hanro.marketplace.types import (
    Address,
    Amount,
    Buyer,
    Difference,
    Discount,
    DiscountKind,
    Gift,
    Line,
    OrderStatus,
    Package,
    Party,
    Payment,
    PaymentStatus,
    PersonName,
    SeenOrder,
    TaxRow,
    Totals,
    Wrapping,
)
from hanro.money import Money
from order_svc.documents.printing import Press
from order_svc.domain.accounts import Account
from order_svc.domain.delivery_notes import Subject, write
from order_svc.domain.reconcile import reconcile

REDUCED, STANDARD = Decimal("0.08"), Decimal("0.1")
ISSUER = IssuerNamed(registered_name="見本商事株式会社", number="T7000012050002")
ADDRESS = Address(
    lines=("東京都見本区見本町1-2-3", "見本ビル 405号室"),
    country="JP",
    postal_code="100-0000",
    name=PersonName(full="見本 花子"),
)
NOT_DECIDED = Amount(text="-9999", money=None)


def bought(
    number: str, title: str, *, quantity: int = 1, price: int = 1980, rate: Decimal = STANDARD, **changed: Any
) -> Line:
    """Give a line."""
    said: dict[str, Any] = {
        "external_id": number,
        "package_id": "p1",
        "keys": {"manage_number": f"goods-{number}"},
        "title": title,
        "options_text": None,
        "quantity": quantity,
        "status": OrderStatus.NEW,
        "status_text": "100",
        "unit_price": yen(price),
        "is_tax_included": True,
        "tax_rate": rate,
        "details": {},
    }
    return Line(**(said | changed))


def sent_to(address: Address | None = ADDRESS, *, package_id: str = "p1", noshi: str | None = None) -> Package:
    """Give what goes to one destination."""
    return Package(
        external_id=package_id,
        address=address,
        parcels=(),
        postage=yen(500),
        cash_on_delivery_fee=None,
        total=None,
        noshi=noshi,
        details={},
    )


def totals(**changed: Amount | None) -> Totals:
    """Give sums that a marketplace states."""
    said: dict[str, Any] = {
        "goods": yen(5420),
        "postage": yen(500),
        "cash_on_delivery_fee": yen(330),
        "payment_fee": yen(0),
        "buyer_fee": None,
        "seller_fee": None,
        "total": yen(5920),
        "payable": yen(5650),
        "payout": None,
        "is_goods_tax_included": True,
    }
    return Totals(**(said | changed))


def whole_order(**changed: Any) -> SeenOrder:
    """Give an order that has everything: two rates, options, gift, wrapping, noshi, coupon, points."""
    said: dict[str, Any] = {
        "lines": (
            bought("1", "煎茶 ①髙級㈱ 100g", quantity=2, price=1080, rate=REDUCED, options_text="包装: 缶\n産地: 見本"),
            bought("2", "湯呑み 白磁", price=2980),
        ),
        "packages": (sent_to(noshi="御祝 見本"),),
        "buyer": Buyer(name=PersonName(full="贈 太郎"), address=ADDRESS, email=None, is_email_masked=False),
        "totals": totals(),
        "taxes": (
            TaxRow(rate=REDUCED, gross=yen(2160), tax=yen(160), details={}),
            TaxRow(rate=STANDARD, gross=yen(3790), tax=yen(344), details={}),
        ),
        "discounts": (
            Discount(kind=DiscountKind.COUPON, paid_by=Party.SELLER, amount=yen(300), name="春の見本クーポン"),
            Discount(kind=DiscountKind.POINTS, paid_by=Party.MARKETPLACE, amount=yen(300)),
        ),
        "payments": (
            Payment(
                method="クレジットカード",
                code="1",
                status=PaymentStatus.UNKNOWN,
                is_run_by_marketplace=True,
                details={},
            ),
        ),
        "wrappings": (
            Wrapping(name="桜", kind="包装紙", price=yen(280), tax_rate=STANDARD, tax=yen(25), is_tax_included=True),
        ),
        "gift": Gift(is_wished=True, note="お誕生日おめでとう"),
        "differences": (),
    }
    return replace(seen(), **(said | changed))


def subject_of(order: SeenOrder, **changed: Any) -> Subject:
    """Give what a note is written from, as it would be read back from the tables."""
    linked: Account = replace(account(), **({"issuer": ISSUER} | changed))
    change = reconcile(None, order, account=linked, route="placed", at=NOON)
    assert change is not None
    personal = None if change.personal is None else json.loads(change.personal)
    return Subject(order=change.order, account=linked, stated=json.loads(change.order.sheet), personal=personal)


def off_by(amount: int) -> Difference:
    """Give a sum that does not add up."""
    return Difference(rule="totalPrice", stated=Money(Decimal(5920), "JPY"), computed=Money(Decimal(amount), "JPY"))


async def printed(*orders: SeenOrder, is_invoice: bool = False, **changed: Any) -> bytes:
    """Print orders into one file."""
    return await Press().print([write(subject_of(one, **changed), is_invoice=is_invoice) for one in orders])


def texts(file: bytes) -> list[str]:
    """Give the text of each page."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(file)).pages]


def text_of(file: bytes) -> str:
    """Give the text of all pages, without any blank."""
    return "".join("".join(texts(file)).split())
