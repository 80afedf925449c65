"""Reads the shipping rows of a request and puts them into an order, all of them or none."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.code_lists import CARRIERS
from hanro_rakuten_ichiba.simulator.fields import read_number
from hanro_rakuten_ichiba.simulator.japan_time import read_date
from hanro_rakuten_ichiba.simulator.messages import Message, compose
from hanro_rakuten_ichiba.simulator.orders import StoredOrder, Tree, members
from hanro_rakuten_ichiba.simulator.platform_characters import has_platform_characters

UPDATE_ORDERSHIPPING = "UPDATE_ORDERSHIPPING"
_LONGEST_NUMBER = 120
_MISSING, _MALFORMED, _BEYOND = "ERROR_009", "ERROR_011", "ERROR_999"
_TEXTS = {
    "INFO_101": "発送情報の追加設定が完了しました。",
    "INFO_102": "発送情報の更新設定が完了しました。",
    "INFO_103": "発送情報の削除設定が完了しました。",
}


@dataclass(frozen=True)
class Row:
    """State one row of a request: `place` counts from 1 across the baskets of an order, `detail_id` None adds.

    `values` holds the members that are set: what is not there stays, None erases.
    """

    place: int
    basket_id: int
    detail_id: int | None
    is_deletion: bool
    values: Mapping[str, str | None]


@dataclass(frozen=True)
class Fault:
    """State what is wrong, with the row that it is about where it is about one."""

    suffix: str
    text: str
    place: int | None = None
    detail_id: int | None = None

    def message(self, function: str, order_number: str | None = None) -> Message:
        """Word it. Source: rakuten-ichiba-orders 2.1, 15.4."""
        return row_message(function, self.suffix, self.text, self.place, self.detail_id, order_number=order_number)


def row_message(
    function: str,
    suffix: str,
    text: str,
    place: int | None,
    detail_id: int | None,
    *,
    order_number: str | None = None,
) -> Message:
    """Make one entry about a row; both numbers are null where it is about none."""
    return {**compose(function, suffix, text, order_number), "dataNumber": place, "shippingDetailId": detail_id}


def read_rows(baskets: object, assumptions: Assumptions) -> tuple[list[Row], list[Fault]]:
    """Read BasketidModelList; what is missing comes first, then bad formats, then limits, each in the rows' order.

    Source: rakuten-ichiba-orders 4.4, 14.4; that a basket without rows and a deletion without an id are refused, [?].
    """
    rows: list[Row] = []
    faults: list[Fault] = []
    if not isinstance(baskets, list) or not all(isinstance(basket, dict) for basket in baskets):
        return [], [_malformed("BasketidModelList")]
    for basket in baskets:
        basket_id, listed = read_number(basket.get("basketId")), basket.get("ShippingModelList")
        if basket_id is None:
            faults.append(_lacking_or_malformed("basketId", basket.get("basketId")))
        if not isinstance(listed, list) or not listed or not all(isinstance(row, dict) for row in listed):
            faults.append(_lacking_or_malformed("ShippingModelList", listed or None))
            continue
        if len(listed) > assumptions.rows_per_basket:
            faults.append(Fault(_BEYOND, f"(text unknown: more than {assumptions.rows_per_basket} rows in a basket)"))
        for values in listed:
            place = len(rows) + 1
            row, wrong = _read_row(place, basket_id or 0, values)
            rows.append(row)
            faults += wrong
    return rows, sorted(faults, key=lambda fault: fault.suffix)


def _read_row(place: int, basket_id: int, values: Mapping[str, object]) -> tuple[Row, list[Fault]]:
    detail_id, flag = read_number(values.get("shippingDetailId")), values.get("shippingDeleteFlag")
    is_deletion = read_number(flag) == 1
    suffixes = list(_judge(values))
    if detail_id is None and is_deletion and values.get("shippingDetailId") is None:
        suffixes.append((_MISSING, "shippingDetailId"))
    faults = [_fault(suffix, key, place, detail_id) for suffix, key in suffixes]
    taken = {
        key: str(values[key] or "") or None
        for key in ("shippingNumber", "deliveryCompany", "shippingDate")
        if key in values
    }
    return Row(place, basket_id, detail_id, is_deletion, taken), faults


def _judge(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Give suffix and member of each fault; a carrier that is there must have a value. Source: 4.4."""
    detail_id = values.get("shippingDetailId")
    if detail_id is not None and read_number(detail_id) is None:
        yield _MALFORMED, "shippingDetailId"
    if "deliveryCompany" in values:
        carrier = values["deliveryCompany"]
        if carrier in (None, ""):
            yield _MISSING, "deliveryCompany"
        elif str(carrier) not in CARRIERS or isinstance(carrier, bool):
            yield _MALFORMED, "deliveryCompany"
    number = values.get("shippingNumber")
    if number is not None and (not isinstance(number, str) or has_platform_characters(number)):
        yield _MALFORMED, "shippingNumber"
    elif isinstance(number, str) and len(number) > _LONGEST_NUMBER:
        yield _BEYOND, "shippingNumber"
    date = values.get("shippingDate")
    if date not in (None, "") and read_date(date) is None:
        yield _MALFORMED, "shippingDate"
    flag = values.get("shippingDeleteFlag")
    if flag is not None and read_number(flag) not in (0, 1):
        yield _MALFORMED, "shippingDeleteFlag"


def _fault(suffix: str, key: str, place: int | None = None, detail_id: int | None = None) -> Fault:
    texts = {
        _MISSING: f"{key}の項目を指定して下さい。",
        _MALFORMED: f"{key}の書式が不正です。",
        _BEYOND: f"(text unknown: {key} is longer than {_LONGEST_NUMBER} characters)",
    }
    return Fault(suffix, texts[suffix], place, detail_id)


def _malformed(key: str) -> Fault:
    return _fault(_MALFORMED, key)


def _lacking_or_malformed(key: str, value: object) -> Fault:
    return _fault(_MISSING if value in (None, "") else _MALFORMED, key)


def register(order: StoredOrder, rows: Iterable[Row], new_id: Callable[[], int]) -> tuple[list[Message], bool]:
    """Put rows into an order in their order; give one entry each, and whether they were written.

    A row of a destination or with an id that the order has not got is refused, and then nothing is written [?].
    """
    before = [copy.deepcopy(package.get("ShippingModelList")) for package in order.packages()]
    entries: list[Message] = []
    faults: list[Message] = []
    for row in rows:
        package = next((one for one in order.packages() if one.get("basketId") == row.basket_id), None)
        entry = None if package is None else _put(order, package, row, new_id)
        if entry is None:
            lost = "shippingDetailId" if package is not None else "basketId"
            text = f"(text unknown: no such {lost})"
            faults.append(row_message(UPDATE_ORDERSHIPPING, _BEYOND, text, row.place, row.detail_id))
        else:
            entries.append(entry)
    if faults:
        for package, listed in zip(order.packages(), before, strict=True):
            package["ShippingModelList"] = listed
    return faults or entries, not faults


def _put(order: StoredOrder, package: Tree, row: Row, new_id: Callable[[], int]) -> Message | None:
    """Add, change or delete one row; None when there is none of that id."""
    kept = members(package, "ShippingModelList")
    package["ShippingModelList"] = kept
    detail_id = row.detail_id
    if detail_id is None:
        taken = [known.get("shippingDetailId") for known in order.shipping_rows()]
        detail_id = next(number for number in iter(new_id, None) if number not in taken)
        added: Tree = dict.fromkeys(
            ("shippingDetailId", "shippingNumber", "deliveryCompany", "deliveryCompanyName", "shippingDate")
        )
        kept.append(_with(added | {"shippingDetailId": detail_id}, row.values))
        return _told("INFO_101", row, detail_id)
    place = next((index for index, known in enumerate(kept) if known.get("shippingDetailId") == detail_id), None)
    if place is None:
        return None
    if row.is_deletion:
        del kept[place]
        return _told("INFO_103", row, detail_id)
    kept[place] = _with(kept[place], row.values)
    return _told("INFO_102", row, detail_id)


def _with(known: Tree, values: Mapping[str, str | None]) -> Tree:
    changed: Tree = {**known, **values}
    if "deliveryCompany" in values:
        changed["deliveryCompanyName"] = CARRIERS.get(str(values["deliveryCompany"]))
    return changed


def _told(suffix: str, row: Row, detail_id: int) -> Message:
    return row_message(UPDATE_ORDERSHIPPING, suffix, _TEXTS[suffix], row.place, detail_id)
