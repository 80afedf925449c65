"""Keeps what is ticked on accounts' checklists, and shows how they stand."""

from collections.abc import Sequence
from datetime import datetime

from account_svc.accounts import audit, jobs
from account_svc.domain import activation
from account_svc.domain import checklist as rules
from account_svc.domain.accounts import WORKING, Account
from account_svc.domain.checklist import Item, Tick, TickWish
from account_svc.domain.preflights import Awaited
from account_svc.domain.transitions import Deed, require
from account_svc.store import checklist as store
from account_svc.store import credentials as credential_rows
from hanro import due
from hanro.db import Transaction
from hanro.marketplace import Fault
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Prerequisite

HISTORY = 20
"""So many ticks of an item are shown."""
TICKED = "tick-checklist"


class TickMalformed(Exception):
    """What was said of an item cannot be; `faults` name the fields, nothing was stored."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("a tick is malformed: " + ", ".join(fault.field for fault in faults))
        self.faults = faults


async def registration_of(tx: Transaction, account: Account, named: str | None = None) -> str | None:
    """Give the way to register that an account's credentials belong to; without any: the one that was named."""
    stored = await credential_rows.find_credentials(tx, account.id)
    return stored.registration_id if stored is not None else named


async def items_of(
    tx: Transaction, account: Account, plugin: Plugin, registration_id: str | None, now: datetime
) -> list[Item]:
    """Show an account's checklist, in the guide's order."""
    ticks = (await store.list_ticks(tx, [account.id], newest=HISTORY)).get(account.id, [])
    wanted = rules.applying(plugin.guide, registration_id)
    return [rules.stand(one, _of(one, ticks), account, plugin.zone, now) for one in wanted]


async def find_awaited(tx: Transaction, account: Account, plugin: Plugin, now: datetime) -> Awaited | None:
    """Give what of an account's checklist was applied for and is not decided there; None: nothing is awaited."""
    registration_id = await registration_of(tx, account)
    return rules.find_awaited(await items_of(tx, account, plugin, registration_id, now), plugin.guide)


async def tick(
    tx: Transaction, account: Account, plugin: Plugin, prerequisite_id: str, wish: TickWish, *, by: str, now: datetime
) -> Item:
    """Note a step of a prerequisite of an account that is locked; the same again changes nothing.

    An account that does not work is checked at once: what was applied for there, or decided, says why.

    Raises:
        NotNow: the account's state does not allow it.
        Rejected: no such item ("not-found"), proven by grants ("proven-by-grants"), or too early ("check-first").
        TickMalformed: a field says what cannot be.
    """
    require(account, Deed.DESCRIBE)
    registration_id = await registration_of(tx, account)
    prerequisite = rules.find_prerequisite(plugin.guide, registration_id, prerequisite_id)
    known = _of(prerequisite, (await store.list_ticks(tx, [account.id], newest=HISTORY)).get(account.id, []))
    newest = known[0] if known else None
    faults = rules.find_faults(prerequisite, wish, newest.start_day if newest else None, plugin.zone, now)
    if faults:
        raise TickMalformed(faults)
    rules.check_possible(prerequisite, wish, account)
    if not rules.is_same(newest, wish):
        made = Tick(
            prerequisite_id=prerequisite.id,
            state=wish.state,
            at=wish.at or now,
            start_day=wish.start_day,
            ticked_by=by,
            ticked_at=now,
        )
        await store.save_tick(tx, account.id, made)
        await audit.note(tx, TICKED, account_id=account.id, shop_ids=account.shop_ids, changed=[prerequisite.id])
        known = [made, *known][:HISTORY]
        if rules.can_be_awaited(prerequisite):
            await _check_again(tx, account, plugin)
    return rules.stand(prerequisite, known, account, plugin.zone, now)


async def _check_again(tx: Transaction, account: Account, plugin: Plugin) -> None:
    is_called = account.has_credentials and activation.find_absence(plugin.capabilities) is None
    if is_called and account.state not in WORKING:
        await due.plan(tx, account.id, jobs.PREFLIGHT)


def _of(prerequisite: Prerequisite, ticks: Sequence[Tick]) -> list[Tick]:
    return [one for one in ticks if one.prerequisite_id == prerequisite.id]
