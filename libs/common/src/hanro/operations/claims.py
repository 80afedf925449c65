"""Gives operations to doers, one process at a time, and takes down what became of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from hanro.db import Database, Transaction
from hanro.errors import Retryable
from hanro.operations.values import COLUMNS, Mark, Operation, read


async def claim_sendable(db: Database, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[Operation]:
    """Take accepted operations whose time has come, oldest first, for `lease`; committed when this returns.

    Passed over: those behind an unfinished older one of the same subject and any of these kinds, and those that others
    are taking.
    """
    return await _claim(db, kinds, limit, lease, "status = 'accepted'", first_only=True)


async def claim_unsure(db: Database, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[Operation]:
    """Take operations to look after: sent ones whose answer is overdue, sent or in doubt ones due for a look."""
    return await _claim(db, kinds, limit, lease, "status in ('sent', 'in_doubt')", first_only=False)


async def mark(tx: Transaction, *marks: Mark) -> None:
    """Write what became of claimed operations, in one statement.

    Raises:
        Retryable: a lease of one of them was lost to another process, or ran out before it was *sent*; nothing is to be
            committed. Code "lease-lost".
    """
    ordered = sorted(marks, key=lambda one: one.id)
    touched = await tx.fetch(
        f"""
        with wanted as (
            select id, fence, status, failure::jsonb, answer::jsonb, next_at, plan::jsonb
            from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
                as t (id, fence, status, failure, answer, next_at, plan)
        ), held as (
            select operations.id from operations join wanted using (id, fence)
            where wanted.status <> 'sent' or operations.status <> 'accepted'
                or operations.lease_until is null or operations.lease_until > {tx.now_sql}
            order by operations.id for update of operations
        )
        update operations set
            status = wanted.status,
            failure = wanted.failure,
            answer = coalesce(wanted.answer || case when operations.answer ? 'resolutions'
                then jsonb_build_object('resolutions', operations.answer->'resolutions') else '{{}}'::jsonb end,
                operations.answer),
            plan = wanted.plan,
            attempt_count = operations.attempt_count + (wanted.status = 'sent' and operations.status = 'accepted')::int,
            sent_at = case when wanted.status = 'sent' and operations.status = 'accepted' then {tx.now_sql}
                else operations.sent_at end,
            changed_at = {tx.now_sql},
            next_at = case when wanted.status = 'sent' then coalesce(wanted.next_at, operations.lease_until)
                when wanted.status = 'accepted' then coalesce(wanted.next_at, {tx.now_sql})
                else wanted.next_at end,
            lease_until = case when wanted.status = 'sent' and wanted.next_at is null then operations.lease_until end
        from wanted join held using (id)
        where operations.id = wanted.id and operations.fence = wanted.fence
        returning operations.id
        """,  # noqa: S608  the schema's own clock
        [one.id for one in ordered],
        [one.fence for one in ordered],
        [one.status.value for one in ordered],
        [None if one.failure is None else json.dumps(one.failure) for one in ordered],
        [None if one.answer is None else json.dumps(one.answer) for one in ordered],
        [one.next_at for one in ordered],
        [None if one.plan is None else json.dumps(one.plan) for one in ordered],
    )
    if len(touched) != len(ordered):
        raise Retryable("Another process took an operation over.", code="lease-lost")


async def close_past(tx: Transaction, account_id: str, epoch: int, *, failure: Mapping[str, object]) -> bool:
    """Close what was asked for an account before `epoch`; True where none of it is being sent any more.

    What was not sent is rejected with `failure`; of what was sent without an answer nobody knows, so it is in doubt and
    waits for a person: the credentials to look it up with go. What somebody sends just now stays as it is: ask again.
    """
    rows = await tx.fetch(
        f"""
        select id, lease_until > {tx.now_sql} as is_held from operations
        where account_id = $1 and status in ('accepted', 'sent', 'in_doubt')
            and coalesce((asked->>'account_epoch')::int, 0) < $2
        order by id for update
        """,  # noqa: S608  the schema's own clock
        account_id,
        epoch,
    )
    idle = [row["id"] for row in rows if not row["is_held"]]
    if idle:
        await tx.execute(
            f"""
            update operations set
                status = case when status = 'accepted' then 'rejected' else 'in_doubt' end, failure = $2::text::jsonb,
                changed_at = (select {tx.now_sql}), next_at = null, lease_until = null,
                fence = nextval('operations_fence')
            where id = any($1::text[]) and (status = 'accepted' or next_at is not null or lease_until is not null)
            """,  # noqa: S608  the schema's own clock
            idle,
            json.dumps(failure),
        )
    return len(idle) == len(rows)


async def hasten(tx: Transaction, kinds: Sequence[str], account_ids: Sequence[str]) -> None:
    """Let accepted operations of some accounts be sent now that were put off: what they waited for is there."""
    await tx.execute(
        f"""
        update operations set next_at = {tx.now_sql} from (
            select id from operations
            where kind = any($1::text[]) and account_id = any($2::text[]) and status = 'accepted'
                and next_at > {tx.now_sql} and (lease_until is null or lease_until <= {tx.now_sql})
            order by id for update skip locked
        ) resting where operations.id = resting.id
        """,  # noqa: S608  the schema's own clock
        list(kinds),
        list(account_ids),
    )


async def _claim(
    db: Database, kinds: Sequence[str], limit: int, lease: timedelta, status: str, *, first_only: bool
) -> list[Operation]:
    if limit <= 0:
        return []
    # Ids sort by time of birth. Two of one subject accepted in one millisecond are serial in either order.
    first = """
        and not exists (
            select 1 from operations older where older.kind = any($1::text[])
                and older.subject_id = operations.subject_id and older.id < operations.id
                and older.status in ('accepted', 'sent', 'in_doubt')
        )
    """
    async with db.begin() as tx:
        rows = await tx.fetch(
            f"""
            with found as (
                select id from operations
                where kind = any($1::text[]) and {status} and next_at <= {tx.now_sql}
                    and (lease_until is null or lease_until <= {tx.now_sql}) {first if first_only else ""}
                order by next_at, id limit $2 for update skip locked
            )
            update operations set lease_until = {tx.now_sql} + $3::interval, fence = nextval('operations_fence')
            from found where operations.id = found.id returning {COLUMNS}
            """,  # noqa: S608  fixed texts and the schema's own clock
            list(kinds),
            limit,
            lease,
        )
    return sorted((read(row) for row in rows), key=lambda operation: operation.id)
