"""Proves that orders are found by what they are, by their numbers and by their buyers, and acknowledged per system."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from order_edge import READ, parts_for, serve
from order_playground import Playground, activated, advanced, count, means_for, prepare, tell
from order_sightings import NAME, NOON, account, line, seen, unreadable

from hanro import operations
from hanro.db import Database
from hanro.marketplace.types import Address, Buyer, OrderStatus, Package, Parcel, PersonName, SeenOrder
from hanro.testing.callers import bearer
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc import buyers
from order_svc.api import consumers, orders
from order_svc.orders import ingest_fetched
from order_svc.poller import Means
from order_svc.store.mappings import Mapped, save_mappings

pytestmark = pytest.mark.schema("orders", prepare)

PERSONAL = bearer("orders:personal")
ACKS = "/v1/consumers/erp/acks"


@pytest.fixture
def means(db: Database) -> Means:
    return means_for(db, Playground(), FixedClock(NOON))


@pytest.fixture
async def client(urls: SchemaUrls) -> AsyncIterator[httpx.AsyncClient]:
    parts = parts_for(urls)
    try:
        async with serve(
            parts,
            orders.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors),
            consumers.make_routes(parts.idempotency),
        ) as made:
            yield made
    finally:
        await parts.close()


async def show(means: Means, *sightings: Any, account_id: str = "acc_1", marketplace_id: str = "playground") -> None:
    """Store orders as a marketplace shows them."""
    of_it = account(account_id, marketplace_id=marketplace_id)
    async with means.db.begin() as tx:
        known = await tx.fetch("select 1 from accounts where id = $1", account_id)
    if not known:
        shop = "shp_1" if account_id == "acc_1" else "shp_2"
        await tell(
            means.db,
            activated(id=account_id, account_id=account_id, shop_ids=(shop,), marketplace_id=of_it.marketplace_id),
        )
    await ingest_fetched(means.db, means.keyring, sightings, account=of_it, plugin=Playground().plugin(), at=NOON)


async def found(client: httpx.AsyncClient, query: str, **headers: str) -> list[str]:
    """Give the numbers of the orders that a list shows, all its pages."""
    numbers: list[str] = []
    target: str | None = f"/v1/orders?limit=2&{query}"
    while target:
        answer = await client.get(target, headers=headers)
        assert answer.status_code == 200, answer.text
        numbers += [one["external_id"] for one in answer.json()["items"]]
        target = answer.links.get("next", {}).get("url")
    return sorted(numbers)


def bought_by(order: SeenOrder, name: str, phone: str) -> SeenOrder:
    """Give an order of this buyer, to be sent to somebody else."""
    receiver = Address(lines=("x",), country="JP", name=PersonName(full="受取 次郎"), phones=("06-1111-2222",))
    buyer = Buyer(name=PersonName(full=name), address=None, email=None, is_email_masked=True, phones=(phone,))
    packages = tuple(replace(one, address=receiver) for one in order.packages)
    return replace(order, buyer=buyer, packages=packages, raw=order.raw + name.encode() + phone.encode())


def sent_as(order: SeenOrder, number: str) -> SeenOrder:
    """Give an order with a parcel of this number."""
    parcel = Parcel(external_id="1", carrier_code="1001", carrier_text="", number=number, shipped_on=None)
    packages: tuple[Package, ...] = tuple(replace(one, parcels=(parcel,)) for one in order.packages)
    return replace(order, packages=packages, raw=order.raw + number.encode())


@pytest.mark.row("O14", kind="walks")
async def test_orders_are_narrowed_by_state_place_time_and_error(means: Means, client: httpx.AsyncClient) -> None:
    await show(
        means,
        seen("new-1"),
        seen("ready-1", status=OrderStatus.READY, placed=NOON - timedelta(days=3)),
        unreadable("bad-1", raw=b"{1"),
        replace(seen("test-1"), is_test=True),
    )
    await show(means, seen("other-1", status=OrderStatus.SHIPPED), account_id="acc_2", marketplace_id="elsewhere")
    for query, numbers in {
        "status=new&status=shipped": ["new-1", "other-1", "test-1"],
        "status=ready": ["ready-1"],
        "work_state=in_progress": ["ready-1"],
        "marketplace_id=elsewhere": ["other-1"],
        "shop_id=shp_1&status=ready": ["ready-1"],
        "shop_id=shp_2": ["other-1"],
        "shop_id=shp_9": [],
        "account_id=acc_2&marketplace_id=playground": [],
        "is_test=true": ["test-1"],
        "is_test=false&account_id=acc_1": ["bad-1", "new-1", "ready-1"],
        "is_quarantined=true": ["bad-1"],
        "has_error=true": ["bad-1"],
        "has_error=false&account_id=acc_1": ["new-1", "ready-1", "test-1"],
        "placed_to=2026-02-28T00:00:00Z": ["ready-1"],
        "changed_from=2999-01-01T00:00:00Z": [],
        "changed_to=2999-01-01T00:00:00Z&external_id=new-1": ["new-1"],
    }.items():
        assert (query, await found(client, query)) == (query, numbers)


@pytest.mark.row("O14", kind="walks")
async def test_orders_of_some_days_are_found_whenever_they_were_found_here(
    means: Means, client: httpx.AsyncClient
) -> None:
    now = datetime.now(UTC)
    await show(
        means, seen("late-1", placed=now - timedelta(days=30)), seen("now-1", placed=now), seen("now-2", placed=now)
    )
    await show(means, seen("late-2", placed=now - timedelta(days=30)), seen("early-1", placed=now + timedelta(days=30)))
    rows = await means.db.run(lambda tx: tx.fetch("select external_id from orders where is_placed_apart order by 1"))
    assert [row[0] for row in rows] == ["early-1", "late-1", "late-2"]

    def day(days: int) -> str:
        return f"{now + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"

    for query, numbers in {
        f"placed_from={day(-1)}": ["early-1", "now-1", "now-2"],
        f"placed_to={day(1)}": ["late-1", "late-2", "now-1", "now-2"],
        f"placed_from={day(-31)}&placed_to={day(-29)}": ["late-1", "late-2"],
        f"placed_from={day(-1)}&placed_to={day(1)}&sku=tea-1": ["now-1", "now-2"],
        f"placed_from={day(-31)}&placed_to={day(31)}": ["early-1", "late-1", "late-2", "now-1", "now-2"],
        f"placed_from={day(29)}&changed_to={day(1)}": ["early-1"],
        f"changed_to={day(-9)}": [],
        f"changed_from={day(-1)}&changed_to={day(1)}&placed_to={day(-1)}": ["late-1", "late-2"],
        "placed_to=9999-12-31T23:59:59Z&placed_from=0001-01-01T00:00:00Z&status=new&external_id=now-1": ["now-1"],
    }.items():
        assert (query, await found(client, query)) == (query, numbers)
    listed = (await client.get(f"/v1/orders?placed_to={day(31)}")).json()["items"]
    assert [one["id"] for one in listed] == sorted((one["id"] for one in listed), reverse=True)


@pytest.mark.row("O14", kind="walks")
async def test_an_effect_that_failed_is_an_error_until_it_was_tried_again(
    means: Means, client: httpx.AsyncClient
) -> None:
    await show(means, seen("n-1"), seen("n-2"))
    order_id = (await client.get("/v1/orders?external_id=n-1")).json()["items"][0]["id"]

    async def asked(status: str) -> None:
        async with means.db.begin() as tx:
            made = await operations.accept(
                tx, kind="ship", subject_id=order_id, account_id="acc_1", asked={}, by="tester"
            )
            await tx.execute("update operations set status = $2 where id = $1", made.id, status)

    await asked("rejected")
    assert await found(client, "has_error=true") == ["n-1"]
    await asked("applied")
    assert await found(client, "has_error=true") == []
    await asked("in_doubt")
    assert await found(client, "has_error=true") == ["n-1"]


@pytest.mark.row("O14", kind="walks")
async def test_an_order_is_found_by_any_of_its_skus_and_its_parcels_number(
    means: Means, client: httpx.AsyncClient
) -> None:
    two = seen("n-1", lines=(line("1"), line("2")))
    await show(means, two, sent_as(seen("n-2", lines=(line("3"),)), "4012-3456-7890"))
    for query, numbers in {
        "sku=tea-2": ["n-1"],
        "sku=TEA-2": ["n-1"],
        "sku=tea-3": ["n-2"],
        "sku=normal-inventory": ["n-1", "n-2"],
        "sku=tea": [],
        "tracking_number=401234567890": ["n-2"],
        "tracking_number=4012-3456-7890&sku=tea-1": [],
    }.items():
        assert (query, await found(client, query)) == (query, numbers)
    await show(means, seen("n-1", lines=(line("1"),), at=NOON + timedelta(seconds=1)))
    assert await found(client, "sku=tea-2") == []


@pytest.mark.row("O14", kind="walks")
async def test_an_order_is_found_by_the_sku_that_one_of_its_lines_is_mapped_to(
    means: Means, client: httpx.AsyncClient
) -> None:
    red = replace(line("1"), keys={"manage_number": "TEA-1", "variant_id": "red"})
    await show(means, seen("n-1", lines=(line("1"), line("2"))), seen("n-2", lines=(line("3"),)))
    # Both keys of one SKU, of two lines.
    await show(means, seen("n-3", lines=(red, line("2"))), seen("n-4", lines=(red,)))
    await show(means, seen("n-5", lines=(red,)), account_id="acc_2")
    async with means.db.begin() as tx:
        for sku, keys in (
            ("Green", ["tea-1", "normal-inventory"]),
            ("ＲＥＤ-01", ["tea-1", "red"]),
            ("tea-2", ["tea-3", ""]),
        ):
            key = json.dumps(keys, separators=(",", ":"))
            await save_mappings(
                tx, [Mapped(account_id="acc_1", account_epoch=1, match_key=key, listing_id=f"lst_{sku}", sku=sku)]
            )
    for query, numbers in {
        "sku=green": ["n-1"],
        "sku=red-01": ["n-3", "n-4"],
        "sku=tea-2": ["n-1", "n-2", "n-3"],
        "sku=tea-2&external_id=n-2": ["n-2"],
        "sku=red-01&account_id=acc_2": [],
        "sku=red&account_id=acc_2": ["n-5"],
        "sku=red-01&status=shipped": [],
    }.items():
        assert (query, await found(client, query)) == (query, numbers)


@pytest.mark.row("O14", kind="walks")
@pytest.mark.row("O16", kind="walks")
async def test_an_order_is_found_by_its_buyers_exact_name_or_phone_until_the_buyer_is_erased(
    means: Means, client: httpx.AsyncClient
) -> None:
    await show(
        means,
        bought_by(seen("n-1"), "見本 花子", "03-1234-5678"),
        bought_by(seen("n-2"), "見本 太郎", "+81 90 1111 2222"),
    )

    async def search(**body: str) -> list[str]:
        answer = await client.post("/v1/orders:search", json=body, headers=PERSONAL)
        assert answer.status_code == 200, answer.text
        return sorted(one["external_id"] for one in answer.json()["items"])

    for body, numbers in (
        ({"by": "name", "text": "見本花子"}, ["n-1"]),
        ({"by": "name", "text": "見本　花子"}, ["n-1"]),
        ({"by": "name", "text": "見本"}, []),
        ({"by": "name", "text": "受取次郎"}, ["n-1", "n-2"]),
        ({"by": "phone", "text": "０３１２３４５６７８"}, ["n-1"]),
        ({"by": "phone", "text": "09011112222"}, ["n-2"]),
        ({"by": "phone", "text": "0312345679"}, []),
    ):
        assert (body, await search(**body)) == (body, numbers)
    order_id = (await client.get("/v1/orders?external_id=n-1")).json()["items"][0]["id"]
    async with means.db.begin() as tx:
        await buyers.erase(tx, order_id, account_ids=None, by="tester")
        texts = await tx.fetch("select t::text from buyer_terms t")
    assert await search(by="name", text="見本花子") == []
    assert NAME not in str(texts)
    await show(means, bought_by(seen("n-1", at=NOON + timedelta(seconds=9), note="x"), "見本 花子", "03-1234-5678"))
    assert await search(by="phone", text="03-1234-5678") == []


@pytest.mark.row("O14", kind="refuses")
async def test_nobody_is_found_by_a_buyer_without_the_scope_or_across_shops_or_without_a_name(
    means: Means, client: httpx.AsyncClient
) -> None:
    await show(means, bought_by(seen("n-1"), "見本 花子", "03-1234-5678"))
    body = {"by": "name", "text": "見本花子"}
    refused = await client.post("/v1/orders:search", json=body, headers=READ)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope-missing")
    stranger = bearer("orders:personal", shops=("shp_9",))
    assert (await client.post("/v1/orders:search", json=body, headers=stranger)).json()["items"] == []
    for wrong in ({}, {"by": "mail", "text": "a"}, {"by": "name", "text": ""}):
        assert (await client.post("/v1/orders:search", json=wrong, headers=PERSONAL)).status_code == 422
    misspelt = await client.get("/v1/orders?buyer_name=x")
    assert (misspelt.status_code, misspelt.json()["errors"][0]["code"]) == (422, "parameter-unknown")


async def versions(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Give id and version of each order by its number."""
    shown = (await client.get("/v1/orders")).json()["items"]
    return {one["external_id"]: {"order_id": one["id"], "version": one["version"]} for one in shown}


@pytest.mark.row("O14", kind="walks")
async def test_what_erp_acknowledged_is_still_there_for_wms_and_comes_back_when_it_changes(
    means: Means, client: httpx.AsyncClient
) -> None:
    first = seen("n-1")
    await show(means, first, seen("n-2"), seen("n-3"))
    known = await versions(client)
    assert await found(client, "unacknowledged_by=erp") == ["n-1", "n-2", "n-3"]
    done = await client.post(ACKS, json={"items": [known["n-1"], known["n-2"]]})
    assert done.status_code == 207
    assert [one["status"] for one in done.json()["items"]] == ["acknowledged", "acknowledged"]
    again = await client.post(ACKS, json={"items": [known["n-1"]]})
    assert again.json()["items"][0]["status"] == "acknowledged"
    assert await found(client, "unacknowledged_by=erp") == ["n-3"]
    assert await found(client, "unacknowledged_by=wms") == ["n-1", "n-2", "n-3"]
    await show(means, advanced(first, OrderStatus.READY), seen("n-4"))
    assert await found(client, "unacknowledged_by=erp") == ["n-1", "n-3", "n-4"]
    assert await found(client, "unacknowledged_by=erp&status=ready") == ["n-1"]


@pytest.mark.row("O14", kind="walks")
async def test_a_system_of_one_shop_reads_page_by_page_what_waits_of_its_own(
    means: Means, client: httpx.AsyncClient
) -> None:
    await show(means, *(seen(f"n-{number}") for number in range(5)))
    await show(means, *(seen(f"o-{number}") for number in range(5)), account_id="acc_2")
    known = await versions(client)
    await client.post(ACKS, json={"items": [known["n-0"], known["n-4"], known["o-4"]]})
    left = {"shp_1": ["n-1", "n-2", "n-3"], "shp_2": ["o-0", "o-1", "o-2", "o-3"]}
    for shop, numbers in left.items():
        assert await found(client, "unacknowledged_by=erp", **bearer("orders:read", shops=(shop,))) == numbers
        assert await found(client, f"unacknowledged_by=erp&shop_id={shop}") == numbers
        assert await found(client, f"unacknowledged_by=erp&shop_id={shop}&is_test=false") == numbers
    assert await found(client, "unacknowledged_by=erp") == [*left["shp_1"], *left["shp_2"]]


async def test_what_the_version_before_marks_is_known_by_its_account_too(
    means: Means, client: httpx.AsyncClient
) -> None:
    await show(means, seen("n-1"))
    await client.post(ACKS, json={"items": [(await versions(client))["n-1"]]})
    async with means.db.begin() as tx:
        await tx.execute("insert into unacknowledged (consumer, order_id) select 'erp', id from orders")
    assert await found(client, "unacknowledged_by=erp&account_id=acc_1") == ["n-1"]


@pytest.mark.row("O14", kind="refuses")
async def test_a_version_that_does_not_stand_or_an_order_of_others_is_not_acknowledged(
    means: Means, client: httpx.AsyncClient
) -> None:
    first = seen("n-1")
    await show(means, first, seen("n-2"))
    known = await versions(client)
    await show(means, advanced(first, OrderStatus.READY))
    ahead = {**known["n-2"], "version": 7}
    gone = {"order_id": "ord_none", "version": 1}
    answer = await client.post(ACKS, json={"items": [known["n-1"], ahead, gone]})
    told = [(one["status"], one["version"]) for one in answer.json()["items"]]
    assert told == [("changed", 2), ("unknown-version", 1), ("not-found", None)]
    assert await found(client, "unacknowledged_by=erp") == ["n-1", "n-2"]
    stranger = bearer("orders:write", shops=("shp_9",))
    others = await client.post(ACKS, json={"items": [known["n-2"]]}, headers=stranger)
    assert others.json()["items"][0]["status"] == "not-found"
    assert (await client.post(ACKS, json={"items": [known["n-2"]]}, headers=READ)).status_code == 403
    assert (await client.post("/v1/consumers/E R P/acks", json={"items": [known["n-2"]]})).status_code == 422
    assert await count(means.db, "unacknowledged") == 2


async def test_acknowledging_under_one_key_twice_answers_the_same_although_the_order_changed(
    means: Means, client: httpx.AsyncClient
) -> None:
    first = seen("n-1")
    await show(means, first)
    body = {"items": [(await versions(client))["n-1"]]}
    headers = {"Idempotency-Key": "k-1"}
    once = await client.post(ACKS, json=body, headers=headers)
    await show(means, advanced(first, OrderStatus.READY))
    twice = await client.post(ACKS, json=body, headers=headers)
    assert (twice.status_code, twice.content) == (once.status_code, once.content)
    assert twice.headers["idempotency-replayed"] == "true"
    assert await found(client, "unacknowledged_by=erp") == ["n-1"]
