"""Keeps every outward effect as a row: accepted → sent → applied, rejected or in doubt.

A doer claims what may be sent, commits *sent*, and only then calls; a process that dies in between leaves a *sent* row
whose lease runs out: it is claimed by `claim_unsure` and verified, never sent blindly again. Operations of one kind and
subject are serial: a younger one is not sent before the older one is applied or rejected.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from hanro.db import Database, Transaction
from hanro.errors import Rejected, Retryable
from hanro.ids import new_id

if TYPE_CHECKING:
    import asyncpg

PREFIX = "opr"

# The JSON as text: what a driver makes of it is the driver's affair.
_COLUMNS = """
    operations.id, operations.kind, operations.subject_id, operations.account_id, operations.status,
    operations.asked::text, operations.asked_by, operations.attempt_count, operations.failure::text,
    operations.answer::text, operations.accepted_at, operations.sent_at, operations.changed_at, operations.next_at,
    operations.fence
"""


class OperationStatus(StrEnum):
    """Tell how far an operation is; *accepted* says that we took it, never that the marketplace did."""

    ACCEPTED = "accepted"
    SENT = "sent"
    APPLIED = "applied"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"


DDL_1: tuple[str, ...] = (
    'create sequence "{schema}".operations_fence as bigint',
    """
    create table "{schema}".operations (
        id text primary key,
        kind text not null,
        subject_id text not null,
        account_id text,
        status text not null check (status in ('accepted', 'sent', 'applied', 'rejected', 'in_doubt')),
        asked jsonb not null,
        asked_by text not null,
        attempt_count integer not null default 0,
        failure jsonb,
        answer jsonb,
        accepted_at timestamptz not null,
        sent_at timestamptz,
        changed_at timestamptz not null,
        next_at timestamptz,
        lease_until timestamptz,
        fence bigint not null default 0
    )
    """,
    'create index operations_next on "{schema}".operations (kind, next_at) where next_at is not null',
    """
    create index operations_open on "{schema}".operations (kind, subject_id, id)
        where status in ('accepted', 'sent', 'in_doubt')
    """,
    'create index operations_subject on "{schema}".operations (subject_id, id)',
    'create index operations_account on "{schema}".operations (account_id, id)',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Be an outward effect that somebody asked for.

    `asked` is what was asked, without personal data or secrets; `failure` says who must act (`error`, `code`, `why`,
    and the marketplace's refusal), `answer` what the marketplace said. `next_at`: when a doer looks again, None: never.
    `fence` names the claim that a doer's marks are for.
    """

    id: str
    kind: str
    subject_id: str
    account_id: str | None
    status: OperationStatus
    asked: Mapping[str, object]
    asked_by: str
    attempt_count: int
    failure: Mapping[str, object] | None
    answer: Mapping[str, object] | None
    accepted_at: datetime
    sent_at: datetime | None
    changed_at: datetime
    next_at: datetime | None
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Be what a doer found out about an operation that it claimed: give the operation's `id` and `fence`.

    ACCEPTED again: surely not there, to be sent once more at `next_at`. SENT with `next_at`: look again then; without:
    when the lease runs out. IN_DOUBT with `next_at`: verify again then; without: a person decides. The lease ends with
    every mark but SENT without `next_at`.
    """

    id: str
    fence: int
    status: OperationStatus
    failure: Mapping[str, object] | None = None
    answer: Mapping[str, object] | None = None
    next_at: datetime | None = None


async def accept(
    tx: Transaction, *, kind: str, subject_id: str, account_id: str | None, asked: Mapping[str, object], by: str
) -> Operation:
    """Record that an effect was asked for; a doer will send it. `by` is the caller's subject."""
    rows = await tx.fetch(
        f"""
        insert into operations
            (id, kind, subject_id, account_id, status, asked, asked_by, accepted_at, changed_at, next_at)
        select $1, $2, $3, $4, 'accepted', $5::text::jsonb, $6, now, now, now from (select {tx.now_sql} as now) clock
        returning {_COLUMNS}
        """,  # noqa: S608  the schema's own clock and fixed texts
        new_id(PREFIX),
        kind,
        subject_id,
        account_id,
        json.dumps(asked),
        by,
    )
    return _operation(rows[0])


async def claim_sendable(db: Database, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[Operation]:
    """Take accepted operations whose time has come, oldest first, for `lease`; committed when this returns.

    Passed over: those behind an unfinished older one of the same kind and subject, and those that others are taking.
    """
    return await _claim(db, kinds, limit, lease, "status = 'accepted'", first_only=True)


async def claim_unsure(db: Database, kinds: Sequence[str], *, limit: int, lease: timedelta) -> list[Operation]:
    """Take operations to look after: sent ones whose answer is overdue, sent or in doubt ones due for a look."""
    return await _claim(db, kinds, limit, lease, "status in ('sent', 'in_doubt')", first_only=False)


async def mark(tx: Transaction, *marks: Mark) -> None:
    """Write what became of claimed operations, in one statement.

    Raises:
        Retryable: a lease of one of them was lost to another process; nothing is to be committed. Code "lease-lost".
    """
    ordered = sorted(marks, key=lambda one: one.id)
    touched = await tx.fetch(
        f"""
        with wanted as (
            select id, fence, status, failure::jsonb, answer::jsonb, next_at
            from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
                as t (id, fence, status, failure, answer, next_at)
        ), held as (
            select operations.id from operations join wanted using (id, fence)
            order by operations.id for update of operations
        )
        update operations set
            status = wanted.status,
            failure = wanted.failure,
            answer = coalesce(wanted.answer, operations.answer),
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
    )
    if len(touched) != len(ordered):
        raise Retryable("Another process took an operation over.", code="lease-lost")


async def resolve(tx: Transaction, operation_id: str, status: OperationStatus, *, by: str) -> Operation | None:
    """Let a person decide an operation in doubt: applied, rejected, or accepted (send again). None: not in doubt."""
    rows = await tx.fetch(
        f"""
        update operations set status = $2, changed_at = {tx.now_sql}, lease_until = null,
            answer = coalesce(answer, '{{}}'::jsonb) || jsonb_build_object('resolved_by', $3::text),
            next_at = case when $2 = 'accepted' then {tx.now_sql} end
        where id = $1 and status = 'in_doubt' returning {_COLUMNS}
        """,  # noqa: S608  the schema's own clock
        operation_id,
        status.value,
        by,
    )
    return _operation(rows[0]) if rows else None


async def get_(tx: Transaction, operation_id: str) -> Operation:
    """Give an operation.

    Raises:
        Rejected: there is none of that id; code "not-found".
    """
    rows = await tx.fetch(
        f"select {_COLUMNS} from operations where id = $1",  # noqa: S608  fixed texts
        operation_id,
    )
    if not rows:
        raise Rejected("There is no such operation.", code="not-found")
    return _operation(rows[0])


async def list_(
    tx: Transaction,
    *,
    limit: int,
    kind: str | None = None,
    subject_id: str | None = None,
    account_ids: Sequence[str] | None = None,
    status: OperationStatus | None = None,
    before_id: str | None = None,
) -> list[Operation]:
    """Give operations, newest first, at most `limit`; `account_ids` None: of every account."""
    rows = await tx.fetch(
        f"""
        select {_COLUMNS} from operations
        where ($1::text is null or kind = $1) and ($2::text is null or subject_id = $2)
            and ($3::text[] is null or account_id = any($3)) and ($4::text is null or status = $4)
            and ($5::text is null or id < $5)
        order by id desc limit $6
        """,  # noqa: S608  fixed texts
        kind,
        subject_id,
        None if account_ids is None else list(account_ids),
        status.value if status else None,
        before_id,
        limit,
    )
    return [_operation(row) for row in rows]


async def _claim(
    db: Database, kinds: Sequence[str], limit: int, lease: timedelta, status: str, *, first_only: bool
) -> list[Operation]:
    if limit <= 0:
        return []
    # Ids sort by time of birth. Two of one subject accepted in one millisecond are serial in either order.
    first = """
        and not exists (
            select 1 from operations older where older.kind = operations.kind
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
            from found where operations.id = found.id returning {_COLUMNS}
            """,  # noqa: S608  fixed texts and the schema's own clock
            list(kinds),
            limit,
            lease,
        )
    return sorted((_operation(row) for row in rows), key=lambda operation: operation.id)


def _operation(row: "asyncpg.Record") -> Operation:
    return Operation(
        id=row["id"],
        kind=row["kind"],
        subject_id=row["subject_id"],
        account_id=row["account_id"],
        status=OperationStatus(row["status"]),
        asked=json.loads(row["asked"]),
        asked_by=row["asked_by"],
        attempt_count=row["attempt_count"],
        failure=None if row["failure"] is None else json.loads(row["failure"]),
        answer=None if row["answer"] is None else json.loads(row["answer"]),
        accepted_at=row["accepted_at"],
        sent_at=row["sent_at"],
        changed_at=row["changed_at"],
        next_at=row["next_at"],
        fence=row["fence"],
    )
