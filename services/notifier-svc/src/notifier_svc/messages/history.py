"""Tells what became of messages, and lets a person decide about those in doubt."""

from collections.abc import Callable, Sequence

from hanro import outbox
from hanro.db import Transaction
from hanro.errors import Rejected
from notifier_svc.domain.decisions import resolve
from notifier_svc.domain.messages import Decision, Message, State, restate_all
from notifier_svc.store.accounts import find_account
from notifier_svc.store.messages import find_message, lock_message, save_decided


async def get(tx: Transaction, message_id: str, shop_ids: Sequence[str] | None) -> Message:
    """Give a message that one of these internal shops may see (None: all).

    Raises:
        Rejected: there is none, or the caller may not see it; code "not-found".
    """
    found = await find_message(tx, message_id, shop_ids)
    if found is None:
        raise Rejected(f"There is no message {message_id!r}.", code="not-found")
    return found


async def decide(
    tx: Transaction,
    message_id: str,
    decision: Decision,
    *,
    by: str,
    shop_ids: Sequence[str] | None,
    wake: Callable[[], None],
) -> Message:
    """Settle a message in doubt by a person's decision, under that person's name.

    Raises:
        Rejected: no such message (not-found), it is not in doubt (already-decided), or it is to be sent again although
            its account was unlinked since (unlinked).
    """
    await lock_message(tx, message_id)
    message = await get(tx, message_id, shop_ids)
    if decision is Decision.SEND_AGAIN:
        await _require_same_link(tx, message)
    at = await tx.now()
    decided = resolve(message, decision, by=by, at=at)
    if decided is message:
        return message
    await save_decided(tx, decided)
    if decided.state is State.PLANNED:
        tx.after_commit(wake)
    else:
        await outbox.record(tx, *restate_all([decided]))
    return decided


async def _require_same_link(tx: Transaction, message: Message) -> None:
    account = await find_account(tx, message.account_id)
    if account is not None and message.account_epoch < account.epoch:
        why = "The account was unlinked since: nothing of before is sent. Say that it was sent, or give it up."
        raise Rejected(why, code="unlinked")
