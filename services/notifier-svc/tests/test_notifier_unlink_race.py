"""Fault 29, mails: an account is unlinked while mails leave and orders arrive, and its shop linked again.

What the relay took is judged, never our own words.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from notifier_playground import Bed, account, bed, bind, log_of, messages, order, prepare

from hanro.clock import SystemClock
from hanro.db import Database, Transaction
from hanro.releasing import Releaser
from notifier_svc import accounts
from notifier_svc.domain.accounts import Account
from notifier_svc.domain.messages import State
from notifier_svc.sender.loop import Sender
from notifier_svc.store import claims, releases
from notifier_svc.store.accounts import share_accounts

pytestmark = [pytest.mark.schema("notifier", prepare), pytest.mark.fault]

SEEDS = range(1, 201 if os.environ.get("HANRO_FAULTS") == "whole" else 21)
MAILS = 24
SECONDS = 30.0
FINAL = {State.HANDED_OVER, State.SUPPRESSED, State.REFUSED, State.IN_DOUBT}


async def race(here: Bed, seed: int, *, is_early: bool = False) -> int:
    """Unlink at a moment that the seed draws, link again, and give how many mails the relay had by the release.

    `is_early`: unlink before anybody sends, so that every mail is one of before.
    """
    draw = random.Random(seed)  # noqa: S311  repeatable, not secret
    db, stop = here.db, asyncio.Event()
    await bind(db)
    await here.plan(*(order(number) for number in range(1, MAILS + 1)))
    unlinking = account(2, account_epoch=1, state="unlinking")
    if is_early:
        await here.plan(unlinking)
    senders = [asyncio.create_task(Sender(here.desk_elsewhere(), lanes=2).run(stop)) for _ in range(2)]
    releaser = Releaser(db, SystemClock(), log_of(db), accounts.erase)
    await asyncio.sleep(draw.uniform(0, 0.25))
    late = [order(number) for number in range(MAILS + 1, MAILS + 4)]
    # Facts of orders race the account's own.
    await asyncio.gather(here.plan(unlinking), here.plan(*late))
    async with asyncio.timeout(SECONDS):
        while not await is_released(db):
            await releaser.release_due()
            await asyncio.sleep(0.005)
    mailed = len(here.room.letters())
    await here.plan(account(3, account_epoch=1, state="unlinked"))
    await here.plan(account(4, account_epoch=1))
    await bind(db)
    # Late and replayed facts of before.
    await here.plan(*(order(number, 2) for number in range(1, MAILS + 6)))
    await watch(here, mailed, 10.0 if is_early else 0.15)
    stop.set()
    await asyncio.gather(*senders)
    return mailed


async def watch(here: Bed, mailed: int, seconds: float) -> None:
    """Look for mails that still come, for so long at most."""
    end = asyncio.get_running_loop().time() + seconds
    while len(here.room.letters()) <= mailed and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.02)


async def is_released(db: Database) -> bool:
    async with db.begin() as tx:
        return bool(await tx.fetch("select 1 from access_reports where released_epoch = 0"))


@pytest.mark.parametrize("seed", SEEDS)
async def test_after_the_release_no_mail_of_before_leaves_and_each_has_its_end(
    db: Database, tmp_path: Path, seed: int
) -> None:
    async with bed(db, tmp_path) as here:
        mailed = await race(here, seed)
        taken = here.room.letters()
        assert len(taken) == mailed, f"seed {seed}"
        ledger = await messages(db)
        assert {message.state for message in ledger} <= FINAL, f"seed {seed}"
        assert sum(message.state is State.HANDED_OVER for message in ledger) == mailed
        ended = {message.reason_code for message in ledger if message.state is State.SUPPRESSED}
        assert ended <= {"unlinked", "before-binding"}
        assert max(Counter(message.order_id for message in ledger).values()) == 1


async def test_without_the_check_of_the_epoch_a_mail_is_seen(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def suppress_nothing(*_words: Any, **_named: Any) -> list[Any]:
        return []

    async def of_before(tx: Transaction, account_ids: Sequence[str]) -> dict[str, Account]:
        return {name: replace(known, epoch=0) for name, known in (await share_accounts(tx, account_ids)).items()}

    monkeypatch.setattr(releases, "suppress_planned", suppress_nothing)
    monkeypatch.setattr(claims, "share_accounts", of_before)
    async with bed(db, tmp_path) as here:
        # The older link's secrets are still in the cache: they name the older epoch.
        mailed = await race(here, 1, is_early=True)
        assert len(here.room.letters()) > mailed
