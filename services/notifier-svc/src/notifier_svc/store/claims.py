"""Gives messages to one sender at a time, and settles what became of them; only the newest claim may.

A claim moves `next_at` on by its lease, by the server's clock. A message that lapses while planned is claimed again;
one that lapses while sending may have left, and is in doubt.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from hanro.db import Transaction
from notifier_svc.domain.messages import Message, State
from notifier_svc.store.accounts import share_accounts
from notifier_svc.store.messages import COLUMNS, message_of


async def claim_messages(
    tx: Transaction, *, account_limit: int, limit_each: int, lease: timedelta, busy: Collection[str]
) -> list[Message]:
    """Take what is due of up to `account_limit` accounts that work, those that waited longest first.

    `busy` accounts are passed over, and so is what another process is taking. Sorted by account, then by plan.
    """
    rows = await tx.fetch(
        f"""
        with ready as materialized (
            select a.id, d.next_at from accounts a
            cross join lateral (
                select m.next_at from messages m
                where m.account_id = a.id and m.state = 'planned' and m.next_at <= {tx.now_sql}
                order by m.next_at limit 1
            ) d
            where a.is_enabled and a.state in ('active', 'degraded') and a.id <> all($1::text[])
                and (a.paused_until is null or a.paused_until <= {tx.now_sql})
            order by d.next_at limit $2
        ), taken as (
            select m.id from ready cross join lateral (
                select messages.id from messages
                where messages.account_id = ready.id and state = 'planned' and messages.next_at <= {tx.now_sql}
                order by messages.next_at, messages.id limit $3 for update skip locked
            ) m
        )
        update messages set next_at = {tx.now_sql} + $4::interval, attempt = attempt + 1
        from taken where messages.id = taken.id returning {COLUMNS}
        """,  # noqa: S608  the schema's own clock
        list(busy),
        account_limit,
        limit_each,
        lease,
    )
    return sorted(map(message_of, rows), key=lambda message: (message.account_id, message.id))


async def take_over(tx: Transaction, *, limit: int) -> list[Message]:
    """Put in doubt what somebody began to send and did not settle in time; give it as it stands now."""
    rows = await tx.fetch(
        f"""
        with lapsed as (
            select id from messages where state = 'sending' and next_at <= {tx.now_sql}
            order by id limit $1 for update skip locked
        )
        update messages set state = 'in_doubt', reason_code = 'answer-lost', next_at = null, version = version + 1,
            changed_at = {tx.now_sql}
        from lapsed where messages.id = lapsed.id returning {COLUMNS}
        """,  # noqa: S608  the schema's own clock
        limit,
    )
    return [message_of(row) for row in rows]


async def mark_sending(tx: Transaction, message: Message, *, lease: timedelta) -> bool:
    """Note that the mail may leave from now on; False: the claim has lapsed, and it must not.

    `mail_id` and `template_version` of `message` are kept; a Message-ID that stands already stays. Nothing that changes
    the account commits before this does: what it switches off is either sent before, or never.
    """
    account = (await share_accounts(tx, [message.account_id])).get(message.account_id)
    if account is None or not account.is_sending or account.epoch > message.account_epoch:
        return False
    touched = await tx.execute(
        f"""
        update messages set state = 'sending', next_at = {tx.now_sql} + $3::interval, changed_at = {tx.now_sql},
            mail_id = coalesce(mail_id, $4), template_version = $5
        where id = $1 and attempt = $2 and state = 'planned' and next_at > {tx.now_sql}
        """,  # noqa: S608  the schema's own clock
        message.id,
        message.attempt,
        lease,
        message.mail_id,
        message.template_version,
    )
    return touched == 1


async def settle_message(
    tx: Transaction,
    message: Message,
    state: State,
    *,
    reason_code: str | None,
    answer: str | None,
    plan: Mapping[str, str] | None = None,
) -> Message | None:
    """Store a message's fate and give it; None: a newer claim or a person was faster.

    A message that was put in doubt meanwhile is settled all the same, while nobody has decided: the truth came late.
    """
    rows = await tx.fetch(
        f"""
        update messages set state = $3, reason_code = $4, answer = $5, plan = $6::text::jsonb, next_at = null,
            version = version + 1, changed_at = {tx.now_sql},
            handed_over_at = case when $3 = 'handed_over' then {tx.now_sql} end
        where id = $1 and attempt = $2
            and (state in ('planned', 'sending') or (state = 'in_doubt' and $3 <> 'in_doubt'))
        returning {COLUMNS}
        """,  # noqa: S608  the schema's own clock
        message.id,
        message.attempt,
        state.value,
        reason_code,
        answer,
        None if plan is None else json.dumps(plan, ensure_ascii=False),
    )
    return message_of(rows[0]) if rows else None


async def suppress_planned(tx: Transaction, account_ids: Sequence[str], *, reason_code: str) -> list[Message]:
    """Suppress all that is planned for some accounts, claimed or not, and give it; what is being sent stays so."""
    rows = await tx.fetch(
        f"""
        with planned as (
            select id from messages where account_id = any($1::text[]) and state = 'planned' order by id for update
        )
        update messages set state = 'suppressed', reason_code = $2, next_at = null, version = version + 1,
            changed_at = {tx.now_sql}
        from planned where messages.id = planned.id returning {COLUMNS}
        """,  # noqa: S608  the schema's own clock
        list(account_ids),
        reason_code,
    )
    return [message_of(row) for row in rows]


async def suppress_erased(tx: Transaction, order_ids: Sequence[str], *, reason_code: str) -> list[Message]:
    """Suppress all that is planned for some orders, and give it; forget what relays answered and plans showed."""
    await tx.execute(
        """
        update messages set answer = null, plan = null
        from (select id from messages where order_id = any($1::text[]) order by id for update) held
        where messages.id = held.id and (answer is not null or plan is not null)
        """,
        list(order_ids),
    )
    rows = await tx.fetch(
        f"""
        with planned as (
            select id from messages where order_id = any($1::text[]) and state = 'planned' order by id for update
        )
        update messages set state = 'suppressed', reason_code = $2, next_at = null, version = version + 1,
            changed_at = {tx.now_sql}
        from planned where messages.id = planned.id returning {COLUMNS}
        """,  # noqa: S608  the schema's own clock
        list(order_ids),
        reason_code,
    )
    return [message_of(row) for row in rows]


async def put_off(
    tx: Transaction, message: Message, *, next_at: datetime, reason_code: str, answer: str | None
) -> None:
    """Plan a message anew that has surely not left, after one failure more."""
    await tx.execute(
        """
        update messages set state = 'planned', next_at = $3, reason_code = $4, answer = $5,
            failure_count = failure_count + 1
        where id = $1 and attempt = $2 and state in ('planned', 'sending')
        """,
        message.id,
        message.attempt,
        next_at,
        reason_code,
        answer,
    )


async def give_back(tx: Transaction, messages: Sequence[Message]) -> None:
    """Let others take messages that have surely not left; their claim ends."""
    await tx.execute(
        f"""
        update messages set state = 'planned', next_at = {tx.now_sql}
        from unnest($1::text[], $2::integer[]) as held (id, attempt)
        where messages.id = held.id and messages.attempt = held.attempt and state in ('planned', 'sending')
        """,  # noqa: S608  the schema's own clock
        [message.id for message in messages],
        [message.attempt for message in messages],
    )
