"""The list of orders at a million, through the service's own application: first page, filters, pairs, every search."""

import itertools
import json
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import filled
from bars_export import export
from bars_ingest import open_shop, pages_of, take_in
from bench_order import Asking, opened
from bench_places import Places, run
from bench_table import Row, limit, ratio
from starlette.requests import Request
from starlette.responses import Response

from hanro.service import Parts
from hanro.testing.callers import fixed_keyring
from hanro_local.databases import SchemaUrls
from order_svc import buyers
from order_svc.domain.terms import BuyerKind

ORDERS = 1_000_000
REPETITIONS = 5
# A statement that was prepared is planned anew for each of its first five runs, and perhaps never again.
WARM = 6
LONGEST_MS = 300.0
PAGE, LARGEST = 50, 200
PATH = "/v1/orders"
MANY, FEW, NOBODY, PHONE = "見本 花子", "見本 太郎", "無名 一", "03-0000-0000"
FILTERS: Final = {
    "account": "account_id=acc_3",
    "shop": "shop_id=shp_1",
    "open": "status=new&status=accepted",
    "closed": "status=completed",
    "no such status": "status=on_hold",
    "work": "work_state=new",
    "work over": "work_state=shipped",
    "no such work": "work_state=cancelled",
    "quarantined": "is_quarantined=true",
    "failed": "has_error=true",
    "not failed": "has_error=false",
    "test": "is_test=true",
    "no test": "is_test=false",
    "newest day": "placed_from=2026-05-10T03:00:00Z",
    "oldest day": "placed_to=2026-05-01T00:00:00Z",
    "changed lately": "changed_from=2026-05-10T03:00:00Z",
    "changed long ago": "changed_to=2026-05-01T00:00:00Z",
    "to be decided": "decide_before=2027-01-01T00:00:00Z",
    "not acknowledged": "unacknowledged_by=erp",
    "hardly acknowledged": "unacknowledged_by=wms",
    "not by one that catches up": "unacknowledged_by=oms",
    "not by one of a shop": "unacknowledged_by=pos",
    "not by a new system": "unacknowledged_by=late",
}
SEARCHES: Final = {
    "order number": "external_id=past-777777",
    "no such number": "external_id=nothing",
    "SKU as stated": "sku=tea-7",
    "SKU of every order": "sku=normal-inventory",
    "mapped SKU": "sku=sku-7",
    "no such SKU": "sku=nothing",
    "tracking number": "tracking_number=777777",
    "no such tracking number": "tracking_number=9",
}


def lists(places: Places, count: int = ORDERS, repetitions: int = REPETITIONS) -> list[Row]:
    """Give the first page as a ratio to the same rows from one bare query, and the slowest of each kind of question.

    Then a quarter of the orders leave as files, which needs as many of them.
    """
    urls = places.database("orders")
    admin = urlsplit(places.admin_url)._replace(path=urlsplit(urls.runtime).path).geturl()
    return [*run(_measure(urls, admin, count, repetitions)), *export(urls)]


async def _measure(urls: SchemaUrls, admin: str, count: int, repetitions: int) -> list[Row]:
    async with opened(urls.runtime) as (parts, anybody):
        await take_in(parts.db, [await open_shop(parts.db)], pages_of(1))
        await filled.fill(admin, urls, count)
        await _know_buyers(admin, urls, count)
        async with parts.db.begin() as tx:
            deep = str((await tx.fetch("select id from orders order by id offset $1 limit 1", count // 10))[0]["id"])
        staff = anybody.of_shop("shp_2")
        rows = [await _first_page(anybody, urls, repetitions, size=size, count=count) for size in (PAGE, LARGEST)]
        for who in (anybody, staff):
            for kind, queries in {
                "one filter": FILTERS.items(),
                "two filters": _crossed(FILTERS, FILTERS),
                "deep in the list": _behind(parts, FILTERS, deep),
                "a search": SEARCHES.items(),
                "a search and a filter": _crossed(SEARCHES, FILTERS),
                "a search deep in the list": _behind(parts, SEARCHES, deep),
            }.items():
                rows.append(await _slowest(kind, queries, who, repetitions))
            rows.append(await _slowest_buyer(who, repetitions))
        return rows


async def _first_page(asking: Asking, urls: SchemaUrls, repetitions: int, *, size: int, count: int) -> Row:
    """Compare the first page with the bare rows of it, in turns."""
    connection = await asyncpg.connect(urls.runtime, server_settings={"search_path": urls.schema})
    try:
        statement = await connection.prepare("select * from orders order by id desc limit $1")

        async def bare() -> float:
            began = time.perf_counter()
            await statement.fetch(size)
            return time.perf_counter() - began

        pairs = []
        for _ in range(repetitions + 1):
            turns = [(await asking.ask(f"limit={size}", path=PATH), await bare()) for _ in range(20)]
            pairs.append(
                (
                    statistics.median(ours for ours, _ in turns) * 1000,
                    statistics.median(base for _, base in turns) * 1000,
                )
            )
        what = f"first page of {size} of {count:,} orders, against its rows by an index"
        # The bar is the page that is asked for where nothing else is said.
        bars = {"passes": 5.0, "stretch": 3.0} if size == PAGE else {}
        return ratio("lists", what, pairs[1:], **bars, is_at_least=False, unit="ms")
    finally:
        await connection.close()


async def _slowest(kind: str, queries: Iterable[tuple[str, str]], asking: Asking, repetitions: int) -> Row:
    """Ask each question often, one after the other, and give the one whose median is the highest."""
    found: list[tuple[float, str, list[float]]] = []
    for name, query in queries:
        took = [await asking.ask(query, path=PATH) * 1000 for _ in range(WARM + repetitions)][WARM:]
        found.append((statistics.median(took), name, took))
    return _worst(kind, found, asking)


async def _slowest_buyer(asking: Asking, repetitions: int) -> Row:
    """Search for buyers: one whom very many are called like, few, nobody; and a phone."""
    found = []
    for by, text in (("name", MANY), ("name", FEW), ("name", NOBODY), ("phone", PHONE), ("phone", "0")):
        body = json.dumps({"by": by, "text": text}).encode()
        took = [await asking.ask("", path=f"{PATH}:search", body=body) * 1000 for _ in range(WARM + repetitions)][WARM:]
        found.append((statistics.median(took), f"{by} {text}", took))
    return _worst("a buyer", found, asking)


def _worst(kind: str, found: Sequence[tuple[float, str, list[float]]], asking: Asking) -> Row:
    _, name, took = max(found)
    what = f"slowest of {len(found)}, {kind}{asking.who}: {name}"
    return limit("lists", what, took, unit="ms", passes=LONGEST_MS, stretch=LONGEST_MS / 3)


async def _know_buyers(admin: str, urls: SchemaUrls, count: int) -> None:
    """Let one order in fifty be of a name that many have, three of another, and one of a phone."""
    connection = await asyncpg.connect(
        admin, command_timeout=filled.SECONDS, server_settings={"search_path": urls.schema}
    )
    known: Sequence[tuple[BuyerKind, str, int]] = (
        ("name", MANY, 50),
        ("name", FEW, count // 3),
        ("phone", PHONE, count - 1),
    )
    try:
        for kind, text, step in known:
            await connection.execute(
                """
                insert into buyer_terms (kind, digest, order_id)
                select $1, $2, id from (select id, row_number() over (order by id) as n from orders) t where n % $3 = 0
                """,
                *buyers.sought(fixed_keyring(), kind, text),
                step,
            )
        await connection.execute("vacuum analyze buyer_terms")
    finally:
        await connection.close()


def _crossed(some: Mapping[str, str], others: Mapping[str, str]) -> list[tuple[str, str]]:
    """Give every two questions that differ in what they narrow."""
    pairs = (
        itertools.combinations(some.items(), 2) if some is others else itertools.product(some.items(), others.items())
    )
    return [
        (f"{one} and {other}", f"{first}&{second}")
        for (one, first), (other, second) in pairs
        if first.partition("=")[0] != second.partition("=")[0]
    ]


def _behind(parts: Parts, questions: Mapping[str, str], order_id: str) -> list[tuple[str, str]]:
    """Give each question for the page behind an order, as the page before would name it."""
    found = []
    for name, query in questions.items():
        before, answer = (
            Request({"type": "http", "path": PATH, "query_string": query.encode(), "headers": []}),
            Response(),
        )
        parts.cursors.link(before, answer, (order_id,))
        found.append((name, answer.headers["Link"].partition(">")[0].partition("?")[2]))
    return found
