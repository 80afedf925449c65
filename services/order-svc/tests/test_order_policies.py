"""Proves that orders are accepted by an account's policy: once each, and never one that is held back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from order_asks import store
from order_edge import READ, parts_for, serve
from order_playground import GRANT, KEY_FIELDS, Playground, activated, means_for, prepare, tell
from order_sightings import NOON, line, seen, unreadable

from hanro import effects, operations
from hanro.clock import SystemClock
from hanro.db import Database
from hanro.errors import LocalizedText, MenuPath
from hanro.events.accounts import AccountFact, GrantSeen, SwitchesSet
from hanro.events.envelope import Received
from hanro.events.listings import ListingAdopted
from hanro.ids import new_id
from hanro.marketplace import match_key
from hanro.marketplace.types import Absent, Capability, Hold, OrderStatus, SeenOrder
from hanro.operations import Operation
from hanro.service import Parts
from hanro.testing.callers import bearer
from hanro_local.databases import SchemaUrls
from order_svc import policies
from order_svc.api import decisions
from order_svc.api import policies as policy_routes
from order_svc.consumers import on_accounts, on_listings
from order_svc.domain.permits import Ability
from order_svc.domain.policies import Acceptance
from order_svc.poller import Means
from order_svc.sender import Sender
from order_svc.store.accounts import find_account

pytestmark = pytest.mark.schema("orders", prepare)

PLACE = "/v1/order/policies/acc_1"
ABILITIES = {"playground": Ability(supports=Playground.capabilities, grants=Playground.grants)}
BY_HAND = Absent(
    reason=LocalizedText(ja="画面で行います。", en="It is done by hand there."),
    source="invented",
    menu=MenuPath(steps=("受注", "承諾")),
)


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
async def client(parts: Parts, means: Means) -> AsyncIterator[httpx.AsyncClient]:
    del means
    abilities = ABILITIES | {"by_hand": Ability(supports={Capability.ACCEPT: BY_HAND})}
    routers = (
        policy_routes.make_routes(parts.db, abilities),
        decisions.make_routes(parts.idempotency, abilities),
    )
    async with serve(parts, *routers) as made:
        yield made


async def choose(db: Database, accept: Acceptance, account_id: str = "acc_1") -> None:
    async with db.begin() as tx:
        account = await find_account(tx, account_id)
        assert account is not None
        before = await policies.lock_policy(tx, account_id)
        await policies.choose(tx, account, before, accept, abilities=ABILITIES)


async def wishes(db: Database) -> list[Operation]:
    async with db.begin() as tx:
        return await operations.list_(tx, limit=50)


async def hear(db: Database, fact: AccountFact) -> None:
    received = [Received(fact, headers=(("ce_id", new_id("evt").encode()),))]
    subscription = on_accounts({}, lambda _account_id: None, ABILITIES)
    assert (await db.run(lambda tx: effects.put(tx, subscription, received))).failures == {}


async def map_line(db: Database, number: str) -> None:
    keys = dict(line(number).keys)
    fact = ListingAdopted(
        id=f"lst_{number}",
        version=1,
        at=NOON,
        account_id="acc_1",
        account_epoch=1,
        marketplace_id="playground",
        keys=keys,
        match_key=match_key(KEY_FIELDS, keys) or "",
        sku=f"SKU-{number}",
    )
    received = [Received(fact, headers=(("ce_id", new_id("evt").encode()),))]
    effect = await db.run(lambda tx: effects.put(tx, on_listings(SystemClock(), ABILITIES), received))
    assert effect.failures == {}


@pytest.mark.row("O4", kind="walks")
async def test_a_new_order_of_an_automatic_account_is_accepted_once(means: Means, playground: Playground) -> None:
    await choose(means.db, "automatic")
    playground.buy(seen())
    order_id = await store(means, seen())
    # Found again, and changed: still one.
    await store(means, seen(at=NOON + timedelta(seconds=1), note="平日に"))
    await choose(means.db, "automatic")
    sender = Sender(means)
    assert (await sender.send_due(), await sender.send_due()) == (1, 0)
    (wish,) = await wishes(means.db)
    assert (wish.subject_id, wish.asked_by, wish.status) == (order_id, "policy", "applied")
    assert playground.calls("decide") == [(seen().external_id,)]


@pytest.mark.row("O4", kind="refuses")
async def test_without_a_policy_nothing_is_sent(means: Means, playground: Playground) -> None:
    playground.buy(seen())
    await store(means, seen())
    await Sender(means).send_due()
    assert (await wishes(means.db), playground.journal) == ([], [])


@pytest.mark.row("O4", kind="refuses")
@pytest.mark.parametrize(
    "sighting",
    [
        seen(holds=frozenset({Hold.AMOUNT})),
        seen(status=OrderStatus.PENDING),
        seen(status=OrderStatus.CANCELLED),
        seen(status=OrderStatus.ACCEPTED),
        unreadable(),
    ],
)
async def test_what_does_not_wait_free_of_holds_is_not_accepted(means: Means, sighting: SeenOrder) -> None:
    await choose(means.db, "automatic")
    await store(means, sighting)
    assert await wishes(means.db) == []


async def test_an_order_from_before_the_link_is_not_accepted(means: Means) -> None:
    await hear(means.db, activated(2, orders_from=NOON))
    await choose(means.db, "automatic")
    await store(means, seen(placed=NOON - timedelta(days=1)))
    assert await wishes(means.db) == []


async def test_an_order_is_accepted_once_its_hold_ends(means: Means) -> None:
    await choose(means.db, "automatic")
    await store(means, seen(holds=frozenset({Hold.AMOUNT})))
    order_id = await store(means, seen(at=NOON + timedelta(seconds=1)))
    assert [wish.subject_id for wish in await wishes(means.db)] == [order_id]


async def test_an_order_that_was_held_before_it_was_sent_is_asked_again_once_that_ends(
    means: Means, playground: Playground
) -> None:
    await choose(means.db, "automatic")
    playground.buy(seen())
    await store(means, seen())
    await store(means, seen(at=NOON + timedelta(seconds=1), holds=frozenset({Hold.AMOUNT})))
    await Sender(means).send_due()
    await store(means, seen(at=NOON + timedelta(seconds=2)))
    await Sender(means).send_due()
    assert [wish.status for wish in await wishes(means.db)] == ["applied", "rejected"]
    assert len(playground.calls("decide")) == 1


async def test_an_order_that_waited_for_a_mapping_is_accepted_once_it_has_it(means: Means) -> None:
    await choose(means.db, "automatic")
    await map_line(means.db, "2")
    order_id = await store(means, seen())
    assert await wishes(means.db) == []
    await map_line(means.db, "1")
    assert [wish.subject_id for wish in await wishes(means.db)] == [order_id]


async def test_orders_that_wait_are_accepted_when_the_policy_is_switched_on(means: Means) -> None:
    first, second = await store(means, seen("n-1")), await store(means, seen("n-2"))
    await store(means, seen("n-3", holds=frozenset({Hold.AMOUNT})))
    await choose(means.db, "automatic")
    assert {wish.subject_id for wish in await wishes(means.db)} == {first, second}


async def test_an_order_found_while_the_policy_is_switched_on_is_not_missed(means: Means) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(store(means, seen(f"n-{number}")))
        group.create_task(choose(means.db, "automatic"))
    assert len({wish.subject_id for wish in await wishes(means.db)}) == len(await wishes(means.db)) == 5


async def test_orders_of_an_account_that_may_not_write_wait_until_it_may(means: Means) -> None:
    await hear(means.db, activated(2, grants=(GrantSeen(grant_id=GRANT.id, state="denied"),)))
    await choose(means.db, "automatic")
    order_id = await store(means, seen())
    assert await wishes(means.db) == []
    await hear(means.db, activated(3))
    assert [wish.subject_id for wish in await wishes(means.db)] == [order_id]


async def test_an_account_that_only_observes_plans_the_acceptance_and_sends_nothing(
    means: Means, playground: Playground
) -> None:
    await hear(means.db, activated(2, switches=SwitchesSet(is_observing=True)))
    await choose(means.db, "automatic")
    playground.buy(seen())
    await store(means, seen())
    await Sender(means).send_due()
    assert ([wish.status for wish in await wishes(means.db)], playground.journal) == (["observed"], [])


async def test_a_policy_is_shown_chosen_and_says_that_there_is_no_way_back(client: httpx.AsyncClient) -> None:
    shown = (await client.get(PLACE)).json()
    assert (shown["version"], shown["accept"]) == (0, "manual")
    assert "cannot be undone" in shown["notice"]["en"]
    assert "取り消せません" in shown["notice"]["ja"]
    chosen = await client.put(PLACE, json={"accept": "automatic"}, headers={"If-Match": '"v0"'})
    assert (chosen.status_code, chosen.headers["etag"], chosen.json()["accept"]) == (200, '"v1"', "automatic")
    late = await client.put(PLACE, json={"accept": "manual"}, headers={"If-Match": '"v0"'})
    assert late.status_code == 412
    assert (await client.get(PLACE)).json()["accept"] == "automatic"


@pytest.mark.parametrize(
    ("headers", "place", "status"),
    [
        (READ, PLACE, 403),
        (bearer("orders:read", "orders:write", shops=("shp_9",)), PLACE, 404),
        ({}, "/v1/order/policies/acc_9", 404),
    ],
)
async def test_a_policy_is_chosen_by_those_who_may(
    client: httpx.AsyncClient, headers: dict[str, str], place: str, status: int
) -> None:
    answer = await client.put(place, json={"accept": "automatic"}, headers=headers | {"If-Match": '"v0"'})
    assert answer.status_code == status


async def test_where_orders_are_accepted_by_hand_no_policy_can_do_it(client: httpx.AsyncClient, parts: Parts) -> None:
    await tell(parts.db, activated(id="acc_2", account_id="acc_2", marketplace_id="by_hand"))
    answer = await client.put("/v1/order/policies/acc_2", json={"accept": "automatic"}, headers={"If-Match": '"v0"'})
    assert (answer.status_code, answer.json()["code"]) == (501, "absent")
    assert answer.json()["menu"]


async def test_an_order_that_somebody_asked_for_is_not_asked_for_by_the_policy(
    client: httpx.AsyncClient, means: Means
) -> None:
    order_id = await store(means, seen())
    asked = await client.post(f"/v1/orders/{order_id}:accept")
    assert asked.status_code == 202
    await choose(means.db, "automatic")
    assert [wish.id for wish in await wishes(means.db)] == [asked.json()["id"]]
