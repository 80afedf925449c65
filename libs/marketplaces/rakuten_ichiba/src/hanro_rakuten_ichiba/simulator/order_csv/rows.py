"""Writes orders as the order download does: one row for each line, cp932, CRLF.

Source: rakuten-ichiba-orders 13 [wire]; formats of times [?].
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from hanro_rakuten_ichiba.simulator.buyers.money import UNDECIDED
from hanro_rakuten_ichiba.simulator.changing.totals import items_left, packages_left, percent
from hanro_rakuten_ichiba.simulator.fields import read_number
from hanro_rakuten_ichiba.simulator.japan_time import JST, read_moment
from hanro_rakuten_ichiba.simulator.order_csv.columns import COLUMNS
from hanro_rakuten_ichiba.simulator.order_csv.old_columns import OLD_COLUMNS
from hanro_rakuten_ichiba.simulator.orders import StoredOrder, Tree, member, members
from hanro_rakuten_ichiba.simulator.read import goods_tax

Layout = Literal["new", "old"]
_LAYOUTS: Mapping[Layout, Sequence[tuple[str, str]]] = {"new": COLUMNS, "old": OLD_COLUMNS}
_OLD_UNDECIDED = -99999
_OF_SHOP = 1
# Windows has these signs where other tables have those (13 [2+]).
_WINDOWS_SIGNS = str.maketrans({"〜": "～", "−": "－", "‖": "∥", "—": "―"})
_INSTALMENTS_FROM = 100


def write_orders(orders: Iterable[StoredOrder], layout: Layout) -> bytes:
    """Write header and rows, all fields quoted; lines that were deleted are left out [?]."""
    columns = _LAYOUTS[layout]
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([name for name, _ in columns])
    for order in orders:
        for holders in _lines(order.tree):
            writer.writerow([_show(holders, place, layout) for _, place in columns])
    return text.getvalue().translate(_WINDOWS_SIGNS).encode("cp932", errors="replace")


def _lines(tree: Tree) -> Iterator[Mapping[str, Tree]]:
    """Give what each line's row is told from, by holder."""
    rates = {percent(row): row for row in members(tree, "TaxSummaryModelList")}
    shared = {
        "order": tree,
        "orderer": member(tree, "OrdererModel"),
        "settlement": member(tree, "SettlementModel"),
        "delivery": member(tree, "DeliveryModel"),
        "point": member(tree, "PointModel"),
        "wrapping1": member(tree, "WrappingModel1"),
        "wrapping2": member(tree, "WrappingModel2"),
        **{f"tax{rate}": rates.get(rate, {}) for rate in (10, 8, 0)},
    }
    for package in packages_left(tree):
        made = _of_order(tree) | _of_package(package)
        for item in items_left(package):
            sku = next(iter(members(item, "SkuModelList")), {})
            sender = member(package, "SenderModel")
            yield {**shared, "made": made, "package": package, "sender": sender, "item": item, "sku": sku}


def _of_order(tree: Tree) -> Tree:
    """Give what is put together from an order: coupons by who pays them, receipts, due dates, points, birthday."""
    coupons = members(tree, "CouponModelList")
    of_shop = [coupon for coupon in coupons if coupon.get("couponCapitalCode") == _OF_SHOP]
    others = [coupon for coupon in coupons if coupon.get("couponCapitalCode") != _OF_SHOP]
    receipts = tree.get("receiptIssueHistoryList")
    issued = receipts if isinstance(receipts, list) and receipts else [None]
    orderer = member(tree, "OrdererModel")
    birthday = [orderer.get(key) for key in ("birthYear", "birthMonth", "birthDay")]
    # Entries are appended, so that the last of a kind counts (5.14).
    dues = {f"dueDate{due.get('dueDateType')}": due.get("dueDate") for due in members(tree, "DueDateModelList")}
    return {
        "zero": 0,
        "goodsTax": sum(map(goods_tax, packages_left(tree))),
        "firstReceipt": issued[0],
        "lastReceipt": issued[-1],
        "shopCouponCodes": _joined(of_shop, "couponCode", "/"),
        "shopCouponNames": _joined(of_shop, "couponName", " / "),
        "otherCouponCodes": _joined(others, "couponCode", "/"),
        "otherCouponNames": _joined(others, "couponName", " / "),
        "hasPoints": int(bool(member(tree, "PointModel").get("usedPoint"))),
        "birthday": None if None in birthday else "/".join(map(str, birthday)),
        **dues,
    }


def _of_package(package: Tree) -> Tree:
    rows = members(package, "ShippingModelList")
    return {
        "packageTax": goods_tax(package),
        "shippingNumbers": _joined(rows, "shippingNumber", "/"),
        "shippingDate": next((row.get("shippingDate") for row in rows), None),
        "carrier": next((row.get("deliveryCompanyName") for row in rows), None),
    }


def _joined(holders: Iterable[Tree], key: str, between: str) -> str:
    return between.join(str(holder[key]) for holder in holders if holder.get(key))


def _show(holders: Mapping[str, Tree], place: str, layout: Layout) -> str:
    """Give the text of one field; what is absent or null is empty."""
    way, _, form = place.partition("|")
    holder, _, key = way.partition(".")
    value = holders[holder].get(key)
    if value is None:
        return ""
    if form:
        return _FORMS[form](value)
    if layout == "old" and value == UNDECIDED:
        return str(_OLD_UNDECIDED)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _moment(pattern: str) -> Callable[[object], str]:
    def show(value: object) -> str:
        moment = read_moment(value)
        return "" if moment is None else moment.astimezone(JST).strftime(pattern)

    return show


def _instalments(value: object) -> str:
    """Give `3` where the API has `103` (13 [wire])."""
    number = read_number(value)
    return "" if number is None else str(number - _INSTALMENTS_FROM)


_FORMS: Mapping[str, Callable[[object], str]] = {
    "moment": _moment("%Y-%m-%d %H:%M:%S"),
    "day": _moment("%Y-%m-%d"),
    "time": _moment("%H:%M:%S"),
    "count": _instalments,
}
