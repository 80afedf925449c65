"""Answers searchOrder: reads the question, refuses what is wrong with it, and pages through what fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.fields import Fields
from hanro_rakuten_ichiba.simulator.filters import Filters, is_in_period, is_wanted
from hanro_rakuten_ichiba.simulator.messages import SEARCH_ORDER, Answer, message
from hanro_rakuten_ichiba.simulator.orders import StoredOrder
from hanro_rakuten_ichiba.simulator.platform_characters import has_platform_characters
from hanro_rakuten_ichiba.simulator.shops import Shop

PROGRESSES = (100, 200, 300, 400, 500, 600, 700, 800, 900)
_DATE_TYPES = (1, 2, 3, 4, 5, 6)
_BY_ORDER_DATE = 1
_ORDER_TYPES = (1, 4, 5, 6)
# 8, points alone, stands in answers and is no filter (7.4).
_METHODS = (1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 14, 16, 17, 21, 27)
_KEYWORD_LENGTHS = {1: 1024, 2: 127, 3: 1000, 4: 254, 5: 254, 6: 254, 7: 40, 8: 96, 9: 400}
_FLAG = (0, 1)
_NO_SUB_STATUS = -1
_DEFAULT_RECORDS, _MOST_RECORDS = 30, 1000
_ASCENDING, _DESCENDING = 1, 2


@dataclass(frozen=True)
class Question:
    """State a search that was understood; times are aware UTC, bounds included."""

    date_type: int
    start: datetime
    end: datetime
    filters: Filters
    records: int
    page: int
    is_ascending: bool


def search_orders(shop: Shop, body: Mapping[str, object], now: datetime, assumptions: Assumptions) -> Answer:
    """Find order numbers. Source: rakuten-ichiba-orders 4.1, 14.4 to 14.6, samples 15.1."""
    fields = Fields(body, SEARCH_ORDER, assumptions)
    question = _read(fields, now, assumptions)
    if question is None:
        return Answer(
            400, {"orderNumberList": None, "MessageModelList": fields.messages(), "PaginationResponseModel": None}
        )
    found = [order.number for order in _find(shop, question)]
    if not found:
        nothing = {"totalRecordsAmount": None, "totalPages": None, "requestPage": None}
        return _answer([], "INFO_102", nothing)
    if not question.is_ascending:
        found.reverse()
    first = (question.page - 1) * question.records
    shown = found[: assumptions.reach][first : first + question.records]
    pages = -(-len(found) // question.records)
    total = {"totalRecordsAmount": len(found), "totalPages": pages, "requestPage": question.page}
    return _answer(shown, "INFO_101", total)


def _answer(numbers: list[str], suffix: str, pagination: Mapping[str, object]) -> Answer:
    entries = [message(SEARCH_ORDER, suffix)]
    value = {"orderNumberList": numbers, "MessageModelList": entries, "PaginationResponseModel": pagination}
    return Answer(200, value)


def _find(shop: Shop, question: Question) -> list[StoredOrder]:
    """Give what fits, oldest first; an order that hides from this way of asking is left out."""
    filters = question.filters
    way = "open" if filters.progresses else "placed" if question.date_type == _BY_ORDER_DATE else None
    if question.date_type == _BY_ORDER_DATE:
        candidates = shop.orders.between(question.start, question.end)
    else:
        candidates = (
            order for order in shop.orders if is_in_period(order, question.date_type, question.start, question.end)
        )
    return [order for order in candidates if way not in order.hidden_from and is_wanted(order, filters)]


def _read(fields: Fields, now: datetime, assumptions: Assumptions) -> Question | None:
    """Read the question; None when something was wrong with it, which `fields` then words."""
    progresses = fields.numbers("orderProgressList", PROGRESSES, most_bytes=128)
    sub_statuses = fields.numbers("subStatusIdList", most_bytes=512)
    if _NO_SUB_STATUS in sub_statuses and not progresses and "orderProgressList" not in fields.malformed:
        fields.missing.append("orderProgressList")
    for key in ("dateType", "startDatetime", "endDatetime"):
        fields.require(key)
    date_type = fields.number("dateType", _DATE_TYPES)
    start, end = fields.moment("startDatetime"), fields.moment("endDatetime")
    filters = _read_filters(fields, progresses, sub_statuses, assumptions)
    records, page, is_ascending = _read_pagination(fields)
    if start is not None and end is not None:
        _check_period(fields, start, end, now, assumptions)
    if date_type is None or start is None or end is None or fields.messages():
        return None
    return Question(date_type, start, end, filters, records, page, is_ascending)


def _read_filters(
    fields: Fields, progresses: tuple[int, ...], sub_statuses: tuple[int, ...], assumptions: Assumptions
) -> Filters:
    filters = Filters(
        progresses=progresses,
        sub_statuses=sub_statuses,
        order_types=fields.numbers("orderTypeList", _ORDER_TYPES, most_bytes=32),
        settlement_method=fields.number("settlementMethod", _METHODS),
        delivery_name=fields.text("deliveryName", most_bytes=192),
        has_no_shipping_date=fields.number("shippingDateBlankFlag", _FLAG) == 1,
        has_no_shipping_number=fields.number("shippingNumberBlankFlag", _FLAG) == 1,
        keyword_type=fields.number("searchKeywordType", (0, *_KEYWORD_LENGTHS)) or 0,
        keyword=fields.text("searchKeyword", most_bytes=4000).strip(),
        is_whole_keyword=assumptions.keyword_match == "whole",
        mail_type=fields.number("mailSendType", (0, 1, 2)) or 0,
        mail_address=fields.text("ordererMailAddress", most_bytes=256),
        phone_type=fields.number("phoneNumberType", (1, 2)),
        phone_number=fields.text("phoneNumber", most_bytes=36),
        reserve_number=fields.text("reserveNumber", most_bytes=382),
        site_type=fields.number("purchaseSiteType", (0, 1, 2, 3, 4)) or 0,
        flags=tuple(
            name
            for name in ("asurakuFlag", "couponUseFlag", "drugFlag", "oneDayOperationFlag")
            if fields.number(name, _FLAG) == 1
        ),
    )
    if has_platform_characters(filters.keyword):
        fields.malformed.append("searchKeyword")
    if filters.phone_number and not (filters.phone_number.isascii() and filters.phone_number.isdecimal()):
        fields.malformed.append("phoneNumber")
    longest = _KEYWORD_LENGTHS.get(filters.keyword_type)
    if longest is not None and len(filters.keyword) > longest:
        fields.beyond.append(f"searchKeyword is longer than {longest} characters")
    return filters


def _read_pagination(fields: Fields) -> tuple[int, int, bool]:
    """Read records a page, page and direction; newest first unless asked otherwise."""
    pagination = fields.part("PaginationRequestModel")
    if pagination is None:
        return _DEFAULT_RECORDS, 1, False
    pagination.require("requestRecordsAmount")
    pagination.require("requestPage")
    records = pagination.number("requestRecordsAmount")
    page = pagination.number("requestPage")
    if records is not None and not 1 <= records <= _MOST_RECORDS:
        fields.beyond.append(f"requestRecordsAmount is not 1 to {_MOST_RECORDS}")
    if page is not None and page < 1:
        fields.beyond.append("requestPage is less than 1")
    is_ascending = False
    for sort in pagination.parts("SortModelList"):
        sort.number("sortColumn", (1,))
        is_ascending = sort.number("sortDirection", (_ASCENDING, _DESCENDING)) == _ASCENDING
    return records or _DEFAULT_RECORDS, page or 1, is_ascending


def _check_period(fields: Fields, start: datetime, end: datetime, now: datetime, assumptions: Assumptions) -> None:
    """Note what is wrong with a period. Source: rakuten-ichiba-orders 14.5, codes [?]."""
    if end < start:
        fields.beyond.append("endDatetime is before startDatetime")
    if end - start > timedelta(days=assumptions.longest_period_days):
        fields.beyond.append(f"the period is longer than {assumptions.longest_period_days} days")
    # Whole seconds, as in all times of the service: a start counted back from now is not late by the way to here.
    if start < now.replace(microsecond=0) - timedelta(days=assumptions.oldest_days):
        fields.beyond.append(f"startDatetime is older than {assumptions.oldest_days} days")
