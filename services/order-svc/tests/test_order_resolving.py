"""Proves that a person settles what is in doubt over REST, once and under a name, and what that makes of its order."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from order_asks import cancel, desk_of, facts, order_of, parcels_of, ready, ripen, ship, store
from order_edge import READ, parts_for, serve
from order_playground import Playground, activated, advanced, means_for, prepare, tell
from prometheus_client import CollectorRegistry

from hanro.clock import SystemClock
from hanro.marketplace.types import OrderStatus
from hanro.service import Parts
from hanro.testing.callers import bearer
from hanro_local.databases import SchemaUrls
from order_svc import cancellations
from order_svc.api import operations, shipments
from order_svc.poller import Means, Reader
from order_svc.sender import Sender
from order_svc.watcher import Watcher

pytestmark = pytest.mark.schema("orders", prepare)

PERSON = "見本 太郎"


@pytest.fixture
def playground() -> Playground:
    return Playground()


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
async def means(parts: Parts, playground: Playground) -> Means:
    await tell(parts.db, activated())
    return means_for(parts.db, playground, SystemClock())


@pytest.fixture
async def client(parts: Parts, playground: Playground, means: Means) -> AsyncIterator[httpx.AsyncClient]:
    desk = desk_of(means, playground)
    async with serve(
        parts,
        operations.make_routes(parts.idempotency, desk.abilities),
        shipments.make_routes(parts.db, parts.idempotency, parts.cursors, desk),
    ) as made:
        yield made


async def in_doubt(means: Means, playground: Playground) -> tuple[str, str]:
    """Give an order and its operation, a parcel that was sent a day ago and that nobody can tell of."""
    playground.buy(ready())
    order_id = await store(means, ready())
    parcel = await ship(means, playground, order_id)
    playground.drops = playground.cannot_tell = True
    sender = Sender(means)
    await sender.send_due()
    await ripen(means.db, minutes=25 * 60)
    await sender.look_again()
    playground.cannot_tell = False
    assert [(one.state) for one in await parcels_of(means.db, order_id)] == ["in_doubt"]
    return order_id, parcel.operation_id


async def resolve(
    client: httpx.AsyncClient, operation_id: str, decision: str, *, key: str = "k-1", headers: Any = None
) -> httpx.Response:
    return await client.post(
        f"/v1/order/operations/{operation_id}:resolve",
        json={"decision": decision, "name": PERSON},
        headers={"Idempotency-Key": key, **(headers or {})},
    )


@pytest.mark.row("O11", kind="walks")
async def test_a_parcel_that_a_person_saw_there_is_registered_and_what_waited_behind_it_goes_on(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order_id, operation_id = await in_doubt(means, playground)
    undone = await cancel(means, playground, order_id)
    assert await Sender(means).send_due() == 0
    waiting = (await client.get("/v1/order/operations?status=in_doubt")).json()["items"]
    assert [(one["id"], one["next_at"]) for one in waiting] == [(operation_id, None)]
    answer = await resolve(client, operation_id, "applied")
    assert (answer.status_code, answer.json()["status"], answer.json()["failure"]) == (200, "applied", None)
    (resolution,) = answer.json()["answer"]["resolutions"]
    assert (resolution["status"], resolution["by"].split(" (")[0]) == ("applied", PERSON)
    assert (await facts(means.db, order_id))[-1] == "shipped"
    order = await order_of(means.db, order_id)
    assert [one.state for one in order.shipments] == ["registered"]
    assert await Sender(means).send_due() == 1
    assert (await client.get(f"/v1/order/operations/{undone}")).json()["status"] == "sent"
    assert len(playground.calls("ship")) == 1


@pytest.mark.row("O11", kind="walks")
async def test_what_was_done_shows_in_the_order_at_once_since_its_reading_is_planned_with_the_decision(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order_id, operation_id = await in_doubt(means, playground)
    playground.buy(advanced(ready(), OrderStatus.SHIPPED))
    await resolve(client, operation_id, "applied")
    (planned,) = await fetches(client)
    assert (planned["subject_id"], planned["status"], planned["asked_by"].split(" (")[0]) == (
        order_id,
        "accepted",
        PERSON,
    )
    assert (await order_of(means.db, order_id)).status == "ready"
    assert await Reader(means).read_due(asyncio.Event()) == 1
    assert (await order_of(means.db, order_id)).status == "shipped"
    await resolve(client, operation_id, "applied", key="k-2")
    assert len(await fetches(client)) == 1


@pytest.mark.parametrize("decision", ["rejected", "send_again"])
async def test_nothing_is_read_for_what_was_not_done(
    client: httpx.AsyncClient, means: Means, playground: Playground, decision: str
) -> None:
    _, operation_id = await in_doubt(means, playground)
    assert (await resolve(client, operation_id, decision)).status_code == 200
    assert await fetches(client) == []


async def test_an_order_that_cannot_be_read_now_is_decided_about_all_the_same(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    _, operation_id = await in_doubt(means, playground)
    await tell(means.db, activated(2, state="suspended", reason_code="credential-refused"))
    assert (await resolve(client, operation_id, "applied")).json()["status"] == "applied"
    assert await fetches(client) == []


async def fetches(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Give the readings of orders that were asked for."""
    found: list[dict[str, Any]] = (await client.get("/v1/order/operations?kind=fetch")).json()["items"]
    return found


@pytest.mark.row("O11", kind="walks")
async def test_a_parcel_that_was_not_registered_leaves_its_units_to_be_shipped_again(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order_id, operation_id = await in_doubt(means, playground)
    parcel = {"carrier_code": "yamato", "tracking_number": "123456789012"}
    path = f"/v1/orders/{order_id}/shipments"
    refused = await client.post(path, json=parcel, headers={"Idempotency-Key": "p-1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing-left")
    decided = await resolve(client, operation_id, "rejected")
    assert (decided.json()["status"], decided.json()["failure"]["code"]) == ("rejected", "given-up")
    assert (await facts(means.db, order_id))[-1] == "shipment_rejected"
    assert (await client.post(path, json=parcel, headers={"Idempotency-Key": "p-2"})).status_code == 202
    assert await Sender(means).send_due() == 1


async def test_what_is_to_be_sent_again_is_sent_once_more_and_who_decided_stays(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order_id, operation_id = await in_doubt(means, playground)
    assert (await resolve(client, operation_id, "send_again")).json()["status"] == "accepted"
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    assert [one.state for one in await parcels_of(means.db, order_id)] == ["registered"]
    assert len(playground.calls("ship")) == 2
    done = (await client.get(f"/v1/order/operations/{operation_id}")).json()
    assert (done["status"], done["attempt_count"]) == ("applied", 2)
    assert [one["status"] for one in done["answer"]["resolutions"]] == ["accepted"]


@pytest.mark.row("O11", kind="refuses")
async def test_a_decision_counts_once_and_only_while_it_is_in_doubt(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order_id, operation_id = await in_doubt(means, playground)
    undone = await cancel(means, playground, order_id)
    early = await resolve(client, undone, "applied", key="k-0")
    assert (early.status_code, early.json()["code"]) == (409, "already-decided")
    first = await resolve(client, operation_id, "applied")
    again = await resolve(client, operation_id, "applied")
    assert (again.headers["idempotency-replayed"], again.json()) == ("true", first.json())
    same = await resolve(client, operation_id, "applied", key="k-2")
    assert (same.status_code, same.json()["answer"]) == (200, first.json()["answer"])
    other = await resolve(client, operation_id, "rejected", key="k-3")
    assert (other.status_code, other.json()["code"]) == (409, "already-decided")
    assert (await facts(means.db, order_id)).count("shipped") == 1


async def test_only_who_may_write_these_orders_decides_about_what_is_sent_for_them(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    _, operation_id = await in_doubt(means, playground)
    others = bearer("orders:read", "orders:write", shops=("shp_other",))
    for headers, status in ((READ, 403), (others, 404)):
        assert (await resolve(client, operation_id, "applied", headers=headers)).status_code == status
    assert (await resolve(client, "opr_none", "applied", key="k-2")).status_code == 404
    nobody = await client.post(
        f"/v1/order/operations/{operation_id}:resolve",
        json={"decision": "applied", "name": " "},
        headers={"Idempotency-Key": "k-9"},
    )
    assert nobody.status_code == 422
    keyless = await client.post(
        f"/v1/order/operations/{operation_id}:resolve", json={"decision": "applied", "name": PERSON}
    )
    assert keyless.status_code == 400


async def test_after_an_unlink_it_is_said_whether_it_was_done_and_nothing_is_sent_again(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order_id, operation_id = await in_doubt(means, playground)
    await tell(means.db, activated(2, account_epoch=2))
    refused = await resolve(client, operation_id, "send_again")
    assert (refused.status_code, refused.json()["code"]) == (409, "unlinked")
    assert (await resolve(client, operation_id, "rejected", key="k-2")).json()["status"] == "rejected"
    assert [one.state for one in await parcels_of(means.db, order_id)] == ["rejected"]


async def test_a_word_to_the_buyer_is_forgotten_with_the_decision_and_the_doubt_is_counted(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    playground.buy(ready())
    order_id = await store(means, ready())
    operation_id = await cancel(means, playground, order_id)
    playground.drops = True
    registry = CollectorRegistry()
    await Sender(means).send_due()
    await Watcher(means.db, means.clock, registry, within=timedelta(hours=4), routes=[]).look()
    name = "hanro_order_operations_in_doubt"
    assert registry.get_sample_value(name, {"waits_for": "look"}) == 1
    assert registry.get_sample_value(name, {"waits_for": "person"}) is None
    await resolve(client, operation_id, "rejected")
    async with means.db.begin() as tx:
        (undone,) = await cancellations.list_of(tx, order_id)
    assert (undone.state, undone.comment) == ("rejected", None)
