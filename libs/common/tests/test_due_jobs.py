"""Due jobs on a real Postgres: who may do what, when, and what a lost lease may still do."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hanro import due
from hanro.clock import SystemClock
from hanro.db import Database
from hanro.errors import Retryable
from hanro.testing.schemas import create_shared_tables

pytestmark = pytest.mark.schema("probe", create_shared_tables)

CLOCK = SystemClock()
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(milliseconds=50)


async def _plan(db: Database, *accounts: str, job: str = "new", next_at: datetime | None = None) -> None:
    async with db.begin() as tx:
        for account in accounts:
            await due.plan(tx, account, job, next_at=next_at)


async def _claim(db: Database, *jobs: str, limit: int = 10, lease: timedelta = MINUTE) -> list[due.Lease]:
    return await due.claim(db, jobs or ("new",), limit=limit, lease=lease, clock=CLOCK)


async def _settle(db: Database, lease: due.Lease, *, after: timedelta = MINUTE, failures: int = 0) -> None:
    async with db.begin() as tx:
        await due.settle(tx, lease, next_at=datetime.now(UTC) + after, failures=failures)


async def test_a_planned_job_is_claimed_once(db: Database) -> None:
    await _plan(db, "acc_1")
    first, second = await _claim(db), await _claim(db)
    assert [lease.account_id for lease in first] == ["acc_1"]
    assert second == []


async def test_twins_that_claim_at_once_share_the_work(db: Database) -> None:
    await _plan(db, *(f"acc_{n}" for n in range(30)))
    taken = await asyncio.gather(*(_claim(db, limit=6) for _ in range(5)))
    names = [lease.account_id for leases in taken for lease in leases]
    assert len(names) == len(set(names)) == 30


async def test_the_longest_due_is_taken_first_and_no_more_than_there_are_slots(db: Database) -> None:
    now = datetime.now(UTC)
    for account, age in (("young", 1), ("oldest", 3), ("old", 2)):
        await _plan(db, account, next_at=now - age * MINUTE)
    assert [lease.account_id for lease in await _claim(db, limit=2)] == ["oldest", "old"]
    assert await _claim(db, limit=0) == []


async def test_a_job_is_not_due_before_its_time_and_others_jobs_are_left_alone(db: Database) -> None:
    await _plan(db, "acc_1", next_at=datetime.now(UTC) + MINUTE)
    await _plan(db, "acc_1", job="sweep")
    assert await _claim(db, "new") == []
    assert [lease.job for lease in await _claim(db, "sweep", "new")] == ["sweep"]


async def test_planning_brings_forward_and_never_puts_off(db: Database) -> None:
    await _plan(db, "acc_1", next_at=datetime.now(UTC) + MINUTE)
    await _plan(db, "acc_1")
    await _plan(db, "acc_1", next_at=datetime.now(UTC) + MINUTE)
    assert len(await _claim(db)) == 1


async def test_a_job_planned_while_it_is_done_is_done_again(db: Database) -> None:
    await _plan(db, "acc_1")
    (lease,) = await _claim(db)
    await _plan(db, "acc_1")
    assert await _claim(db) == []
    await _settle(db, lease)
    assert len(await _claim(db)) == 1


async def test_a_settled_job_waits_for_its_next_time_and_keeps_its_failures(db: Database) -> None:
    await _plan(db, "acc_1")
    (lease,) = await _claim(db)
    await _settle(db, lease, after=-MOMENT, failures=3)
    (again,) = await _claim(db)
    assert again.failure_count == 3
    await _settle(db, again)
    assert await _claim(db) == []


async def test_a_lease_that_ran_out_is_taken_over_and_its_fence_is_stale(db: Database) -> None:
    await _plan(db, "acc_1")
    (old,) = await _claim(db, lease=MOMENT)
    await asyncio.sleep(0.1)
    (new,) = await _claim(db)
    assert new.fence > old.fence
    with pytest.raises(Retryable) as lost:
        await _settle(db, old)
    assert lost.value.code == "lease-lost"
    async with db.begin() as tx:
        await due.hold(tx, new)
        with pytest.raises(Retryable):
            await due.hold(tx, old)
    await _settle(db, new)


async def test_a_lease_is_settled_once(db: Database) -> None:
    await _plan(db, "acc_1")
    (lease,) = await _claim(db)
    await _settle(db, lease)
    with pytest.raises(Retryable):
        await _settle(db, lease)


async def test_what_was_dropped_and_planned_anew_does_not_know_the_old_lease(db: Database) -> None:
    await _plan(db, "acc_1")
    (lease,) = await _claim(db)
    async with db.begin() as tx:
        await due.drop(tx, "acc_1")
    with pytest.raises(Retryable):
        await _settle(db, lease)
    await _plan(db, "acc_1")
    with pytest.raises(Retryable):
        await _settle(db, lease)
    assert len(await _claim(db)) == 1


async def test_one_job_can_be_dropped_alone(db: Database) -> None:
    await _plan(db, "acc_1")
    await _plan(db, "acc_1", job="sweep")
    async with db.begin() as tx:
        await due.drop(tx, "acc_1", "new")
    assert [lease.job for lease in await _claim(db, "new", "sweep")] == ["sweep"]


async def test_a_lease_ends_here_no_later_than_the_server_thinks(db: Database) -> None:
    await _plan(db, "acc_1")
    before = CLOCK.monotonic()
    (lease,) = await _claim(db, lease=timedelta(seconds=30))
    assert before + 30 <= lease.until_monotonic <= CLOCK.monotonic() + 30
    assert lease.last_call_monotonic == pytest.approx(lease.until_monotonic - 10)


async def test_the_backlog_counts_what_is_due_and_free(db: Database) -> None:
    await _plan(db, "acc_1", "acc_2")
    await _claim(db, limit=1)
    assert await due.count_due(db, ["new"]) == 1
