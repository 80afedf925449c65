"""Ends what was planned for an account before it was unlinked, and tells whether any of it is still leaving."""

from hanro.db import Transaction
from notifier_svc.domain.messages import Message
from notifier_svc.store.messages import COLUMNS, message_of

UNLINKED = "unlinked"


async def suppress_planned(tx: Transaction, account_id: str, epoch: int, *, limit: int) -> list[Message]:
    """Suppress planned messages of an account of before `epoch`, at most `limit`, and give them as they stand now.

    Who claimed one of them can no longer mark it as leaving.
    """
    rows = await tx.fetch(
        f"""
        with past as (
            select id from messages where account_id = $1 and account_epoch < $2 and state = 'planned'
            order by id limit $3 for update
        )
        update messages set state = 'suppressed', reason_code = $4, next_at = null, version = version + 1,
            changed_at = (select {tx.now_sql})
        from past where messages.id = past.id returning {COLUMNS}
        """,  # noqa: S608  the schema's own clock
        account_id,
        epoch,
        limit,
        UNLINKED,
    )
    return sorted(map(message_of, rows), key=lambda message: message.id)


async def is_sending(tx: Transaction, account_id: str, epoch: int) -> bool:
    """Tell whether a mail of an account of before `epoch` may be leaving now; one whose sender died lapses."""
    rows = await tx.fetch(
        "select 1 from messages where account_id = $1 and account_epoch < $2 and state = 'sending' limit 1",
        account_id,
        epoch,
    )
    return bool(rows)
