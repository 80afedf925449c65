"""Maps an order of the sandbox to what hanro calls one; pure."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from hanro.errors import ContractBroken
from hanro.marketplace.types import (
    Claim,
    ClaimKind,
    ClaimStage,
    Detail,
    Discount,
    DiscountKind,
    Gift,
    Hold,
    Line,
    Moment,
    OrderRef,
    OrderStatus,
    OrderTime,
    Package,
    Parcel,
    Party,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    SeenOrder,
    Sighting,
    TaxRow,
    Totals,
    UnreadableOrder,
    Wish,
)
from hanro_sandbox.client import Fragment
from hanro_sandbox.declared.keys import CARRIERS, LISTING, STATUSES, VARIANT
from hanro_sandbox.fields import (
    Misread,
    Tree,
    amount,
    child,
    each,
    moment,
    optional_amount,
    optional_child,
    optional_day,
    optional_moment,
    optional_text,
    text,
    whole,
    within,
)
from hanro_sandbox.people import address_of, buyer_of
from hanro_sandbox.sums import differences

_KINDS = {"coupon": DiscountKind.COUPON, "points": DiscountKind.POINTS, "refund": DiscountKind.PROMOTION}
_STAGES = {
    "requested": ClaimStage.REQUESTED,
    "running": ClaimStage.RUNNING,
    "done": ClaimStage.DONE,
    "refused": ClaimStage.WITHDRAWN,
}
_TIMES = {
    "paid_at": OrderTime.PAID,
    "accepted_at": OrderTime.ACCEPTED,
    "shipped_at": OrderTime.SHIPPED,
    "delivered_at": OrderTime.DELIVERED,
}
# What a line says beside what hanro knows of every line; `verify` reads it again.
_LINE_DETAILS = ("answer", "shipped", "cancelled")
_OPEN_STAGES = frozenset({ClaimStage.REQUESTED, ClaimStage.RUNNING})


def map_order(fragment: Fragment, seen_at: datetime) -> Sighting:
    """Map one order; one that is not as documented is kept with its bytes. Source: README, Orders."""
    tree = fragment.tree if isinstance(fragment.tree, dict) else {}
    try:
        return _map(tree, fragment.raw, seen_at)
    except Misread as error:
        failure = ContractBroken(f"an order is not as documented: {error}", code=error.code, field=error.pointer)
    order_id = tree.get("id")
    return UnreadableOrder(
        external_id=order_id if isinstance(order_id, str) else None, seen_at=seen_at, failure=failure, raw=fragment.raw
    )


def _map(order: Tree, raw: bytes, seen_at: datetime) -> SeenOrder:
    order_id = text(order, "id")
    lines = each(order, "lines", _line)
    if not lines:
        raise Misread("lines", "is empty")
    claims = each(order, "claims", lambda claim: _claim(claim, order_id))
    paid = optional_child(order, "payment")
    seen = SeenOrder(
        external_id=order_id,
        seen_at=seen_at,
        placed=moment(order, "placed_at"),
        has_all_lines=True,
        lacks=frozenset({Detail.PAYMENT} if paid is None else ()),
        lines=lines,
        packages=each(order, "packages", _package),
        buyer=within(order, "buyer", buyer_of),
        totals=within(order, "totals", _totals),
        taxes=each(order, "taxes", _tax),
        discounts=each(order, "discounts", _discount),
        payments=() if paid is None else (_payment(paid),),
        gift=_gift(optional_child(order, "gift")),
        wish=_wish(optional_child(order, "wish")),
        claims=claims,
        holds=_holds(order, lines, claims),
        times=_times(order),
        notes={"remarks": text(order, "remarks")},
        details={"changed_at": text(order, "changed_at")},
        is_test=order.get("is_test") is True,
        raw=raw,
    )
    return differences(seen)


def _line(line: Tree) -> Line:
    state = text(line, "state")
    if state not in STATUSES:
        raise Misread("state", "is not documented", code="unknown-status")
    deadline = optional_moment(line, "decide_by")
    details = {name: text(line, name) for name in _LINE_DETAILS if line.get(name) is not None}
    return Line(
        external_id=text(line, "id"),
        package_id=text(line, "package"),
        keys={LISTING: text(line, "listing"), VARIANT: text(line, "variant")},
        title=text(line, "title"),
        options_text=optional_text(line, "options"),
        quantity=whole(line, "quantity"),
        status=STATUSES[state],
        status_text=state,
        unit_price=amount(line, "unit_price"),
        is_tax_included=True,
        tax_rate=Decimal(whole(line, "tax_percent")) / 100,
        total=amount(line, "total"),
        decide_by=deadline.at if deadline is not None and state == "new" else None,
        ship_by=optional_day(line, "ship_by"),
        details=details,
    )


def _package(package: Tree) -> Package:
    return Package(
        external_id=text(package, "id"),
        address=within(package, "recipient", address_of),
        parcels=each(package, "parcels", _parcel),
        postage=amount(package, "postage"),
        cash_on_delivery_fee=None,
        total=None,
        details={},
    )


def _parcel(parcel: Tree) -> Parcel:
    carrier = text(parcel, "carrier")
    return Parcel(
        external_id=text(parcel, "id"),
        carrier_code=None if carrier == CARRIERS.other_value else carrier,
        carrier_text=carrier,
        number=optional_text(parcel, "number"),
        shipped_on=optional_day(parcel, "shipped_on"),
        url=optional_text(parcel, "url"),
    )


def _totals(totals: Tree) -> Totals:
    return Totals(
        goods=amount(totals, "goods"),
        postage=amount(totals, "postage"),
        cash_on_delivery_fee=None,
        payment_fee=amount(totals, "fee"),
        buyer_fee=None,
        seller_fee=amount(totals, "seller_fee"),
        total=amount(totals, "total"),
        payable=amount(totals, "payable"),
        payout=amount(totals, "payout"),
        is_goods_tax_included=True,
    )


def _tax(row: Tree) -> TaxRow:
    rate = Decimal(whole(row, "percent")) / 100
    return TaxRow(rate=rate, gross=amount(row, "gross"), tax=amount(row, "tax"), details={})


def _discount(row: Tree) -> Discount:
    kind = _KINDS.get(text(row, "kind"))
    if kind is None:
        raise Misread("kind", "is not documented")
    return Discount(
        kind=kind,
        paid_by=_party(row, "paid_by"),
        amount=amount(row, "amount"),
        name=text(row, "name"),
        code=optional_text(row, "code"),
        line_id=optional_text(row, "line"),
    )


def _party(tree: Tree, key: str) -> Party:
    try:
        return Party(text(tree, key))
    except ValueError:
        raise Misread(key, "is not documented") from None


def _payment(paid: Tree) -> Payment:
    is_paid = text(paid, "status") == "paid"
    return Payment(
        method=text(paid, "method"),
        code=optional_text(paid, "code"),
        status=PaymentStatus.PAID if is_paid else PaymentStatus.OPEN,
        is_run_by_marketplace=True,
        amount=amount(paid, "amount"),
        external_id=text(paid, "id"),
        refunds=each(paid, "refunds", _refund),
        details={},
    )


def _refund(refund: Tree) -> Refund:
    state = text(refund, "state")
    if state != "done":
        raise Misread("state", "is not documented")
    return Refund(
        amount=amount(refund, "amount"),
        status=RefundStatus.DONE,
        status_text=state,
        requested=optional_moment(refund, "asked_at"),
        completed=optional_moment(refund, "at"),
        details={},
    )


def _gift(gift: Tree | None) -> Gift | None:
    return None if gift is None else Gift(is_wished=True, note=optional_text(gift, "note"))


def _wish(wish: Tree | None) -> Wish | None:
    if wish is None:
        return None
    day, band = optional_day(wish, "day"), optional_text(wish, "band")
    return Wish(day=day, band_text=band, earliest=None, latest=None, method=None, cold_chain=None)


def _claim(claim: Tree, order_id: str) -> Claim:
    stage, kind = _STAGES.get(text(claim, "stage")), text(claim, "kind")
    if stage is None or kind not in {one.value for one in ClaimKind}:
        raise Misread("kind", "or stage is not documented")
    return Claim(
        external_id=text(claim, "id"),
        kind=ClaimKind(kind),
        stage=stage,
        status_text=text(claim, "stage"),
        order=OrderRef(external_id=order_id),
        line_id=optional_text(claim, "line"),
        quantity=None if claim.get("quantity") is None else whole(claim, "quantity"),
        by=_party(claim, "by"),
        reason=text(claim, "reason"),
        requested=optional_moment(claim, "requested_at"),
        completed=optional_moment(claim, "completed_at"),
        amount=optional_amount(claim, "amount"),
    )


def _holds(order: Tree, lines: tuple[Line, ...], claims: tuple[Claim, ...]) -> frozenset[Hold]:
    found = set()
    if amount(child(order, "totals"), "total").money is None:
        found.add(Hold.AMOUNT)
    if any(line.status is OrderStatus.PENDING for line in lines):
        found.add(Hold.PAYMENT)
    if any(line.status is OrderStatus.ON_HOLD for line in lines):
        found.add(Hold.CHECK)
    if any(claim.stage in _OPEN_STAGES for claim in claims):
        found.add(Hold.CLAIM)
    return frozenset(found)


def _times(order: Tree) -> Mapping[OrderTime, Moment]:
    found = {time: optional_moment(order, name) for name, time in _TIMES.items()}
    return {time: at for time, at in found.items() if at is not None}
