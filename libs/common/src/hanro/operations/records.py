"""Records what was asked for, and gives it to those who look: callers, operators, the person who decides."""

import json
from collections.abc import Collection, Mapping, Sequence

from hanro.db import Transaction
from hanro.errors import Rejected
from hanro.ids import new_id
from hanro.operations.values import COLUMNS, Ask, Operation, OperationStatus, read

PREFIX = "opr"

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

# What was only observed is over: it neither waits nor keeps a younger one of its subject from going.
DDL_2: tuple[str, ...] = (
    """
    alter table "{schema}".operations drop constraint operations_status_check, add constraint operations_status_check
        check (status in ('accepted', 'sent', 'applied', 'rejected', 'in_doubt', 'observed'))
    """,
    'alter table "{schema}".operations add column plan jsonb',
)


async def accept(
    tx: Transaction, *, kind: str, subject_id: str, account_id: str | None, asked: Mapping[str, object], by: str
) -> Operation:
    """Record that an effect was asked for; a doer will send it. `by` is the caller's subject."""
    rows = await tx.fetch(
        f"""
        insert into operations
            (id, kind, subject_id, account_id, status, asked, asked_by, accepted_at, changed_at, next_at)
        select $1, $2, $3, $4, 'accepted', $5::text::jsonb, $6, now, now, now from (select {tx.now_sql} as now) clock
        returning {COLUMNS}
        """,  # noqa: S608  the schema's own clock and fixed texts
        new_id(PREFIX),
        kind,
        subject_id,
        account_id,
        json.dumps(asked),
        by,
    )
    return read(rows[0])


async def accept_once(
    tx: Transaction,
    *,
    kind: str,
    asks: Sequence[Ask],
    by: str,
    besides: Collection[str] = (),
    passing: Collection[str] = (),
) -> list[str]:
    """Record effects that nobody asked for yet, in one statement, and give the subjects of those that were recorded.

    Left out is a subject that has an operation of this kind or of one `besides`, however it ended; one that was
    rejected with a code among `passing` does not count: what was in its way may be gone. The caller locks the subjects,
    each of which stands there once.
    """
    if not asks:
        return []
    ordered = sorted(asks, key=lambda one: one.subject_id)
    rows = await tx.fetch(
        f"""
        insert into operations
            (id, kind, subject_id, account_id, status, asked, asked_by, accepted_at, changed_at, next_at)
        select wanted.id, $5, wanted.subject_id, wanted.account_id, 'accepted', wanted.asked::jsonb, $6, now, now, now
        from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as wanted (id, subject_id, account_id, asked),
            (select {tx.now_sql} as now) clock
        where not exists (
            select from operations earlier
            where earlier.subject_id = wanted.subject_id and earlier.kind = any($7::text[])
                and not (earlier.status = 'rejected' and coalesce(earlier.failure->>'code', '') = any($8::text[]))
        )
        returning subject_id
        """,  # noqa: S608  the schema's own clock
        [new_id(PREFIX) for _ in ordered],
        [one.subject_id for one in ordered],
        [one.account_id for one in ordered],
        [json.dumps(one.asked) for one in ordered],
        kind,
        by,
        [kind, *besides],
        list(passing),
    )
    return [row["subject_id"] for row in rows]


async def resolve(
    tx: Transaction,
    operation_id: str,
    status: OperationStatus,
    *,
    by: str,
    failure: Mapping[str, object] | None = None,
) -> Operation | None:
    """Let a person decide an operation in doubt: applied, rejected, or accepted (send again). None: not in doubt.

    Who decided what stays in its answer's `resolutions`, the first one first, whatever comes of it. A doer that looks
    for it at this moment loses its claim, so that what it finds does not undo the decision.
    """
    rows = await tx.fetch(
        f"""
        update operations set status = $2, failure = $4::text::jsonb, changed_at = {tx.now_sql}, lease_until = null,
            fence = nextval('operations_fence'), next_at = case when $2 = 'accepted' then {tx.now_sql} end,
            answer = coalesce(answer, '{{}}'::jsonb) || jsonb_build_object('resolutions',
                coalesce(answer->'resolutions', '[]'::jsonb)
                || jsonb_build_array(jsonb_build_object('status', $2::text, 'by', $3::text, 'at', {tx.now_sql})))
        where id = $1 and status = 'in_doubt' returning {COLUMNS}
        """,  # noqa: S608  the schema's own clock and fixed texts
        operation_id,
        status.value,
        by,
        None if failure is None else json.dumps(failure),
    )
    return read(rows[0]) if rows else None


async def get_(tx: Transaction, operation_id: str) -> Operation:
    """Give an operation.

    Raises:
        Rejected: there is none of that id; code "not-found".
    """
    rows = await tx.fetch(
        f"select {COLUMNS} from operations where id = $1",  # noqa: S608  fixed texts
        operation_id,
    )
    if not rows:
        raise Rejected("There is no such operation.", code="not-found")
    return read(rows[0])


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
        select {COLUMNS} from operations
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
    return [read(row) for row in rows]
