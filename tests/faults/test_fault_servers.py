"""Takes Postgres and Kafka away, or their answers: faults 6 to 9, 11 and 13. No service is started again for it."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator

import asyncpg
import httpx
import pytest
from fault_checks import differences, look
from fault_forms import form
from fault_proxy import Cut, is_commit, is_produce
from fault_shop import Shop
from fault_stack import FaultStack

from hanro_local.services import SERVICES
from hanro_local.stack import DATABASE

pytestmark = pytest.mark.fault
NAMES = tuple(service.name for service in SERVICES)
HANG_SECONDS = 25.0
HEAL_SECONDS = 90.0


@contextlib.contextmanager
def _same_processes(stack: FaultStack) -> Iterator[None]:
    before = {name: stack.pid(name) for name in NAMES}
    yield
    assert {name: stack.pid(name) for name in NAMES} == before


async def _stored(stack: FaultStack, shop: Shop, count: int, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while len((await look(stack, shop, is_log_wanted=False)).orders) < count:
            await asyncio.sleep(0.3)


async def test_postgres_killed_in_a_batch_costs_nothing(stack: FaultStack, shop: Shop) -> None:
    with _same_processes(stack):
        in_batch = stack.arm("order_svc", "orders.before_commit", "sleep:1")
        await shop.place(3)
        await asyncio.to_thread(stack.await_reached, in_batch)
        pid = stack.kill("postgres")
        await asyncio.to_thread(stack.await_back, "postgres", pid)
        assert await differences(stack, shop) == {}


async def test_backends_terminated_again_and_again_cost_nothing(stack: FaultStack, shop: Shop) -> None:
    with _same_processes(stack):
        connection = await asyncpg.connect(stack.postgres.url(DATABASE), timeout=10)
        try:
            until = time.monotonic() + form(short=5.0, whole=30.0)
            while time.monotonic() < until:
                await shop.place(1)
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'hanro %'"
                )
                await asyncio.sleep(0.5)
        finally:
            await connection.close(timeout=10)
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}


async def test_an_exhausted_pool_answers_503_with_a_problem_and_does_not_hang(stack: FaultStack, shop: Shop) -> None:
    connection = await asyncpg.connect(stack.postgres.url(DATABASE), timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("lock table orders.orders in access exclusive mode")
            async with asyncio.timeout(HANG_SECONDS):
                answers = await asyncio.gather(
                    *(shop.hanro.call("GET", "/v1/orders", expected=(200, 503)) for _ in range(12))
                )
    finally:
        await connection.close(timeout=10)
    assert {answer.status_code for answer in answers} == {503}
    assert all(answer.headers["content-type"].startswith("application/problem+json") for answer in answers)
    await shop.place(1)
    assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}


async def test_a_commit_whose_answer_is_lost_takes_effect_once(stack: FaultStack, shop: Shop) -> None:
    with _same_processes(stack):
        cut = Cut(is_commit, is_answer=True, count=form(short=20, whole=100))
        stack.postgres_proxy.cut = cut
        await shop.place(3)
        # A turn whose end could not be stored holds its place in the account's pace for a minute.
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}
        assert cut.hits


async def test_a_broker_that_is_down_stops_neither_polling_nor_the_api(stack: FaultStack, shop: Shop) -> None:
    with _same_processes(stack):
        seconds = form(short=4.0, whole=60.0)
        pid = stack.hold("kafka")
        try:
            await shop.place(3)
            await _stored(stack, shop, 3, 30)
            assert (await shop.hanro.call("GET", f"/v1/orders?account_id={shop.account_id}")).status_code == 200
            await asyncio.sleep(seconds)
        finally:
            stack.release("kafka")
        await asyncio.to_thread(stack.await_back, "kafka", pid)
        await shop.place(1)
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}


@pytest.mark.parametrize("is_answer", [False, True], ids=["request-lost", "answer-lost"])
async def test_produce_requests_that_are_cut_lose_and_reorder_nothing(
    stack: FaultStack, shop: Shop, *, is_answer: bool
) -> None:
    with _same_processes(stack):
        cut = Cut(is_produce, is_answer=is_answer, count=form(short=3, whole=20))
        stack.kafka_proxy.cut = cut
        await shop.place(3)
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}
        assert cut.hits


async def test_a_relay_that_stopped_inside_its_transaction_is_overtaken(stack: FaultStack, shop: Shop) -> None:
    with stack.replica("order-svc") as second:
        stopped = stack.arm("order_svc", "relay.after_ack", "stop")
        pids = [stack.pid("order-svc"), stack.pid(second.name)]
        await shop.place(2)
        await asyncio.to_thread(stack.await_reached, stopped)
        connection = await asyncpg.connect(stack.postgres.url(DATABASE), timeout=10)
        try:
            ended = await connection.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory'"
            )
        finally:
            await connection.close(timeout=10)
        await shop.place(2)
        await _stored(stack, shop, 4, 40)
        found = await differences(stack, shop)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        assert ended
        assert found == {}
        await shop.place(1)
        assert await differences(stack, shop) == {}


async def test_services_that_start_without_their_servers_stay_up_and_recover(stack: FaultStack, shop: Shop) -> None:
    name = "order-svc"
    url = f"http://127.0.0.1:{stack.ports[f'{name}-internal']}"
    (stack.folder / "held").mkdir(parents=True, exist_ok=True)
    (stack.folder / "held" / "unmigrated").touch()
    before = stack.kill(name)
    pids = {server: stack.hold(server) for server in ("postgres", "kafka")}
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            async with asyncio.timeout(60):
                while not await _answers(client, f"{url}/livez", 200):
                    await asyncio.sleep(0.2)
            started = stack.pid(name)
            assert started != before
            assert await _answers(client, f"{url}/readyz", 503)
            await asyncio.sleep(3)
            assert stack.pid(name) == started
    finally:
        for server in pids:
            stack.release(server)
    for server, pid in pids.items():
        await asyncio.to_thread(stack.await_back, server, pid)
    await asyncio.to_thread(stack.await_running)
    assert stack.pid(name) == started
    await shop.place(2)
    assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}


async def _answers(client: httpx.AsyncClient, url: str, status: int) -> bool:
    try:
        return (await client.get(url, timeout=5)).status_code == status
    except httpx.HTTPError:
        return False
