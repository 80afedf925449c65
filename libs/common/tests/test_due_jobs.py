"""Due jobs on a real Postgres: who may do what, when, and what a lost lease may still do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import cast

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


async def test_a_lease_goes_on_from_the_commit_that_says_so_for_all_that_hold_it(db: Database) -> None:
    await _plan(db, "acc_1")
    (lease,) = await _claim(db, lease=timedelta(seconds=30))
    first = lease.until_monotonic

    async def broken_off() -> None:
        async with db.begin() as tx:
            await due.go_on(tx, lease, clock=CLOCK, length=9 * MINUTE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken_off()
    assert (lease.until_monotonic, lease.lease) == (first, timedelta(seconds=30))
    await asyncio.sleep(MOMENT.total_seconds())
    before = CLOCK.monotonic()
    async with db.begin() as tx:
        await due.go_on(tx, lease, clock=CLOCK)
        assert lease.until_monotonic == first
    assert before + 30 <= lease.until_monotonic <= CLOCK.monotonic() + 30
    async with db.begin() as tx:
        await due.go_on(tx, lease, clock=CLOCK, length=9 * MINUTE)
        ((left,),) = await tx.fetch(f"select lease_until - {tx.now_sql} from due")  # noqa: S608  the schema's own clock
    assert timedelta(minutes=8) < left <= lease.lease == 9 * MINUTE
    assert lease.last_call_monotonic == pytest.approx(CLOCK.monotonic() + 360, abs=5)


async def test_a_lease_that_was_taken_over_does_not_go_on(db: Database) -> None:
    await _plan(db, "acc_1")
    (old,) = await _claim(db, lease=MOMENT)
    await asyncio.sleep(0.1)
    (new,) = await _claim(db)
    async with db.begin() as tx:
        with pytest.raises(Retryable) as lost:
            await due.go_on(tx, old, clock=CLOCK)
    assert lost.value.code == "lease-lost"
    await _settle(db, new)


async def _claim_in_turn(db: Database, *wanted: due.Wanted, limit: int = 10) -> list[tuple[str, str]]:
    return [(lease.job, lease.account_id) for lease in await due.claim_in_turn(db, wanted, limit=limit, clock=CLOCK)]


async def test_jobs_are_claimed_in_turn_and_of_each_the_longest_due_first(db: Database) -> None:
    now = datetime.now(UTC)
    for account, job, age in (("a", "slow", 9), ("b", "urgent", 1), ("c", "urgent", 3), ("d", "slow", 8)):
        await _plan(db, account, job=job, next_at=now - age * MINUTE)
    urgent, slow = (due.Wanted(job=job, lease=MINUTE) for job in ("urgent", "slow"))
    assert await _claim_in_turn(db, urgent, slow, limit=3) == [("urgent", "c"), ("urgent", "b"), ("slow", "a")]
    assert await _claim_in_turn(db, urgent, slow, limit=3) == [("slow", "d")]
    assert await _claim_in_turn(db, urgent, slow, limit=3) == []


async def test_each_job_claimed_in_turn_has_its_own_lease_and_ends_no_later_than_the_server_thinks(
    db: Database,
) -> None:
    for job in ("long", "short"):
        await _plan(db, "acc_1", job=job)
    wanted = [due.Wanted(job="long", lease=9 * MINUTE), due.Wanted(job="short", lease=MINUTE)]
    before = CLOCK.monotonic()
    leases = await due.claim_in_turn(db, wanted, limit=10, clock=CLOCK)
    after = CLOCK.monotonic()
    assert [(one.job, one.lease) for one in leases] == [("long", 9 * MINUTE), ("short", MINUTE)]
    for one in leases:
        assert before <= one.until_monotonic - one.lease.total_seconds() <= after
    async with db.begin() as tx:
        rows = await tx.fetch(f"select job, lease_until - {tx.now_sql} as left from due order by job")  # noqa: S608
        for one in leases:
            await due.hold(tx, one)
    assert {row["job"]: round(row["left"] / MINUTE) for row in rows} == {"long": 9, "short": 1}


async def test_a_job_with_room_of_its_own_takes_nothing_from_those_that_share(db: Database) -> None:
    for account in ("a", "b", "c"):
        await _plan(db, account, job="own")
        await _plan(db, account, job="first")
        await _plan(db, account, job="last")
    own, first, last = (
        due.Wanted(job="own", lease=MINUTE, most=1),
        *(due.Wanted(job=job, lease=MINUTE) for job in ("first", "last")),
    )
    taken = await _claim_in_turn(db, own, first, last, limit=4)
    assert [job for job, _ in taken] == ["own", "first", "first", "first", "last"]
    full = due.Wanted(job="own", lease=MINUTE, most=0)
    assert [job for job, _ in await _claim_in_turn(db, full, first, last)] == ["last", "last"]
    assert await _claim_in_turn(db, full, first, last, limit=0) == []
    assert [job for job, _ in await _claim_in_turn(db, own, first, last, limit=0)] == ["own"]


async def test_twins_that_claim_in_turn_share_the_work_and_wait_for_nobody(db: Database) -> None:
    await _plan(db, *(f"acc_{n}" for n in range(30)))
    wanted = due.Wanted(job="new", lease=MINUTE)
    async with db.begin() as tx:
        await tx.fetch("select 1 from due where account_id = 'acc_7' for update")
        async with asyncio.timeout(20):
            taken = await asyncio.gather(*(_claim_in_turn(db, wanted, limit=10) for _ in range(4)))
    names = [account for leases in taken for _, account in leases]
    assert len(names) == len(set(names)) == 29
    assert "acc_7" not in names


async def test_a_lease_that_ran_out_is_taken_over_in_turn_under_a_newer_fence(db: Database) -> None:
    await _plan(db, "acc_1")
    (old,) = await _claim(db, lease=MOMENT)
    await asyncio.sleep(0.1)
    (new,) = await due.claim_in_turn(db, [due.Wanted(job="new", lease=MINUTE)], limit=1, clock=CLOCK)
    assert new.fence > old.fence
    with pytest.raises(Retryable):
        await _settle(db, old)
    await _settle(db, new)


class Explaining:
    """Be a database that notes the plan of what is fetched before it is."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.plans: list[str] = []

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["Explaining"]:
        """Open a transaction."""
        async with self._db.begin() as tx:
            self._tx, self.now_sql = tx, tx.now_sql
            yield self

    async def fetch(self, sql: str, *args: object) -> object:
        """Explain, then fetch."""
        rows = await self._tx.fetch(f"explain {sql}", *args)
        self.plans.append("\n".join(row[0] for row in rows))
        return await self._tx.fetch(sql, *args)


async def test_who_claims_one_job_reads_nothing_of_what_waits_of_the_others(db: Database) -> None:
    async with db.begin() as tx:
        await tx.execute(
            f"""
            insert into due (account_id, job, next_at, fence)
            select 'acc_' || n, case when n = 1 then 'rare' else 'common' end, {tx.now_sql} - interval '1 hour', n
            from generate_series(1, 3000) n
            """  # noqa: S608  the schema's own clock
        )
    explaining = Explaining(db)
    wanted = [due.Wanted(job="rare", lease=MINUTE), due.Wanted(job="none", lease=MINUTE)]
    assert len(await due.claim_in_turn(cast("Database", explaining), wanted, limit=32, clock=CLOCK)) == 1
    (plan,) = explaining.plans
    assert "due_job_next" in plan
    assert "Seq Scan on due" not in plan


async def test_the_backlog_counts_what_is_due_and_free(db: Database) -> None:
    await _plan(db, "acc_1", "acc_2")
    await _claim(db, limit=1)
    assert await due.count_due(db, ["new"]) == 1
