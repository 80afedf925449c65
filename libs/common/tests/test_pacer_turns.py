"""Turns on a real Postgres: the pace over processes, what a turn's end tells the breaker, and who gives way."""

import asyncio
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from prometheus_client import CollectorRegistry

from hanro import breaker
from hanro.clock import SystemClock
from hanro.db import Database, connect
from hanro.errors import ContractBroken, NeedsSeller, Rejected, Retryable
from hanro.marketplace.types.limits import ApiGroup, Limits
from hanro.pacer import Kept, Pacing, SlotTurn, drop, list_
from hanro.testing.schemas import create_shared_tables, terminate_backends
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("probe", create_shared_tables)

CLOCK = SystemClock()
PERIOD = timedelta(milliseconds=200)
STEP = PERIOD.total_seconds() / 0.97


def _limits(period: timedelta = PERIOD, burst: int = 1) -> Limits:
    groups = {
        name: ApiGroup(
            name=name, request_count=1, period=period, burst=burst, shares={"order-svc": Decimal(1)}, source="test"
        )
        for name in ("order", "shop")
    }
    return Limits(
        groups=groups,
        batches={},
        read_lag={},
        call_deadline=timedelta(seconds=20),
        max_quantity=1,
        max_axes=1,
        max_variants=1,
        max_images=1,
    )


def _pacing(db: Database, *, is_probing: bool = False, limits: Limits | None = None) -> Pacing:
    return Pacing(db, CLOCK, limits or _limits(), "order-svc", "acc_1", is_probing=is_probing)


async def _use(pacing: Pacing, *groups: str, late: float = 0.0, error: Exception | None = None) -> float:
    async with pacing.turn(*(groups or ("order",))) as turn:
        await asyncio.sleep(late)
        assert isinstance(turn, SlotTurn)
        await turn.leaving()
        turn.left()
        sent_at = time.monotonic()
        if error:
            raise error
    return sent_at


async def _fail(pacing: Pacing, error: Exception, count: int = 1) -> None:
    for _ in range(count):
        with pytest.raises(type(error)):
            await _use(pacing, error=error)


async def _kept(db: Database) -> list[Kept]:
    async with db.begin() as tx:
        return await list_(tx, limit=10)


async def _states(db: Database) -> dict[str, breaker.BreakerState]:
    return {state.api_group: state for state in await breaker.list_(db)}


async def test_requests_of_one_process_keep_the_pace_though_all_ask_at_once(db: Database) -> None:
    pacing = _pacing(db)
    sent = sorted(await asyncio.gather(*(_use(pacing) for _ in range(10))))
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    assert min(gaps) >= STEP
    assert (sent[-1] - sent[0]) / 9 < STEP * 1.15


async def test_a_late_sender_puts_off_the_next_slot(db: Database) -> None:
    pacing = _pacing(db)
    first, second = await asyncio.gather(_use(pacing, late=0.15), _use(pacing))
    assert abs(second - first) >= STEP


async def test_turns_are_given_in_the_order_of_asking(db: Database) -> None:
    pacing = _pacing(db)
    order: list[int] = []

    async def ask(n: int) -> None:
        await _use(pacing)
        order.append(n)

    async with asyncio.TaskGroup() as tasks, pacing.turn("order"):
        for n in range(5):
            tasks.create_task(ask(n))
            async with asyncio.timeout(20):
                while await _waiting(db) <= n:
                    await asyncio.sleep(0.01)
    assert order == list(range(5))


async def test_a_turn_of_two_groups_keeps_both_paces(db: Database) -> None:
    pacing = _pacing(db)
    order, both, shop = await asyncio.gather(_use(pacing, "order"), _use(pacing, "order", "shop"), _use(pacing, "shop"))
    assert abs(both - order) >= STEP
    assert abs(both - shop) >= STEP


async def test_accounts_do_not_wait_for_each_other(db: Database) -> None:
    limits = _limits(timedelta(seconds=2))
    began_at = time.monotonic()
    await asyncio.gather(*(_use(Pacing(db, CLOCK, limits, "order-svc", f"acc_{n}")) for n in range(10)))
    assert time.monotonic() - began_at < 4


async def test_a_turn_that_sends_nothing_gives_its_slot_back(db: Database) -> None:
    pacing = _pacing(db, limits=_limits(timedelta(seconds=5)))
    began_at = time.monotonic()
    for _ in range(3):
        async with pacing.turn("order"):
            pass
    assert time.monotonic() - began_at < 1


async def test_who_gives_up_waiting_does_not_block_who_waits_behind(db: Database) -> None:
    pacing = _pacing(db)
    await _use(pacing)
    async with asyncio.TaskGroup() as tasks:
        tired = tasks.create_task(_use(pacing))
        patient = tasks.create_task(_use(pacing))
        await asyncio.sleep(0.02)
        tired.cancel()
        began_at = time.monotonic()
    # It looks again when two turns would have been over.
    assert patient.result() - began_at < 2 * STEP + 0.5


async def test_a_turn_is_for_one_request(db: Database) -> None:
    async with _pacing(db).turn("order") as turn:
        assert isinstance(turn, SlotTurn)
        await turn.leaving()
        turn.left()
        with pytest.raises(ValueError, match="one request"):
            await turn.leaving()


async def test_a_slot_that_is_held_long_is_kept(db: Database) -> None:
    pacing = _pacing(db)
    async with asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(_use(pacing, late=2.6))
        await asyncio.sleep(0.1)
        behind = tasks.create_task(_use(pacing))
    assert behind.result() - slow.result() >= STEP


def _stand_still() -> None:
    """Be a process that is stopped for longer than a slot is held: nothing extends the hold meanwhile."""
    time.sleep(2.5)


async def test_a_request_whose_process_stood_still_takes_another_slot_behind_who_came_meanwhile(
    db: Database, urls: SchemaUrls
) -> None:
    twin_db = connect(urls.runtime, schema="probe")
    try:
        async with _pacing(db).turn("order") as turn:
            _stand_still()
            sent_at = await _use(_pacing(twin_db))
            assert isinstance(turn, SlotTurn)
            await turn.leaving()
            turn.left()
            left_at = time.monotonic()
        assert left_at - sent_at >= STEP
        assert await _use(_pacing(twin_db)) - left_at >= STEP
    finally:
        await twin_db.close()


async def test_a_request_that_finds_no_other_slot_soon_stays_here_and_gives_its_place_back(db: Database) -> None:
    pacing = _pacing(db, limits=_limits(timedelta(seconds=5)))
    async with AsyncExitStack() as stack:
        turn = await stack.enter_async_context(pacing.turn("order"))
        _stand_still()
        await _use(pacing)
        assert isinstance(turn, SlotTurn)
        with pytest.raises(Retryable) as lost:
            await turn.leaving()
        assert lost.value.code == "lease-lost"
    assert [(kept.slot.holder, kept.slot.queue) for kept in await _kept(db)] == [(None, ())]


async def test_a_request_that_stood_still_until_its_account_was_dropped_stays_here(db: Database) -> None:
    async with AsyncExitStack() as stack:
        turn = await stack.enter_async_context(_pacing(db).turn("order"))
        _stand_still()
        await db.run(lambda tx: drop(tx, "acc_1"))
        assert isinstance(turn, SlotTurn)
        with pytest.raises(Retryable) as lost:
            await turn.leaving()
        assert lost.value.code == "lease-lost"
    assert await _kept(db) == []


async def test_a_refusal_for_rate_slows_every_process(db: Database, urls: SchemaUrls) -> None:
    twin_db = connect(urls.runtime, schema="probe")
    try:
        async with _pacing(db).turn("order") as turn:
            assert isinstance(turn, SlotTurn)
            await turn.leaving()
            turn.left()
            sent_at = time.monotonic()
            turn.throttled(timedelta(seconds=0.8))
        assert await _use(_pacing(twin_db)) - sent_at >= 0.8
    finally:
        await twin_db.close()


async def test_the_pace_comes_back_after_a_refusal_without_a_time(db: Database) -> None:
    pacing = _pacing(db)
    async with pacing.turn("order") as turn:
        assert isinstance(turn, SlotTurn)
        await turn.leaving()
        turn.left()
        turn.throttled(None)
    sent = [await _use(pacing) for _ in range(8)]
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    assert gaps[0] > 1.5 * STEP
    assert gaps[-1] < 1.4 * STEP
    assert [kept.slot.slowdown for kept in await _kept(db)] == [1]
    assert await _states(db) == {}


async def test_five_failures_open_a_group_and_nothing_is_sent_then(db: Database) -> None:
    pacing = _pacing(db, limits=_limits(timedelta(milliseconds=10)))
    await _fail(pacing, Retryable("503", code="unavailable"), 4)
    assert (await _states(db))["order"].open_until is None
    await _fail(pacing, ContractBroken("HTML", code="unreadable"))
    assert (await _states(db))["order"].open_until is not None
    with pytest.raises(Retryable) as shut:
        await _use(pacing)
    assert shut.value.code == "unavailable"
    assert shut.value.after is not None
    assert timedelta(seconds=3) < shut.value.after <= timedelta(seconds=5)
    await _use(pacing, "shop")


async def test_a_served_call_forgets_the_failures_before_it_and_a_rejected_entry_is_one(db: Database) -> None:
    pacing = _pacing(db, limits=_limits(timedelta(milliseconds=10)))
    await _fail(pacing, Retryable("503", code="unavailable"), 4)
    await _fail(pacing, Rejected("no such order", code="not-found"))
    assert await _states(db) == {}
    await _fail(pacing, Retryable("503", code="unavailable"), 4)
    await _use(pacing)
    assert await _states(db) == {}


async def test_after_the_pause_one_probe_decides_for_all(db: Database) -> None:
    pacing = _pacing(db, limits=_limits(timedelta(milliseconds=10)))
    await _fail(pacing, Retryable("503", code="unavailable"), 5)
    await _move_clock(db, 6)
    async with pacing.turn("order") as turn:
        with pytest.raises(Retryable) as shut:
            await _use(pacing)
        assert shut.value.code == "unavailable"
        assert isinstance(turn, SlotTurn)
        await turn.leaving()
        turn.left()
    assert await _states(db) == {}
    await _use(pacing)


async def test_a_failed_probe_opens_for_longer(db: Database) -> None:
    pacing = _pacing(db, limits=_limits(timedelta(milliseconds=10)))
    await _fail(pacing, Retryable("503", code="unavailable"), 5)
    await _move_clock(db, 6)
    await _fail(pacing, Retryable("503", code="unavailable"))
    with pytest.raises(Retryable) as shut:
        await _use(pacing)
    assert shut.value.after is not None
    assert shut.value.after > timedelta(seconds=8)


async def test_a_probe_that_was_cancelled_leaves_the_next_call_to_find_out(db: Database) -> None:
    pacing = _pacing(db, limits=_limits(timedelta(milliseconds=10)))
    await _fail(pacing, Retryable("503", code="unavailable"), 5)
    await _move_clock(db, 6)
    task = asyncio.create_task(_use(pacing, late=30))
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.wait([task])
    await _use(pacing)
    assert await _states(db) == {}


async def test_a_refused_credential_stops_the_whole_account_at_once_until_it_is_closed(db: Database) -> None:
    pacing = _pacing(db)
    await _fail(pacing, NeedsSeller("dead key", code="credential-refused"))
    for group in ("order", "shop"):
        with pytest.raises(Retryable):
            await _use(pacing, group)
    assert (await _states(db))["*"].reason == "credential-refused"
    await _use(Pacing(db, CLOCK, _limits(), "order-svc", "acc_2"))
    async with db.begin() as tx:
        await breaker.close(tx, "acc_1")
    await _use(pacing, "shop")


async def test_open_breakers_are_counted_without_naming_accounts(db: Database) -> None:
    await _fail(_pacing(db), NeedsSeller("dead key", code="credential-refused"))
    await _fail(Pacing(db, CLOCK, _limits(), "order-svc", "acc_2"), Retryable("503", code="unavailable"))
    registry, stop = CollectorRegistry(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(breaker.watch(db, registry, clock=CLOCK, stop=stop))
        name, labels = "hanro_breakers_open", {"api_group": "*", "reason": "credential-refused"}
        async with asyncio.timeout(20):
            while registry.get_sample_value(name, labels) is None:
                await asyncio.sleep(0.02)
        stop.set()
    assert registry.get_sample_value(name, labels) == 1
    assert registry.get_sample_value(name, {"api_group": "order", "reason": "unavailable"}) is None


async def test_a_missing_grant_stops_nothing(db: Database) -> None:
    await _fail(_pacing(db), NeedsSeller("not allowed", code="grant-missing"))
    assert await _states(db) == {}


async def test_a_preflight_enters_in_spite_of_the_breaker_and_closes_it_when_served(db: Database) -> None:
    await _fail(_pacing(db), NeedsSeller("dead key", code="credential-refused"))
    await _use(_pacing(db, is_probing=True), "shop")
    await _use(_pacing(db))


async def test_a_group_that_does_not_exist_is_our_mistake(db: Database) -> None:
    with pytest.raises(ValueError, match="no such API groups: nothing"):
        _pacing(db).turn("nothing")


async def test_a_dropped_account_leaves_no_row(db: Database) -> None:
    await _use(_pacing(db))
    async with db.begin() as tx:
        await drop(tx, "acc_1")
        assert await tx.fetch("select * from pacer") == []


async def test_a_database_that_went_away_takes_no_answer_with_it(db: Database, urls: SchemaUrls) -> None:
    pacing = _pacing(db)
    async with pacing.turn("order") as turn:
        assert isinstance(turn, SlotTurn)
        await turn.leaving()
        await terminate_backends(urls.runtime)
        turn.left()
        answer = "kept"
    assert answer == "kept"
    await _use(pacing)


async def test_two_processes_at_full_load_never_fall_short_and_waste_little(urls: SchemaUrls) -> None:
    code = """
import asyncio, sys, time
sys.path[:0] = sys.argv[2:]
from test_pacer_turns import CLOCK, _limits, _use
from hanro.db import connect
from hanro.pacer import Kept, Pacing

async def main():
    db = connect(sys.argv[1], schema="probe")
    pacing = Pacing(db, CLOCK, _limits(), "order-svc", "acc_1")
    async def sender():
        for _ in range(10):
            print(await _use(pacing), flush=True)
    await asyncio.gather(sender(), sender())
    await db.close()

asyncio.run(main())
"""
    command = [sys.executable, "-c", code, urls.runtime, *sys.path, __file__.rpartition("/")[0]]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]  # noqa: S603, ASYNC220
    outputs = await asyncio.gather(*(asyncio.to_thread(process.communicate) for process in processes))
    assert [process.returncode for process in processes] == [0, 0]
    times = [[float(line) for line in output.split()] for output, _ in outputs]
    sent = sorted(times[0] + times[1])
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    assert len(sent) == 40
    assert min(gaps) >= PERIOD.total_seconds()
    both = [moment for moment in sent if max(times[0][0], times[1][0]) <= moment <= min(times[0][-1], times[1][-1])]
    assert (both[-1] - both[0]) / (len(both) - 1) < STEP * 1.15
    # Fair: each has about half of what left while both were at work.
    mine = sum(moment in times[0] for moment in both)
    assert 0.35 < mine / len(both) < 0.65


async def _waiting(db: Database) -> int:
    async with db.begin() as tx:
        return int((await tx.fetch("select jsonb_array_length(queue) from pacer"))[0][0])


async def _move_clock(db: Database, seconds: float) -> None:
    async with db.begin() as tx:
        await tx.execute("update breaker set open_until = open_until - $1::interval", timedelta(seconds=seconds))
