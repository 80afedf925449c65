"""Proves that a pushed notice is believed by its key alone, stored once, answered as agreed, and only makes us look."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from order_edge import parts_for, serve
from order_playground import Playground, activated, count, means_for, prepare, recorded, tell
from order_sightings import NOON, seen
from prometheus_client import CollectorRegistry

from hanro.db import Database
from hanro.errors import LocalizedText, NeedsSeller, Retryable
from hanro.events.accounts import AccountSuspended
from hanro.marketplace.port import Plugin, Secrets
from hanro.marketplace.types import Absent, Capability, HttpAnswer, Notice, NoticeKind, Notices, Support
from hanro.metrics import new_registry
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc import notices as followed
from order_svc.api import notices
from order_svc.poller import Means, Poller

pytestmark = pytest.mark.schema("orders", prepare)

PATH = "/v1/order/notices/acc_1"
KEY, STORED, FAILED, REFUSED = "key=right", b"<ok>N-000-000</ok>", b"<no>E-400-900</no>", b"<no>E-400-101</no>"
BY_HAND = Absent(reason=LocalizedText(ja="ありません。", en="There are none."), source="invented")


def answer(body: bytes) -> HttpAnswer:
    return HttpAnswer(status=200, headers={"Content-Type": "text/xml; charset=utf-8"}, body=body, sent_at=NOON)


class Pushing(Playground):
    """Be the played marketplace, which pushes lines of `notice id: order, order`, the first one its key."""

    def plugin(self) -> Plugin:
        """Give it as a plug-in that reads notices."""
        return cast("Plugin", SimpleNamespace(**vars(super().plugin()), read_notice=self.read_notice))

    def read_notice(self, body: bytes, headers: Mapping[str, str], secrets: Secrets) -> Notices:
        """Read lines."""
        del headers, secrets
        key, *lines = body.decode().splitlines()
        if key != KEY:
            return Notices(notices=(), stored=answer(REFUSED), failed=answer(FAILED))
        found = []
        for line in lines:
            external_id, _, numbers = line.partition(":")
            ids = tuple(number.strip() for number in numbers.split(",") if number.strip())
            found.append(Notice(external_id=external_id, kind=NoticeKind.ORDER_PLACED, order_ids=ids, at=None))
        return Notices(notices=tuple(found), stored=answer(STORED), failed=answer(FAILED))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def playground() -> Pushing:
    return Pushing()


@pytest.fixture
def registry() -> CollectorRegistry:
    return new_registry()


@pytest.fixture
def means(db: Database, playground: Pushing, clock: FixedClock, registry: CollectorRegistry) -> Means:
    return means_for(db, playground, clock, registry=registry)


@pytest.fixture
async def clients(urls: SchemaUrls, means: Means, clock: FixedClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Give two processes' public sides on one database; callers are strangers."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            parts = parts_for(urls)
            stack.push_async_callback(parts.close)
            routes = notices.make_routes(parts.db, means.plugins, means.open, clock, means.metrics)
            client = await stack.enter_async_context(serve(parts, routes))
            del client.headers["Authorization"]
            made.append(client)
        yield made


@pytest.fixture
def client(clients: list[httpx.AsyncClient]) -> httpx.AsyncClient:
    return clients[0]


async def follow(means: Means) -> None:
    """Read what notices named, and nothing else."""
    async with means.db.begin() as tx:
        await tx.execute("update due set next_at = '2999-01-01' where job <> 'notices'")
        await tx.execute("update due set next_at = '2000-01-01' where job = 'notices'")
    await Poller(means).poll_due(asyncio.Event())


async def waiting(means: Means) -> int:
    return len(await followed.list_waiting(means.db, "acc_1"))


@pytest.mark.row("P6", kind="walks")
@pytest.mark.row("O17", kind="walks")
@pytest.mark.row("O3", kind="walks")
async def test_fifty_copies_at_once_to_two_processes_are_one_order_and_one_announcement(
    means: Means, playground: Pushing, clients: list[httpx.AsyncClient]
) -> None:
    await tell(means.db, activated())
    playground.buy(seen("n-1"))
    body = f"{KEY}\nseq-1: n-1"
    answers = await asyncio.gather(*(clients[place % 2].post(PATH, content=body) for place in range(50)))
    assert {(one.status_code, one.content) for one in answers} == {(200, STORED)}
    assert {one.headers["content-type"] for one in answers} == {"text/xml; charset=utf-8"}
    assert await count(means.db, "notices") == 1
    await asyncio.gather(*(Poller(means).poll_due(asyncio.Event()) for _ in range(3)))
    assert [kind for kind, _ in await recorded(means.db)] == ["hanro.order.placed.v1"]
    assert await clients[1].post(PATH, content=body) is not None
    await follow(means)
    assert playground.calls("fetch") == [("n-1",)]


@pytest.mark.row("O17", kind="walks")
async def test_a_notice_makes_its_order_be_read_before_any_route_is_due(
    means: Means, playground: Pushing, client: httpx.AsyncClient, registry: CollectorRegistry
) -> None:
    await tell(means.db, activated())
    playground.buy(seen("n-1"), seen("n-2"), seen("n-3"))
    await client.post(PATH, content=f"{KEY}\nseq-1: n-1, n-2\nseq-2: n-2\nfile-done:")
    await follow(means)
    async with means.db.begin() as tx:
        rows = await tx.fetch("select external_id, first_seen_by from orders order by external_id")
        jobs = await tx.fetch("select job from due order by job")
    assert [tuple(row) for row in rows] == [("n-1", "notice"), ("n-2", "notice")]
    assert [row["job"] for row in jobs] == ["orders:open", "orders:placed"]
    found = {"marketplace": "playground", "finder": "notice"}
    assert registry.get_sample_value("hanro_order_found_total", found) == 2
    assert playground.windows("placed") == []


@pytest.mark.row("O17", kind="refuses")
async def test_a_wrong_key_gets_the_marketplaces_own_refusal_and_leaves_nothing(
    means: Means, playground: Pushing, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    playground.buy(seen("n-1"))
    refused = await client.post(PATH, content="key=wrong\nseq-1: n-1")
    assert (refused.status_code, refused.content) == (200, REFUSED)
    assert await count(means.db, "notices") == 0
    async with means.db.begin() as tx:
        assert await tx.fetch("select 1 from due where job = 'notices'") == []


@pytest.mark.row("O17", kind="refuses")
async def test_what_was_not_stored_is_not_acknowledged(client: httpx.AsyncClient, db: Database) -> None:
    await tell(db, activated())
    async with db.begin() as held:
        # Somebody holds the row that the notice would be stored under, and who waits for it is sent away.
        await held.execute(
            "insert into notices (account_id, external_id, kind, order_ids, received_at) values "
            "('acc_1', 'seq-1', 'other', '{}', now())"
        )
        asked = asyncio.create_task(client.post(PATH, content=f"{KEY}\nseq-1: n-1"))
        cancelled: list[object] = []
        while not cancelled:
            async with db.begin() as tx:
                cancelled = await tx.fetch(
                    "select pg_cancel_backend(pid) from pg_stat_activity where query like '%insert into notices%' "
                    "and wait_event_type = 'Lock' and pid <> pg_backend_pid()"
                )
        answered = await asked
    assert answered.content == FAILED


@pytest.mark.row("O17", kind="refuses")
async def test_strangers_cannot_tell_an_account_without_notices_from_one_that_is_not_there(
    means: Means, playground: Pushing, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated(), activated(id="acc_2", account_id="acc_2", marketplace_id="elsewhere"))
    suspended = AccountSuspended(
        **{**activated(id="acc_3", account_id="acc_3").model_dump(), "state": "suspended", "version": 2}
    )
    await tell(means.db, suspended)
    answers = [await client.post(f"/v1/order/notices/{one}", content=KEY) for one in ("acc_2", "acc_3", "acc_9")]
    there = playground.capabilities
    supports = cast("dict[Capability, Support]", there)
    supports[Capability.NOTICES] = BY_HAND
    try:
        answers.append(await client.post(PATH, content=KEY))
    finally:
        supports[Capability.NOTICES] = there[Capability.FETCH_ORDER]
    assert {one.status_code for one in answers} == {404}
    assert len({str({**one.json(), "instance": None}) for one in answers}) == 1


@pytest.mark.row("O17", kind="refuses")
async def test_a_body_above_a_megabyte_and_a_flood_are_refused(means: Means, client: httpx.AsyncClient) -> None:
    await tell(means.db, activated())
    large = await client.post(PATH, content=b"x" * (1024 * 1024 + 1))
    assert large.status_code == 413
    flood = [(await client.post(PATH, content="key=wrong")).status_code for _ in range(notices.A_MINUTE + 1)]
    assert flood[-1] == 429
    assert await count(means.db, "notices") == 0


async def test_an_order_that_is_told_of_before_it_is_shown_is_looked_after_again(
    means: Means, playground: Pushing, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    await client.post(PATH, content=f"{KEY}\nseq-1: late-1")
    await follow(means)
    assert await waiting(means) == 1
    playground.buy(seen("late-1"))
    await follow(means)
    assert (await waiting(means), await count(means.db, "orders")) == (0, 1)


async def test_an_order_that_is_never_shown_is_given_up_after_an_hour(
    means: Means, playground: Pushing, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    await client.post(PATH, content=f"{KEY}\nseq-1: never-1")
    async with means.db.begin() as tx:
        await tx.execute("update notices set received_at = received_at - interval '61 minutes'")
    await follow(means)
    assert (await waiting(means), playground.calls("fetch")) == (0, [("never-1",)])


async def test_a_failure_keeps_the_notice_for_the_next_time(
    means: Means, playground: Pushing, client: httpx.AsyncClient
) -> None:
    await tell(means.db, activated())
    playground.buy(seen("n-1"))
    await client.post(PATH, content=f"{KEY}\nseq-1: n-1")
    for failure in (Retryable("busy", code="throttled"), NeedsSeller("refused", code="credential-refused")):
        playground.failures = [failure]
        await follow(means)
        assert (await waiting(means), await count(means.db, "orders")) == (1, 0)
    # The account begins to work anew: its job is planned again.
    await tell(means.db, AccountSuspended(**{**activated(2).model_dump(), "state": "suspended"}))
    await tell(means.db, activated(3, credential_version=2))
    await follow(means)
    assert (await waiting(means), await count(means.db, "orders")) == (0, 1)


async def test_notices_older_than_a_month_are_forgotten(means: Means, client: httpx.AsyncClient) -> None:
    await tell(means.db, activated())
    await client.post(PATH, content=f"{KEY}\nseq-1: n-1\nseq-2: n-2")
    async with means.db.begin() as tx:
        await tx.execute(
            "update notices set received_at = received_at - interval '31 days' where external_id = 'seq-1'"
        )
        assert await followed.forget_old(tx) == 1
    assert await count(means.db, "notices") == 1
