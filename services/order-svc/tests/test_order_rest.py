"""Proves what callers see of orders and whom they may see, over ASGI on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from order_asks import NUMBER, ship, store
from order_edge import parts_for, serve
from order_playground import GRANT, Playground, activated, means_for, prepare, tell
from order_sightings import EMAIL, NAME, NOON, seen, unreadable

from hanro.clock import SystemClock
from hanro.errors import LocalizedText
from hanro.events.accounts import AccountSuspended
from hanro.marketplace.types import Absent, Capability, Hold, OrderStatus, Support, Supported
from hanro.service import Parts
from hanro.testing.callers import bearer
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc import buyers
from order_svc.api import contacts, decisions, orders
from order_svc.domain.permits import Ability
from order_svc.poller import Poller
from order_svc.sender import Sender

pytestmark = pytest.mark.schema("orders", prepare)

READ = bearer("orders:read")
PERSONAL = bearer("orders:read", "orders:personal")
WRITE = bearer("orders:read", "orders:write")
CONTACT = bearer("internal:contact", subject="notifier-svc")
BY_HAND = Absent(reason=LocalizedText(ja="画面で行います。", en="It is done by hand there."), source="invented")


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    supports: dict[str, Support] = {
        "playground": Supported(grant_ids=frozenset({GRANT.id})),
        "by_hand": BY_HAND,
    }
    abilities = {
        name: Ability(supports={Capability.ACCEPT: support}, grants=(GRANT,)) for name, support in supports.items()
    }
    async with serve(
        parts,
        orders.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors),
        decisions.make_routes(parts.idempotency, abilities),
        internal=(contacts.make_routes(parts.db, parts.keyring, parts.clock, {}),),
        caller=READ,
    ) as made:
        yield made


@pytest.fixture
def playground() -> Playground:
    return Playground()


async def found(parts: Parts, playground: Playground) -> None:
    """Link the account and store what the playground shows."""
    await tell(parts.db, activated())
    await Poller(means_for(parts.db, playground, FixedClock(NOON))).poll_due(asyncio.Event())


async def first_id(client: httpx.AsyncClient) -> str:
    answer = await client.get("/v1/orders")
    return str(answer.json()["items"][0]["id"])


async def test_an_order_is_shown_whole_but_without_its_buyer(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(seen())
    await found(parts, playground)
    answer = await client.get(f"/v1/orders/{await first_id(client)}")
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"v1"'
    shown = answer.json()
    assert shown["lines"][0]["unit_price"] == {"text": "1980", "amount": "1980", "currency": "JPY"}
    assert shown["placed_at"].endswith("Z")
    assert shown["stated"]["packages"][0]["parcels"][0]["carrier_code"] == "1001"
    assert shown["personal"] is None
    assert NAME not in answer.text


async def test_a_buyer_is_shown_to_those_who_may_see_it(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(seen(note="平日に届けてください"))
    await found(parts, playground)
    answer = await client.get(f"/v1/orders/{await first_id(client)}", headers=PERSONAL)
    personal = answer.json()["personal"]
    assert personal["buyer"]["name"]["full"] == NAME
    assert personal["buyer"]["email"] == EMAIL
    assert personal["notes"] == {"remarks": "平日に届けてください"}


async def test_a_list_goes_on_where_a_page_ended_and_holds_no_buyer(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(*(seen(f"n-{number}") for number in range(5)))
    await found(parts, playground)
    numbers: list[str] = []
    target: str | None = "/v1/orders?limit=2"
    while target:
        answer = await client.get(target)
        assert NAME not in answer.text
        numbers += [item["external_id"] for item in answer.json()["items"]]
        target = answer.links.get("next", {}).get("url")
    assert sorted(numbers) == [f"n-{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("status=shipped", ["shipped-1"]),
        ("is_quarantined=true", ["bad-1"]),
        ("external_id=new-1", ["new-1"]),
        ("account_id=acc_2", []),
        ("work_state=new", ["bad-1", "new-1"]),
        ("placed_from=2030-01-01T00:00:00Z", []),
    ],
)
async def test_a_list_is_narrowed(
    client: httpx.AsyncClient, parts: Parts, playground: Playground, query: str, numbers: list[str]
) -> None:
    playground.buy(seen("new-1"), seen("shipped-1", status=OrderStatus.SHIPPED), unreadable("bad-1"))
    await found(parts, playground)
    answer = await client.get(f"/v1/orders?{query}")
    assert sorted(item["external_id"] for item in answer.json()["items"]) == numbers


async def test_a_quarantined_order_shows_its_cause(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(unreadable("bad-1"))
    await found(parts, playground)
    (item,) = (await client.get("/v1/orders")).json()["items"]
    shown = item["quarantine"]
    assert (shown["code"], shown["why"]) == ("unknown-status", "orderProgress 150 is not documented")
    assert shown["line_ids"] == []
    assert "released by itself" in shown["remedy"]["en"]


async def test_orders_of_other_shops_are_not_there(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(seen())
    await found(parts, playground)
    order_id = await first_id(client)
    for shops, status, count in ((("shp_1",), 200, 1), (("shp_9",), 404, 0)):
        headers = bearer("orders:read", shops=shops)
        assert (await client.get(f"/v1/orders/{order_id}", headers=headers)).status_code == status
        assert len((await client.get("/v1/orders", headers=headers)).json()["items"]) == count
    other = bearer("orders:write", shops=("shp_9",))
    assert (await client.post(f"/v1/orders/{order_id}:accept", headers=other)).status_code == 404


async def test_a_new_order_is_taken_for_acceptance_and_a_second_wish_is_the_same(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(seen())
    await found(parts, playground)
    path = f"/v1/orders/{await first_id(client)}:accept"
    answer = await client.post(path, headers=WRITE)
    assert answer.status_code == 202
    assert answer.json()["status"] == "accepted"
    assert (await client.get(answer.headers["location"])).json()["id"] == answer.json()["id"]
    again = await client.post(path, headers=WRITE)
    assert (again.status_code, again.headers["location"]) == (202, answer.headers["location"])


async def test_a_key_that_comes_twice_is_answered_from_the_first(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(seen())
    await found(parts, playground)
    path = f"/v1/orders/{await first_id(client)}:accept"
    headers = {**WRITE, "Idempotency-Key": "k-1"}
    first, second = await client.post(path, headers=headers), await client.post(path, headers=headers)
    assert second.headers["idempotency-replayed"] == "true"
    assert second.json() == first.json()


@pytest.mark.parametrize(
    ("sighting", "code"),
    [
        (seen(status=OrderStatus.CANCELLED), "order-cancelled"),
        (seen(holds=frozenset({Hold.CHECK})), "order-held"),
        (seen(status=OrderStatus.READY), "already-decided"),
    ],
)
async def test_an_order_that_cannot_be_accepted_is_refused(
    client: httpx.AsyncClient, parts: Parts, playground: Playground, sighting: object, code: str
) -> None:
    playground.buy(sighting)  # type: ignore[arg-type]
    await found(parts, playground)
    answer = await client.post(f"/v1/orders/{await first_id(client)}:accept", headers=WRITE)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_an_order_of_a_suspended_account_needs_the_seller(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(seen())
    await found(parts, playground)
    said = {**activated(2).model_dump(), "state": "suspended", "reason_code": "credential-expired"}
    await tell(parts.db, AccountSuspended(**said))
    answer = await client.post(f"/v1/orders/{await first_id(client)}:accept", headers=WRITE)
    assert (answer.status_code, answer.json()["code"]) == (409, "credential-expired")


async def test_what_a_marketplace_cannot_do_is_said_with_its_reason(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(seen())
    await found(parts, playground)
    async with parts.db.begin() as tx:
        await tx.execute("update orders set marketplace_id = 'by_hand'")
    answer = await client.post(f"/v1/orders/{await first_id(client)}:accept", headers=WRITE)
    assert (answer.status_code, answer.json()["code"]) == (501, "absent")
    assert "by hand" in answer.text


async def test_a_contact_is_told_and_written_down(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(seen())
    await found(parts, playground)
    order_id = await first_id(client)
    answer = await client.post(
        f"http://internal/internal/v1/orders/{order_id}/contact",
        headers=CONTACT,
        json={"purpose": "new_order", "account_epoch": 1},
    )
    assert answer.status_code == 200
    told = answer.json()
    assert (told["name"], told["email"], told["is_email_masked"]) == (NAME, EMAIL, True)
    assert told["totals"]["total"]["amount"] == "2480"
    assert told["lines"][0]["title"] == "煎茶 ①髙級㈱"
    async with parts.db.begin() as tx:
        uses = await tx.fetch("select order_id, subject, purpose from contact_uses")
        assert await buyers.forget_uses(tx) == 0
        assert [tuple(use) for use in uses] == [(order_id, "notifier-svc", "new_order")]
        # A year is as long as anybody asks who was told.
        await tx.execute("update contact_uses set used_at = used_at - interval '366 days'")
        assert await buyers.forget_uses(tx) == 1


async def test_a_contact_of_an_older_link_or_an_unreadable_order_is_refused(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    playground.buy(unreadable("bad-1"))
    await found(parts, playground)
    path = f"http://internal/internal/v1/orders/{await first_id(client)}/contact"
    older = await client.post(path, headers=CONTACT, json={"purpose": "x", "account_epoch": 0})
    assert (older.status_code, older.json()["code"]) == (409, "epoch-past")
    unknown = await client.post(path, headers=CONTACT, json={"purpose": "x", "account_epoch": 1})
    assert (unknown.status_code, unknown.json()["code"]) == (409, "no-contact")
    async with parts.db.begin() as tx:
        assert not await tx.fetch("select 1 from contact_uses")


async def test_a_contact_is_not_for_those_who_read_orders(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "http://internal/internal/v1/orders/ord_1/contact",
        headers=PERSONAL,
        json={"purpose": "x", "account_epoch": 1},
    )
    assert answer.status_code == 403
    assert "internal:contact" in answer.text
    assert (await client.post("/internal/v1/orders/ord_1/contact", headers=CONTACT, json={})).status_code == 404


async def test_a_contact_tells_the_parcels_that_are_registered_by_the_carriers_name(
    parts: Parts, playground: Playground
) -> None:
    order = seen(status=OrderStatus.READY)
    playground.buy(order)
    await tell(parts.db, activated())
    means = means_for(parts.db, playground, SystemClock())
    order_id = await store(means, order)
    await ship(means, playground, order_id)
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    named = contacts.make_routes(parts.db, parts.keyring, parts.clock, {("playground", "yamato"): "ヤマト運輸"})
    async with serve(parts, internal=(named,)) as asker:
        answer = await asker.post(
            f"http://internal/internal/v1/orders/{order_id}/contact",
            headers=CONTACT,
            json={"purpose": "shipped", "account_epoch": 1},
        )
    url = f"https://yamato.example.invalid/track?no={NUMBER}"
    assert answer.json()["parcels"] == [{"carrier": "ヤマト運輸", "number": NUMBER, "url": url}]
