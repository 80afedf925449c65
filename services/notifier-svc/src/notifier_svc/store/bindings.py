"""Keeps which template a trigger of an account sends; no row is a blank one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hanro.db import Transaction
from hanro.marketplace.types.enums.rules import Channel, Trigger
from notifier_svc.domain.planning import Binding

if TYPE_CHECKING:
    import asyncpg

_COLUMNS = "account_id, trigger, template, channel, bound_at"


async def find_binding(tx: Transaction, account_id: str, trigger: Trigger) -> Binding | None:
    """Give a binding, or None where the trigger is blank."""
    rows = await tx.fetch(
        f"select {_COLUMNS} from bindings where account_id = $1 and trigger = $2",  # noqa: S608  constants of ours
        account_id,
        trigger.value,
    )
    return _binding(rows[0]) if rows else None


async def list_bindings(tx: Transaction, account_ids: Sequence[str]) -> dict[str, dict[Trigger, Binding]]:
    """Give all bindings of these accounts, by account and trigger."""
    rows = await tx.fetch(
        f"select {_COLUMNS} from bindings where account_id = any($1::text[])",  # noqa: S608  constants of ours
        list(account_ids),
    )
    found: dict[str, dict[Trigger, Binding]] = {}
    for row in rows:
        found.setdefault(row["account_id"], {})[Trigger(row["trigger"])] = _binding(row)
    return found


async def save_binding(tx: Transaction, binding: Binding, *, by: str) -> Binding:
    """Store a binding and give it as it stands; a trigger that was bound already keeps its `bound_at`."""
    rows = await tx.fetch(
        f"""
        insert into bindings (account_id, trigger, template, channel, bound_at, changed_by)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (account_id, trigger) do update set
            template = excluded.template, channel = excluded.channel, changed_by = excluded.changed_by
        returning {_COLUMNS}
        """,  # noqa: S608  constants of ours
        binding.account_id,
        binding.trigger.value,
        binding.template,
        binding.channel.value,
        binding.bound_at,
        by,
    )
    return _binding(rows[0])


async def delete_binding(tx: Transaction, account_id: str, trigger: Trigger) -> None:
    """Make a trigger blank."""
    await tx.execute("delete from bindings where account_id = $1 and trigger = $2", account_id, trigger.value)


async def delete_bindings(tx: Transaction, account_id: str) -> None:
    """Make all triggers of an account blank."""
    await tx.execute("delete from bindings where account_id = $1", account_id)


async def count_bindings(tx: Transaction, account_id: str) -> int:
    """Count the triggers of an account that are bound."""
    return int((await tx.fetch("select count(*) from bindings where account_id = $1", account_id))[0][0])


def _binding(row: "asyncpg.Record") -> Binding:
    return Binding(**{**dict(row), "trigger": Trigger(row["trigger"]), "channel": Channel(row["channel"])})
