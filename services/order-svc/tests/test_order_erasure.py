"""Proves that an erased buyer is gone, stays gone whatever comes, and that the order stands without."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from order_edge import parts_for, serve
from order_playground import Playground, activated, count, means_for, prepare, recorded, tell
from order_sightings import EMAIL, NAME, NOON, account, line, seen, unreadable

from hanro.db import Database
from hanro.errors import Rejected
from hanro.marketplace.types import OrderStatus, Sighting
from hanro.service import Parts
from hanro.testing.callers import bearer, fixed_keyring
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc import buyers
from order_svc import orders as using
from order_svc.api import contacts, orders
from order_svc.poller import Poller

pytestmark = pytest.mark.schema("orders", prepare)

READ = bearer("orders:read")
ERASE = bearer("orders:write", "orders:personal")
CONTACT = bearer("internal:contact", subject="notifier-svc")
LATER = NOON + timedelta(minutes=5)
ERASED = "hanro.order.buyer_erased.v1"


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(
        parts,
        orders.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors),
        internal=(contacts.make_routes(parts.db, parts.keyring, parts.clock, {}),),
        caller=READ,
    ) as made:
        yield made


async def found(db: Database, sighting: Sighting) -> str:
    """Find an order and give its id."""
    await tell(db, activated())
    playground = Playground()
    playground.buy(sighting)
    await Poller(means_for(db, playground, FixedClock(NOON))).poll_due(asyncio.Event())
    async with db.begin() as tx:
        return str((await tx.fetch("select id from orders"))[0]["id"])


async def erase(db: Database, order_id: str) -> None:
    async with db.begin() as tx:
        await buyers.erase(tx, order_id, account_ids=None, by="tester")


async def see(db: Database, *sightings: Sighting) -> None:
    """Take sightings in as a re-fetch, a read-back and a sweep do."""
    await using.ingest_fetched(
        db, fixed_keyring(), sightings, account=account(), plugin=Playground().plugin(), at=LATER
    )


@pytest.mark.row("O16", kind="walks")
async def test_an_erased_buyer_is_gone_and_lines_and_totals_stay(client: httpx.AsyncClient, parts: Parts) -> None:
    order_id = await found(parts.db, seen(note="平日に届けてください"))
    before = (await client.get(f"/v1/orders/{order_id}")).json()
    answer = await client.post(f"/v1/orders/{order_id}:erase-buyer", headers=ERASE)
    assert answer.status_code == 200
    shown = (await client.get(f"/v1/orders/{order_id}", headers=READ | bearer("orders:read", "orders:personal"))).json()
    assert (shown["personal"], shown["version"], answer.headers["etag"]) == (None, 2, '"v2"')
    assert shown["erased_at"] == answer.json()["erased_at"] is not None
    assert [shown[name] for name in ("lines", "totals")] == [before[name] for name in ("lines", "totals")]
    assert [await count(parts.db, table) for table in ("buyers", "raw_orders")] == [0, 0]
    assert (await recorded(parts.db))[-1] == (ERASED, order_id)
    async with parts.db.begin() as tx:
        uses = await tx.fetch("select subject, purpose from contact_uses")
    assert [use["purpose"] for use in uses] == ["erase"]


async def test_a_buyer_who_is_erased_twice_is_told_of_once(client: httpx.AsyncClient, parts: Parts) -> None:
    order_id = await found(parts.db, seen())
    first = await client.post(f"/v1/orders/{order_id}:erase-buyer", headers=ERASE)
    again = await client.post(f"/v1/orders/{order_id}:erase-buyer", headers=ERASE)
    assert (again.status_code, again.json()) == (200, first.json())
    assert [kind for kind, _ in await recorded(parts.db)].count(ERASED) == 1


@pytest.mark.row("O16", kind="refuses")
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        (bearer("orders:read", "orders:write"), 403, "scope-missing"),
        (bearer("orders:personal"), 403, "scope-missing"),
        (bearer("orders:write", "orders:personal", shops=("shp_9",)), 404, "not-found"),
    ],
)
async def test_a_buyer_is_erased_by_those_alone_who_may_see_and_change_it(
    client: httpx.AsyncClient, parts: Parts, headers: dict[str, str], status: int, code: str
) -> None:
    order_id = await found(parts.db, seen())
    answer = await client.post(f"/v1/orders/{order_id}:erase-buyer", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await count(parts.db, "buyers") == 1


async def test_an_erased_buyer_cannot_be_written_to(client: httpx.AsyncClient, parts: Parts) -> None:
    order_id = await found(parts.db, seen())
    await erase(parts.db, order_id)
    asked = {"purpose": "new_order", "account_epoch": 1}
    path = f"http://internal/internal/v1/orders/{order_id}/contact"
    answer = await client.post(path, headers=CONTACT, json=asked)
    assert (answer.status_code, answer.json()["code"]) == (409, "no-contact")


@pytest.mark.parametrize(
    "sighting",
    [
        seen(at=LATER),
        seen(status=OrderStatus.SHIPPED, at=LATER),
        seen(at=LATER, note="新しい備考"),
        unreadable(at=LATER, raw=f"{{broken {NAME} {EMAIL}".encode()),
    ],
    ids=["as before", "shipped", "another note", "unreadable"],
)
async def test_no_sighting_brings_an_erased_buyer_back(db: Database, sighting: Sighting) -> None:
    order_id = await found(db, seen())
    await erase(db, order_id)
    await see(db, sighting)
    await see(db, seen(status=OrderStatus.COMPLETED, at=LATER + timedelta(minutes=1)))
    assert [await count(db, table) for table in ("buyers", "raw_orders")] == [0, 0]
    async with db.begin() as tx:
        (row,) = await tx.fetch("select status, erased_at, sheet::text from orders")
    assert (row["status"], row["erased_at"] is not None) == ("completed", True)
    assert NAME not in row["sheet"]


async def test_what_a_buyer_wrote_into_an_option_goes_too_and_stays_away(db: Database) -> None:
    engraved = line(options_text=f"名入れ:{NAME}")
    order_id = await found(db, seen(lines=(engraved,)))

    async def sheet() -> str:
        async with db.begin() as tx:
            return str((await tx.fetch("select sheet::text from orders"))[0]["sheet"])

    assert NAME in await sheet()
    await erase(db, order_id)
    assert NAME not in await sheet()
    await see(db, seen(lines=(engraved, line("2")), at=LATER))
    assert NAME not in await sheet()


@pytest.mark.parametrize("turn", range(8))
async def test_an_order_that_changes_while_its_buyer_is_erased_keeps_no_buyer(db: Database, turn: int) -> None:
    order_id = await found(db, seen())
    changes = [seen(at=LATER + timedelta(seconds=n), note=f"{turn} {n}") for n in range(6)]

    async def change() -> None:
        for one in changes:
            await see(db, one)

    async def erase_meanwhile() -> None:
        await asyncio.sleep(turn / 200)
        await erase(db, order_id)

    await asyncio.gather(change(), erase_meanwhile())
    assert [await count(db, table) for table in ("buyers", "raw_orders")] == [0, 0]
    async with db.begin() as tx:
        (row,) = await tx.fetch("select version, (select count(*) from outbox where key = orders.id) from orders")
    assert row["version"] == row["count"]


async def test_an_order_that_is_not_there_has_no_buyer_to_erase(db: Database) -> None:
    with pytest.raises(Rejected) as refused:
        await erase(db, "ord_none")
    assert refused.value.code == "not-found"
