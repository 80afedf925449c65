"""Finds orders for callers: by what they are, by their numbers, by their buyers' digests."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from hanro.db import Transaction
from hanro.marketplace.keys import parts_of
from order_svc.domain.spans import Span, spans_of
from order_svc.domain.terms import BuyerKind, term
from order_svc.store import acks, mappings
from order_svc.store.order_rows import READ, READ_WITHOUT_SHEET, StoredOrder, stored_of

# The last operation of its kind about the order failed: what was tried again and worked is no error any more.
_LAST_FAILED = """
    failed.status in ('rejected', 'in_doubt') and failed.kind = any({}::text[]) and not exists (
        select 1 from operations newer where newer.subject_id = failed.subject_id and newer.kind = failed.kind
            and newer.id > failed.id
    )
"""
_HAS_ERROR = f"""
    id in (select id from orders where is_quarantined
        union select subject_id from operations failed where {_LAST_FAILED})
"""  # noqa: S608  texts of ours
_HAS_NO_ERROR = f"""
    not is_quarantined and not exists (select from operations failed where subject_id = orders.id and {_LAST_FAILED})
"""
_HAS_SKU = "kind = 'sku' and value = {}"
# As text: a key may hold what no text of the database can.
_HAS_KEY = "exists (select from json_each(line -> 'keys') one where lower(one.value::text) = {})"
_SAME_LINE = f"exists (select from json_array_elements(document -> 'lines') line where {_HAS_KEY} and {_HAS_KEY})"

Condition = tuple[str, Sequence[object]]
"""A text of ours with `{}` for each value, and the values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Narrow a list of orders; None narrows nothing.

    `sku` and `tracking_number` are in the form of `domain.terms`; a SKU is found as the marketplace states it, and by
    what is mapped to it. `buyer` is a kind and its digest. `has_error`: it cannot be read, or the last operation of one
    of `effects` failed. `unacknowledged_by` names a known consumer.
    """

    account_ids: Sequence[str] | None = None
    statuses: Sequence[str] | None = None
    work_state: str | None = None
    external_id: str | None = None
    is_quarantined: bool | None = None
    is_test: bool | None = None
    has_error: bool | None = None
    effects: Sequence[str] = ()
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    decide_before: datetime | None = None
    changed_from: datetime | None = None
    changed_to: datetime | None = None
    sku: str | None = None
    tracking_number: str | None = None
    buyer: tuple[BuyerKind, bytes] | None = None
    unacknowledged_by: str | None = None


async def list_orders(
    tx: Transaction, wanted: Filter, *, before_id: str | None, limit: int, has_sheets: bool = False
) -> list[StoredOrder]:
    """Give orders, the last one found first, at most `limit`; `before_id` goes on behind a page.

    Without `has_sheets` their sheets are empty: they are to be shown, never to be stored.
    """
    if wanted.unacknowledged_by is not None:
        newest = await acks.find_newest(tx, wanted.unacknowledged_by)
        if newest is None:
            return []
        # What waits may be the oldest of very many: no list begins before the newest of it.
        before_id = min(before_id or _behind(newest), _behind(newest))
    spans = spans_of(
        placed_from=wanted.placed_from, placed_to=wanted.placed_to, changed_to=wanted.changed_to, before_id=before_id
    )
    keys = [] if wanted.sku is None else await mappings.list_keys_of(tx, wanted.sku, wanted.account_ids)
    ways = [
        [*_span(span), *_conditions(wanted, span, limit), *way]
        for span in spans
        for way in _ways_to(wanted.sku, keys, span)
    ]
    values: list[object] = []
    if len(ways) > 1:
        # Each way stops at its own end of a page: one that very many orders fit costs no more than another.
        pages = [_page("select id from orders", said, limit, values) for said in ways]
        ways = [[(f"id in (({') union all ('.join(pages)}))", ())]]
    rows = await tx.fetch(_page(READ if has_sheets else READ_WITHOUT_SHEET, ways[0], limit, values), *values)
    return [stored_of(row) for row in rows]


def _behind(order_id: str) -> str:
    # Ids are all of one length: none lies between.
    return order_id + "0"


def _page(read: str, said: Sequence[Condition], limit: int, values: list[object]) -> str:
    # Only what narrows is said: the planner then sees which index serves.
    texts = [_numbered(text, of_it, values) for text, of_it in said]
    values.append(limit)
    return f"{read} {'where' if texts else ''} {' and '.join(texts)} order by id desc limit ${len(values)}"


def _numbered(text: str, of_it: Sequence[object], values: list[object]) -> str:
    """Put numbers where a condition has `{}`, and its values behind those that are there."""
    first = len(values) + 1
    values.extend(of_it)
    return text.format(*(f"${first + place}" for place in range(len(of_it))))


def _span(span: Span, column: str = "id") -> Iterator[Condition]:
    if span.is_apart and column == "id":
        yield "is_placed_apart", ()
    if span.first is not None:
        yield f"{column} >= {{}}", [span.first]
    if span.end is not None:
        yield f"{column} < {{}}", [span.end]


def _in(table: str, said: Condition, span: Span) -> Condition:
    """Say that an order stands in a table, of which no more is read than the span."""
    text, values = _ids(table, said, span)
    return f"id in ({text})", values


def _ids(table: str, said: Condition, span: Span) -> Condition:
    both = [said, *_span(span, "order_id")]
    text = f"select order_id from {table} where {' and '.join(text for text, _ in both)}"  # noqa: S608  texts of ours
    return text, [value for _, values in both for value in values]


def _ways_to(sku: str | None, keys: Sequence[tuple[str, list[str]]], span: Span) -> Iterator[list[Condition]]:
    """Yield what finds orders of a SKU: a line states it as a key of the seller's, or has the keys that it sells by."""
    if sku is None:
        yield []
        return
    yield [_in("order_terms", (_HAS_SKU, [sku]), span)]
    for key, accounts in keys:
        parts = parts_of(key)
        terms = [term("sku", part) for part in parts]
        if sku not in terms:
            way: list[Condition] = [("account_id = any({}::text[])", [accounts])]
            way += [_in("order_terms", (_HAS_SKU, [one]), span) for one in terms]
            # Both of one line, and not of two.
            if len(parts) > 1:
                way.append((_SAME_LINE, [json.dumps(part, ensure_ascii=False).lower() for part in parts]))
            yield way


def _waiting(consumer: str, wanted: Filter, span: Span, limit: int) -> Condition:
    """Say that an order waits for a consumer; where nothing else narrows, its list itself tells where the page ends.

    A page of each account is read then, by index: what waits may be the oldest of very many, and others' may wait too.
    """
    accounts, of_all = wanted.account_ids, ("consumer = {}", [consumer])
    if wanted != Filter(account_ids=accounts, effects=wanted.effects, unacknowledged_by=consumer):
        mine = ("consumer = {} and account_id = any({}::text[])", [consumer, accounts])
        return _in("unacknowledged", of_all if accounts is None else mine, span)
    end = "order by order_id desc limit {}"
    if accounts is None:
        text, values = _ids("unacknowledged", of_all, span)
        return f"id in ({text} {end})", [*values, limit]
    text, values = _ids("unacknowledged", ("consumer = {} and account_id = mine.id", [consumer]), span)
    pages = f"unnest({{}}::text[]) mine (id) cross join lateral ({text} {end}) page"
    return f"id in (select order_id from {pages})", [accounts, *values, limit]  # noqa: S608  texts of ours


def _conditions(wanted: Filter, span: Span, limit: int) -> Iterator[Condition]:
    """Yield what narrows the list: a text of ours with a place for each value, and the values."""
    said: tuple[tuple[str, object], ...] = (
        ("account_id = any({}::text[])", _listed(wanted.account_ids)),
        ("status = any({}::text[])", _listed(wanted.statuses)),
        ("work_state = {}", wanted.work_state),
        ("external_id = {}", wanted.external_id),
        ("placed_at >= {}", wanted.placed_from),
        ("placed_at < {}", wanted.placed_to),
        ("decide_by < {}", wanted.decide_before),
        ("changed_at >= {}", wanted.changed_from),
        ("changed_at < {}", wanted.changed_to),
    )
    yield from ((text, [value]) for text, value in said if value is not None)
    # A flag that stands in the text lets an index serve that holds those rows alone.
    for name, flag in (("is_quarantined", wanted.is_quarantined), ("is_test", wanted.is_test)):
        if flag is not None:
            yield name if flag else f"not {name}", ()
    if wanted.tracking_number is not None:
        yield _in("order_terms", ("kind = 'tracking' and value = {}", [wanted.tracking_number]), span)
    if wanted.unacknowledged_by is not None:
        yield _waiting(wanted.unacknowledged_by, wanted, span, limit)
    if wanted.buyer is not None:
        yield _in("buyer_terms", ("kind = {} and digest = {}", wanted.buyer), span)
    if wanted.has_error is not None:
        yield _HAS_ERROR if wanted.has_error else _HAS_NO_ERROR, [list(wanted.effects)]


def _listed(found: Sequence[str] | None) -> list[str] | None:
    return None if found is None else list(found)
