"""Keeps what accounts say of their carriers."""

import json

from hanro.db import Transaction
from order_svc.domain.carriers import NOTHING_SAID, CarrierChoice


async def get_choice(tx: Transaction, account_id: str, *, is_locked: bool = False) -> CarrierChoice:
    """Give an account's choice, locked on demand; of one that said nothing an empty one."""
    rows = await tx.fetch(
        f"""
        select version, default_carrier, names::text as names from carrier_choices where account_id = $1
        {"for update" if is_locked else ""}
        """,  # noqa: S608  fixed texts
        account_id,
    )
    if not rows:
        return NOTHING_SAID
    return CarrierChoice(
        version=rows[0]["version"], default_carrier=rows[0]["default_carrier"], names=json.loads(rows[0]["names"])
    )


async def save_choice(tx: Transaction, account_id: str, choice: CarrierChoice) -> None:
    """Store an account's choice."""
    await tx.execute(
        f"""
        insert into carrier_choices (account_id, version, default_carrier, names, changed_at)
        values ($1, $2, $3, $4::text::jsonb, {tx.now_sql})
        on conflict (account_id) do update set version = excluded.version,
            default_carrier = excluded.default_carrier, names = excluded.names, changed_at = excluded.changed_at
        """,  # noqa: S608  the schema's own clock
        account_id,
        choice.version,
        choice.default_carrier,
        json.dumps(dict(choice.names)),
    )


async def delete_choice(tx: Transaction, account_id: str) -> None:
    """Forget an account's choice."""
    await tx.execute("delete from carrier_choices where account_id = $1", account_id)
