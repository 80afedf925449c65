"""Keeps which job of which account is due, and gives it to one process at a time: a lease by the server's clock.

A job's row is claimed oldest first. Its fence comes from one sequence and never repeats, also when a row is dropped and
planned anew; it guards our rows alone. What a process that lost its lease still sends is repaired by a read-back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.errors import Retryable

DDL_1: tuple[str, ...] = (
    'create sequence "{schema}".due_fence as bigint',
    """
    create table "{schema}".due (
        account_id text not null,
        job text not null,
        next_at timestamptz not null,
        planned_at timestamptz,
        lease_until timestamptz,
        fence bigint not null,
        failure_count integer not null default 0,
        primary key (account_id, job)
    )
    """,
    'create index due_next on "{schema}".due (next_at)',
)

# Who wants one job must not read past everything that waits of the others.
DDL_2: tuple[str, ...] = ('create index due_job_next on "{schema}".due (job, next_at)',)


@dataclass(slots=True, kw_only=True)
class Lease:
    """Be the right to do an account's job until `until_monotonic`, on this process's monotonic clock.

    It is counted from before the claim was asked for, so it ends no later than the server thinks; `go_on`
    moves it for all that hold this lease. `due_at` is when the job should have begun, UTC; `failure_count` how often it
    failed in a row.
    """

    account_id: str
    job: str
    fence: int
    until_monotonic: float
    lease: timedelta
    due_at: datetime
    failure_count: int

    @property
    def last_call_monotonic(self) -> float:
        """Give until when a call to the marketplace may begin: two thirds of the lease."""
        return self.until_monotonic - self.lease.total_seconds() / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Be a job that may be taken: for how long, and how many of it; None: it shares the room of all that say so."""

    job: str
    lease: timedelta
    most: int | None = None


async def plan(tx: Transaction, account_id: str, job: str, *, next_at: datetime | None = None) -> None:
    """Make a job due at a time, or bring it forward; never put it off. None: at once.

    A job that is being done now will be done again, at that time.
    """
    await tx.execute(
        f"""
        insert into due (account_id, job, next_at, fence)
        values ($1, $2, coalesce($3, {tx.now_sql}), nextval('due_fence'))
        on conflict (account_id, job) do update
        set next_at = least(due.next_at, excluded.next_at),
            planned_at = least(due.planned_at, excluded.next_at)
        """,  # noqa: S608  the schema's own clock
        account_id,
        job,
        next_at,
    )


async def drop(tx: Transaction, account_id: str, job: str | None = None, *, but: str | None = None) -> None:
    """Forget a job of an account, or all of them `but` one; who holds its lease can no longer settle it."""
    await tx.execute(
        """
        delete from due where account_id = $1 and ($2::text is null or job = $2) and ($3::text is null or job <> $3)
        """,
        account_id,
        job,
        but,
    )


async def stop(tx: Transaction, account_id: str, *, but: str, held_for: timedelta | None = None) -> bool:
    """Forget all jobs of an account `but` one that nobody does just now; True where none is being done any more.

    What is being done keeps its row, so that one can wait for its end: give it time, and ask again; `held_for` ends its
    lease so long from now at the latest, where whoever holds it breaks off, and may have died. Rows are locked, so
    nobody takes one of them before the transaction ends.
    """
    rows = await tx.fetch(
        f"""
        select job, lease_until > {tx.now_sql} as is_held from due
        where account_id = $1 and job <> $2 order by job for update
        """,  # noqa: S608  the schema's own clock
        account_id,
        but,
    )
    idle = [row["job"] for row in rows if not row["is_held"]]
    if idle:
        await tx.execute("delete from due where account_id = $1 and job = any($2::text[])", account_id, idle)
    if held_for is not None and len(idle) < len(rows):
        await tx.execute(
            f"""
            update due set lease_until = least(lease_until, {tx.now_sql} + $3)
            where account_id = $1 and job <> $2
            """,  # noqa: S608  the schema's own clock
            account_id,
            but,
            held_for,
        )
    return len(idle) == len(rows)


async def claim(db: Database, jobs: Sequence[str], *, limit: int, lease: timedelta, clock: Clock) -> list[Lease]:
    """Take what is due of some jobs, longest due first, at most `limit`; what others are taking is passed over.

    The claim is committed when this returns. A lease that ran out is taken over.
    """
    if limit <= 0:
        return []
    return await _take(
        db,
        clock,
        """
        select account_id, job, next_at, $3::interval as lease, 1 as place from due
        where job = any($1::text[]) and next_at <= (select now from clock)
            and (lease_until is null or lease_until <= (select now from clock))
        order by next_at limit $2 for update skip locked
        """,
        list(jobs),
        limit,
        lease,
    )


async def claim_in_turn(db: Database, wanted: Sequence[Wanted], *, limit: int, clock: Clock) -> list[Lease]:
    """Take what is due of the first job wanted, then of the next, longest due first within each.

    `limit` is the room of those that share it. For the rest as `claim`: one statement, so that who finds nothing due
    has asked once.
    """
    room = {one.job: limit if one.most is None else one.most for one in wanted}
    open_ = [one for one in wanted if room[one.job] > 0]
    if not open_:
        return []
    return await _take(
        db,
        clock,
        """
        select account_id, job, next_at, lease, place from (
            select due.account_id, due.job, due.next_at, wanted.lease, wanted.place, wanted.is_sharing,
                row_number() over (partition by wanted.is_sharing order by wanted.place, due.next_at) as turn
            from unnest($1::text[], $2::interval[], $3::int[], $4::boolean[])
                with ordinality as wanted (job, lease, most, is_sharing, place)
            cross join lateral (
                select account_id, job, next_at from due
                where job = wanted.job and next_at <= (select now from clock)
                    and (lease_until is null or lease_until <= (select now from clock))
                order by next_at limit wanted.most for update skip locked
            ) due
        ) locked
        where not is_sharing or turn <= $5
        """,
        [one.job for one in open_],
        [one.lease for one in open_],
        [room[one.job] for one in open_],
        [one.most is None for one in open_],
        limit,
    )


async def _take(db: Database, clock: Clock, found: str, *args: object) -> list[Lease]:
    """Lease the rows that a statement found and locked, and give them by place, then longest due first."""
    asked_at = clock.monotonic()
    async with db.begin() as tx:
        rows = await tx.fetch(
            f"""
            with clock as materialized (select {tx.now_sql} as now), found as ({found})
            update due set lease_until = (select now from clock) + found.lease, fence = nextval('due_fence'),
                planned_at = null
            from found where due.account_id = found.account_id and due.job = found.job
            returning due.account_id, due.job, due.fence, due.failure_count, found.next_at, found.lease, found.place
            """,  # noqa: S608  the schema's own clock and statements of ours
            *args,
        )
    return [
        Lease(
            account_id=row["account_id"],
            job=row["job"],
            fence=row["fence"],
            until_monotonic=asked_at + row["lease"].total_seconds(),
            lease=row["lease"],
            due_at=row["next_at"],
            failure_count=row["failure_count"],
        )
        for row in sorted(rows, key=lambda one: (one["place"], one["next_at"]))
    ]


async def go_on(tx: Transaction, lease: Lease, *, clock: Clock, length: timedelta | None = None) -> None:
    """Hold a lease for its length, or another, from now: in the transaction that stores what it brought so far.

    A job of many pages ends by its work, not by its lease; who dies holds it up no longer than before.

    Raises:
        Retryable: another process took the job over, or it was dropped; code "lease-lost".
    """
    asked_at, length = clock.monotonic(), length or lease.lease
    touched = await tx.execute(
        f"""
        update due set lease_until = {tx.now_sql} + $4::interval
        where account_id = $1 and job = $2 and fence = $3
        """,  # noqa: S608  the schema's own clock
        lease.account_id,
        lease.job,
        lease.fence,
        length,
    )
    if not touched:
        raise _lost(lease)

    def moved() -> None:
        lease.until_monotonic, lease.lease = asked_at + length.total_seconds(), length

    tx.after_commit(moved)


async def hold(tx: Transaction, lease: Lease) -> None:
    """Check, and lock until the transaction ends, that a lease still stands: before storing what it brought.

    Raises:
        Retryable: another process took the job over, or it was dropped; code "lease-lost".
    """
    found = await tx.fetch(
        "select 1 from due where account_id = $1 and job = $2 and fence = $3 for update",
        lease.account_id,
        lease.job,
        lease.fence,
    )
    if not found:
        raise _lost(lease)


async def settle(tx: Transaction, lease: Lease, *, next_at: datetime, failures: int = 0) -> None:
    """Give a lease back and say when the job is due again; in the transaction that stores what it brought.

    A time planned since the claim wins when it is earlier. `failures`: in a row, 0 after a success.

    Raises:
        Retryable: another process took the job over, or it was dropped; code "lease-lost".
    """
    touched = await tx.execute(
        """
        update due
        set next_at = least($4, planned_at), planned_at = null, lease_until = null, failure_count = $5,
            fence = nextval('due_fence')
        where account_id = $1 and job = $2 and fence = $3
        """,
        lease.account_id,
        lease.job,
        lease.fence,
        next_at,
        failures,
    )
    if not touched:
        raise _lost(lease)


async def count_due(db: Database, jobs: Sequence[str]) -> int:
    """Count the jobs that wait for a process: due and not leased; the backlog that workers are scaled by."""
    async with db.begin() as tx:
        rows = await tx.fetch(
            f"""
            select count(*) from due
            where job = any($1::text[]) and next_at <= {tx.now_sql}
                and (lease_until is null or lease_until <= {tx.now_sql})
            """,  # noqa: S608  the schema's own clock
            list(jobs),
        )
    return int(rows[0][0])


def _lost(lease: Lease) -> Retryable:
    return Retryable(f"The lease of {lease.job} of {lease.account_id} is lost.", code="lease-lost")
