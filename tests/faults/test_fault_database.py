"""Takes Postgres away, its connections, or its answers: faults 7 to 9. No service is started again for it."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from fault_checks import await_stored, differences
from fault_forms import form
from fault_health import NAMES, POSTGRES, await_server, await_statuses, read_all, same_processes, statuses
from fault_proxy import Cut, is_commit
from fault_shop import Shop
from fault_stack import FaultStack

pytestmark = pytest.mark.fault
HANG_SECONDS = 25.0
# Connections that a service may hold.
POOL = 5
HEAL_SECONDS = 90.0
# Shorter than a lease: work that was broken off is given back as soon as Postgres answers.
GIVEN_BACK_SECONDS = 50.0


async def test_postgres_killed_in_a_batch_costs_nothing(stack: FaultStack, shop: Shop) -> None:
    with same_processes(stack):
        in_batch = stack.switches.arm("order_svc", "orders.before_commit", "sleep:1")
        await shop.place(3)
        await asyncio.to_thread(stack.switches.await_reached, in_batch)
        pid = stack.kill("postgres")
        await asyncio.to_thread(stack.await_back, "postgres", pid)
        assert await differences(stack, shop, seconds=GIVEN_BACK_SECONDS) == {}


async def test_a_postgres_that_is_away_is_a_503_and_a_metric_and_takes_no_pod_out(
    stack: FaultStack, shop: Shop
) -> None:
    with same_processes(stack):
        async with stack.down("postgres"):
            await shop.place(1)
            await await_server(stack, POSTGRES, is_up=False)
            assert {answer.status_code for answer in await read_all(shop)} == {503}
            assert await statuses(stack, "/readyz") == {200}
            await asyncio.sleep(form(short=0.0, whole=60.0))
        await await_server(stack, POSTGRES, is_up=True)
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}
        assert {answer.status_code for answer in await read_all(shop)} == {200}


@pytest.mark.fault(is_long=True)
async def test_backends_terminated_again_and_again_cost_nothing(stack: FaultStack, shop: Shop) -> None:
    with same_processes(stack):
        async with stack.database() as connection:
            until = time.monotonic() + form(short=4.0, whole=30.0)
            while time.monotonic() < until:
                await shop.place(1)
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'hanro %'"
                )
                await read_all(shop)
                await asyncio.sleep(0.5)
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}


@pytest.mark.fault(is_long=True)
async def test_an_exhausted_pool_answers_503_with_a_problem_and_does_not_hang(stack: FaultStack, shop: Shop) -> None:
    async with (
        stack.database() as connection,
        asyncio.timeout(HANG_SECONDS),
        asyncio.TaskGroup() as group,
        connection.transaction(),
    ):
        await connection.execute("lock table orders.orders in access exclusive mode")
        reads = [group.create_task(shop.hanro.call("GET", "/v1/orders", expected=(200, 503))) for _ in range(2 * POOL)]
        # As many as have a connection wait for the lock; the others are told in half that time.
        while sum(read.done() for read in reads) < POOL:
            await asyncio.sleep(0.1)
        answers = [read.result() for read in reads if read.done()]
    assert {answer.status_code for answer in answers} == {503}
    assert all(answer.headers["content-type"].startswith("application/problem+json") for answer in answers)
    await shop.place(1)
    assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}


@pytest.mark.fault(is_long=True)
async def test_services_with_one_connection_each_do_all_their_work_and_answer(stack: FaultStack, shop: Shop) -> None:
    names = form(short=("order-svc",), whole=NAMES)
    stack.switches.tell(HANRO_POOL_SIZE="1")
    try:
        await _restart(stack, names)
        with same_processes(stack):
            async with asyncio.timeout(HANG_SECONDS):
                for _ in range(form(short=3, whole=20)):
                    await shop.place(2)
                    await asyncio.gather(*(read_all(shop) for _ in range(4)))
            await stack.expire_leases()
            assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}
            assert {answer.status_code for answer in await read_all(shop)} == {200}
    finally:
        stack.switches.clear()
        await _restart(stack, names)


async def test_a_commit_whose_answer_is_lost_takes_effect_once(stack: FaultStack, shop: Shop) -> None:
    with same_processes(stack):
        cut = Cut(is_commit, is_answer=True, count=form(short=20, whole=100))
        stack.proxies.postgres.cut = cut
        await shop.place(3)
        await await_stored(stack, shop, 3, HEAL_SECONDS)
        # A turn whose end could not be stored holds its place in the account's pace for a minute.
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}
        assert cut.hits


async def _restart(stack: FaultStack, names: Sequence[str]) -> None:
    pids = {name: stack.kill(name) for name in names}
    for name, pid in pids.items():
        await asyncio.to_thread(stack.await_back, name, pid)
    await await_statuses(stack, "/readyz", 200)
