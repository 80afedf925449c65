"""Keeps the ledger of messages: one row for each (order, trigger, occurrence), whatever becomes of it."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from hanro.db import Transaction
from hanro.marketplace.types.enums.rules import Channel, Trigger
from notifier_svc.domain.messages import Decision, Message, State
from notifier_svc.domain.planning import Skip

if TYPE_CHECKING:
    import asyncpg

# Never a star: a column that a later version brings must not reach the code of this one.
COLUMNS = ", ".join(f"messages.{one.name}" for one in fields(Message))

Written = tuple[Trigger, int]


async def list_written(tx: Transaction, order_ids: Sequence[str]) -> dict[str, frozenset[Written]]:
    """Give (trigger, occurrence) of all messages and skips of these orders, by order; those without are left out."""
    rows = await tx.fetch(
        """
        select order_id, trigger, occurrence from messages where order_id = any($1::text[])
        union all select order_id, trigger, occurrence from skips where order_id = any($1::text[])
        """,
        list(order_ids),
    )
    found: dict[str, set[Written]] = {}
    for row in rows:
        found.setdefault(row["order_id"], set()).add((Trigger(row["trigger"]), row["occurrence"]))
    return {order_id: frozenset(written) for order_id, written in found.items()}


async def insert_messages(tx: Transaction, messages: Sequence[Message], *, is_test: bool = False) -> frozenset[str]:
    """Store messages and give the ids of those that were new: of each (order, trigger, occurrence) there is one."""
    if not messages:
        return frozenset()
    rows = await tx.fetch(
        """
        insert into messages (
            id, account_id, account_epoch, marketplace_id, order_id, order_external_id, trigger, occurrence, channel,
            template, state, reason_code, milestone_at, planned_at, expires_at, changed_at, next_at, version, attempt,
            failure_count, is_test
        )
        select stated.*, 0, 0, $19::boolean from unnest(
            $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[],
            $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::bigint[]
        ) as stated
        on conflict (order_id, trigger, occurrence) do nothing
        returning id
        """,
        [message.id for message in messages],
        [message.account_id for message in messages],
        [message.account_epoch for message in messages],
        [message.marketplace_id for message in messages],
        [message.order_id for message in messages],
        [message.order_external_id for message in messages],
        [message.trigger.value for message in messages],
        [message.occurrence for message in messages],
        [message.channel.value for message in messages],
        [message.template for message in messages],
        [message.state.value for message in messages],
        [message.reason_code for message in messages],
        [message.milestone_at for message in messages],
        [message.planned_at for message in messages],
        [message.expires_at for message in messages],
        [message.changed_at for message in messages],
        [message.next_at for message in messages],
        [message.version for message in messages],
        is_test,
    )
    return frozenset(row["id"] for row in rows)


async def insert_skips(tx: Transaction, skips: Sequence[Skip]) -> None:
    """Store milestones that nothing was bound to; those that stand already stay."""
    if not skips:
        return
    await tx.execute(
        """
        insert into skips (order_id, trigger, occurrence, account_id, reason_code, milestone_at)
        select * from unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[])
        on conflict do nothing
        """,
        [skip.order_id for skip in skips],
        [skip.trigger.value for skip in skips],
        [skip.occurrence for skip in skips],
        [skip.account_id for skip in skips],
        [skip.reason_code for skip in skips],
        [skip.milestone_at for skip in skips],
    )


async def find_message(tx: Transaction, message_id: str, shop_ids: Sequence[str] | None) -> Message | None:
    """Give a message that these internal shops may see (None: all shops), or None."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from messages where id = $1 and ($2::text[] is null or exists (
            select 1 from accounts where accounts.id = messages.account_id and accounts.shop_ids && $2
        ))
        """,  # noqa: S608  columns of ours
        message_id,
        None if shop_ids is None else list(shop_ids),
    )
    return message_of(rows[0]) if rows else None


async def lock_message(tx: Transaction, message_id: str) -> None:
    """Lock a message; nothing where there is none."""
    await tx.execute("select 1 from messages where id = $1 for update", message_id)


async def list_messages(
    tx: Transaction,
    *,
    shop_ids: Sequence[str] | None,
    order_id: str | None,
    account_id: str | None,
    state: State | None,
    reason_code: str | None = None,
    before: str | None,
    limit: int,
) -> list[Message]:
    """Give messages that these shops may see, newest first, older than the id `before`; None does not filter."""
    rows = await tx.fetch(
        f"""
        select {COLUMNS} from messages
        where ($1::text[] is null or account_id in (select id from accounts where shop_ids && $1))
            and ($2::text is null or order_id = $2) and ($3::text is null or account_id = $3)
            and ($4::text is null or state = $4) and ($5::text is null or id < $5)
            and ($7::text is null or reason_code = $7)
        order by id desc limit $6
        """,  # noqa: S608  columns of ours
        None if shop_ids is None else list(shop_ids),
        order_id,
        account_id,
        None if state is None else state.value,
        before,
        limit,
        reason_code,
    )
    return [message_of(row) for row in rows]


async def last_tests(tx: Transaction, account_id: str) -> tuple[Message | None, Message | None]:
    """Give the newest test of an account's sender, and the newest that its relay took."""
    rows = await tx.fetch(
        f"""
        (select {COLUMNS} from messages where account_id = $1 and is_test order by id desc limit 1)
        union all
        (select {COLUMNS} from messages where account_id = $1 and is_test and state = 'handed_over'
            order by id desc limit 1)
        """,  # noqa: S608  columns of ours
        account_id,
    )
    found = sorted((message_of(row) for row in rows), key=lambda message: message.id)
    proven = next((message for message in found if message.state is State.HANDED_OVER), None)
    return (found[-1] if found else None), proven


async def list_skips(tx: Transaction, order_id: str, shop_ids: Sequence[str] | None) -> list[Skip]:
    """Give the milestones of an order that nothing was bound to, oldest first."""
    rows = await tx.fetch(
        """
        select order_id, trigger, occurrence, account_id, reason_code, milestone_at from skips
        where order_id = $1 and ($2::text[] is null or account_id in (select id from accounts where shop_ids && $2))
        order by milestone_at, trigger
        """,
        order_id,
        None if shop_ids is None else list(shop_ids),
    )
    return [Skip(**{**dict(row), "trigger": Trigger(row["trigger"])}) for row in rows]


async def save_decided(tx: Transaction, message: Message) -> None:
    """Store what a person's decision changed; the row is locked."""
    await tx.execute(
        """
        update messages set state = $2, reason_code = $3, changed_at = $4, next_at = $5, version = $6, expires_at = $7,
            failure_count = $8, decision = $9, decided_by = $10, decided_at = $11
        where id = $1
        """,
        message.id,
        message.state.value,
        message.reason_code,
        message.changed_at,
        message.next_at,
        message.version,
        message.expires_at,
        message.failure_count,
        message.decision.value if message.decision else None,
        message.decided_by,
        message.decided_at,
    )


def message_of(row: "asyncpg.Record") -> Message:
    """Read a row of the ledger."""
    found = dict(row)
    return Message(
        **{
            **found,
            "trigger": Trigger(found["trigger"]),
            "channel": Channel(found["channel"]),
            "state": State(found["state"]),
            "decision": Decision(found["decision"]) if found["decision"] else None,
        }
    )
