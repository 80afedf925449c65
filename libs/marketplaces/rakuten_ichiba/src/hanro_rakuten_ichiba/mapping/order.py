"""Maps one OrderModel to the sighting that order-svc reconciles; a bad order becomes an UnreadableOrder alone."""

from collections.abc import Iterable
from datetime import datetime

from hanro.errors import ContractBroken
from hanro.marketplace.types import (
    AddressKind,
    Amount,
    Detail,
    Hold,
    Line,
    Moment,
    OrderRef,
    OrderStatus,
    OrderTime,
    Package,
    SeenOrder,
    Sighting,
    Totals,
    UnreadableOrder,
)
from hanro_rakuten_ichiba.decoding import Fragment
from hanro_rakuten_ichiba.mapping.checks import find_differences
from hanro_rakuten_ichiba.mapping.claims import read_claims
from hanro_rakuten_ichiba.mapping.fields import (
    Misread,
    Tree,
    each,
    flag,
    moment,
    optional_moment,
    optional_text,
    stated,
    text,
)
from hanro_rakuten_ichiba.mapping.packages import Standing, read_destinations, read_standing, social_gift_of
from hanro_rakuten_ichiba.mapping.people import read_buyer, read_gift, read_wish
from hanro_rakuten_ichiba.mapping.sums import (
    read_discounts,
    read_payments,
    read_taxes,
    read_totals,
    read_wrappings,
)

_PRE_ORDER = "6"
LACKS = frozenset({Detail.PAYMENT})
_NOTES = ("remarks", "memo", "operator", "mailPlugSentence")
DETAILS = (
    "orderProgress",
    "subStatusId",
    "subStatusName",
    "orderFixDatetime",
    "cancelDueDate",
    "shippingTerm",
    "socialGiftFlag",
    "severalSenderFlag",
    "equalSenderFlag",
    "isolatedIslandFlag",
    "rakutenMemberFlag",
    "carrierCode",
    "emailCarrierCode",
    "orderType",
    "reserveNumber",
    "reserveDeliveryCount",
    "cautionDisplayType",
    "cautionDisplayDetailType",
    "rakutenConfirmFlag",
    "paymentChargeTaxRate",
    "couponAllTotalPrice",
    "couponShopPrice",
    "couponOtherPrice",
    "asurakuFlag",
    "drugFlag",
    "dealFlag",
    "membershipType",
    "modifyFlag",
    "receiptIssueCount",
    "deliveryCertPrgFlag",
    "oneDayOperationFlag",
)


def map_order(fragment: Fragment, seen_at: datetime) -> Sighting:
    """Map an order of getOrder version 10; what is not as documented makes it unreadable, never a default.

    Source: rakuten-ichiba-orders 5, 7, 8.
    """
    tree = fragment.tree if isinstance(fragment.tree, dict) else {}
    try:
        _check_characters(fragment.raw, tree)
        return map_tree(tree, fragment.raw, seen_at)
    except Misread as error:
        failure = ContractBroken(f"an order is not as documented: {error}", code="unreadable", field=error.pointer)
    except ContractBroken as error:
        failure = error
    number = tree.get("orderNumber")
    is_named = isinstance(number, str) and bool(number) and number.isprintable()
    return UnreadableOrder(
        external_id=number if is_named and isinstance(number, str) else None,
        seen_at=seen_at,
        failure=failure,
        raw=fragment.raw,
    )


def map_tree(order: Tree, raw: bytes, seen_at: datetime, *, lacks: frozenset[Detail] = LACKS) -> SeenOrder:
    """Map a decoded OrderModel whose numbers are texts; `lacks` is what it cannot tell.

    Raises:
        Misread: a member is not as documented.
        ContractBroken: orderProgress is in no cell of the table (unknown-status).
    """
    number = text(order, "orderNumber")
    if not number:
        raise Misread("/orderNumber", "is empty")
    standing = read_standing(order)
    placed = moment(order, "orderDatetime")
    destinations = read_destinations(order, standing)
    lines = tuple(line for destination in destinations for line in destination.lines)
    packages = tuple(destination.package for destination in destinations)
    socials = each(order, "PackageModelList", social_gift_of)
    totals = read_totals(order, is_goods_tax_included=_is_tax_included(lines))
    taxes, discounts, wrappings = read_taxes(order), read_discounts(order), read_wrappings(order)
    ref = OrderRef(external_id=number, line_ids=tuple(line.external_id for line in lines), placed_at=placed.at)
    if len(set(ref.line_ids)) < len(ref.line_ids):
        raise Misread("/PackageModelList", "names an item twice")
    return SeenOrder(
        external_id=number,
        seen_at=seen_at,
        placed=placed,
        has_all_lines=True,
        lacks=lacks,
        lines=lines,
        packages=packages,
        buyer=read_buyer(order),
        totals=totals,
        taxes=taxes,
        discounts=discounts,
        payments=read_payments(order),
        wrappings=wrappings,
        gift=read_gift(order, next((social for social in socials if social is not None), None)),
        wish=read_wish(order),
        claims=read_claims(order, ref, standing.status),
        holds=_holds(order, standing, totals, packages, (row.gross for row in taxes)),
        times=_times(order),
        differences=find_differences(
            order,
            totals,
            lines=lines,
            packages=tuple(destination.package for destination in destinations if not destination.is_gone),
            wrappings=wrappings,
            discounts=discounts,
            taxes=taxes,
        ),
        notes=stated(order, *_NOTES),
        details=stated(order, *DETAILS),
        raw=raw,
    )


def _holds(
    order: Tree, standing: Standing, totals: Totals, packages: tuple[Package, ...], more: Iterable[Amount]
) -> frozenset[Hold]:
    """Say why not to accept or ship now. Source: rakuten-ichiba-orders 2, 5.2, 5.6, 7.3, 8.2."""
    sums = [totals.goods, totals.postage, totals.cash_on_delivery_fee, totals.payment_fee, totals.total, totals.payable]
    for package in packages:
        sums += (package.postage, package.cash_on_delivery_fee)
    holds = {
        Hold.AMOUNT: any(amount is not None and amount.money is None for amount in (*sums, *more)),
        Hold.PAYMENT: standing.status is OrderStatus.ACCEPTED,
        Hold.CHANGE: standing.status is OrderStatus.ON_HOLD,
        Hold.CHECK: flag(order, "rakutenConfirmFlag"),
        Hold.PREORDER: optional_text(order, "orderType") == _PRE_ORDER,
        Hold.ADDRESS: any(
            package.address is not None and package.address.kind is AddressKind.AWAITED for package in packages
        ),
    }
    return frozenset(hold for hold, is_on in holds.items() if is_on)


def _times(order: Tree) -> dict[OrderTime, Moment]:
    known = {
        OrderTime.ACCEPTED: "shopOrderCfmDatetime",
        OrderTime.RELEASED: "shippingInstDatetime",
        OrderTime.REPORTED: "shippingCmplRptDatetime",
    }
    found = {time: optional_moment(order, key) for time, key in known.items()}
    return {time: at for time, at in found.items() if at is not None}


def _is_tax_included(lines: tuple[Line, ...]) -> bool | None:
    """Tell whether goods hold their tax; None where some lines do and some do not."""
    said = {line.is_tax_included for line in lines}
    return said.pop() if len(said) == 1 else None


def _check_characters(raw: bytes, tree: Tree) -> None:
    r"""Refuse lone surrogates: JSON can spell them (`\ud800`), but no database and no mail can hold them."""
    if not _has_unit(raw):
        return
    try:
        _encode_all(tree)
    except UnicodeEncodeError:
        raise Misread("", "holds half a character") from None


def _has_unit(raw: bytes) -> bool:
    r"""Tell whether JSON spells a UTF-16 unit (`\u`): one byte at a time is looked for much faster than two."""
    at = raw.find(b"\\")
    while at >= 0:
        if raw.startswith(b"u", at + 1):
            return True
        at = raw.find(b"\\", at + 2)
    return False


def _encode_all(node: object) -> None:
    match node:
        case str():
            node.encode()
        case dict():
            for key, member in node.items():
                _encode_all(key)
                _encode_all(member)
        case list():
            for member in node:
                _encode_all(member)
        case _:
            pass
