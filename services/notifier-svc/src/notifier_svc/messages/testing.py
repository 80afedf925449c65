"""Tests an account's sender before the first buyer gets a mail: one mail to the shop itself."""

from collections.abc import Callable
from datetime import timedelta

from hanro.db import Transaction
from hanro.ids import new_id
from hanro.marketplace.types import Channel, Trigger
from notifier_svc.domain.accounts import Account
from notifier_svc.domain.messages import PREFIX, Message, State
from notifier_svc.store.accounts import clear_pause
from notifier_svc.store.messages import insert_messages, last_tests

BETWEEN = timedelta(minutes=1)
# Somebody waits for it: what cannot leave within the hour is asked for again.
LONGEST_WAIT = timedelta(hours=1)
UNDER_WAY = frozenset({State.PLANNED, State.SENDING})
TEMPLATE = "-"


class TooSoon(Exception):
    """The last test of this account was asked for a moment ago; `after` is how long to wait."""

    def __init__(self, after: timedelta) -> None:
        super().__init__("too soon after the last test")
        self.after = after


async def ask(tx: Transaction, account: Account, *, wake: Callable[[], None]) -> Message:
    """Plan a test of an account that is locked; while one is under way it is that one that is given.

    Raises:
        TooSoon: the last one was asked for less than a minute ago.
    """
    at = await tx.now()
    last, _ = await last_tests(tx, account.id)
    if last is not None and last.state in UNDER_WAY:
        return last
    if last is not None and at - last.planned_at < BETWEEN:
        raise TooSoon(BETWEEN - (at - last.planned_at))
    message = Message(
        id=new_id(PREFIX),
        account_id=account.id,
        account_epoch=account.epoch,
        marketplace_id=account.marketplace_id,
        order_id=None,
        order_external_id=None,
        trigger=Trigger.MANUAL,
        occurrence=1,
        channel=Channel.RELAY,
        template=TEMPLATE,
        state=State.PLANNED,
        reason_code=None,
        milestone_at=at,
        planned_at=at,
        expires_at=at + LONGEST_WAIT,
        changed_at=at,
        next_at=at,
        is_test=True,
    )
    await insert_messages(tx, [message], is_test=True)
    # Who asks has mended something: what was refused before says nothing now.
    await clear_pause(tx, account.id)
    tx.after_commit(wake)
    return message
