"""Fault 29, orders: an account is unlinked while acceptances, polls and facts are under way, and its shop linked again.

Two processes' worth of doers work at the same time; the marketplace's journal is judged, never our own words.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from order_playground import Playground, activated, means_for, prepare, recorded, tell
from order_sightings import seen

from hanro import operations
from hanro.access_reports import AccessLog
from hanro.clock import SystemClock
from hanro.credentials import Heard
from hanro.db import Database
from hanro.due import Lease
from hanro.errors import Rejected
from hanro.marketplace.port import Secrets, Session
from hanro.marketplace.types import Batch, BatchUnit, Capability, Decision, LineKey, Receipt, Supported
from hanro.operations import OperationStatus
from hanro.releasing import Releaser
from hanro.sessions import OpenSession
from order_svc import accounts, orders
from order_svc.domain.answers import Wanted
from order_svc.domain.effects import ACCEPT
from order_svc.domain.permits import Ability
from order_svc.poller import Means, Pace, Poller
from order_svc.sender import Sender

pytestmark = [pytest.mark.schema("orders", prepare), pytest.mark.fault]

SEEDS = range(1, 201 if os.environ.get("HANRO_FAULTS") == "whole" else 21)
WISHES = 24
SECONDS = 20.0
ABILITIES = {"playground": Ability(supports={Capability.ACCEPT: Supported()})}
PACE = Pace(new_every=timedelta(milliseconds=20), sweep_every=timedelta(milliseconds=40))


@dataclass
class SlowMarket(Playground):
    """Take a moment for each decision, by the seed; `vended` is the link that the secrets at hand belong to."""

    draw: random.Random = field(default_factory=random.Random)
    vended: int = 0

    async def decide(self, decisions: Sequence[Decision]) -> Receipt[LineKey]:
        """Accept orders, after a while."""
        await asyncio.sleep(self.draw.uniform(0, 0.03))
        return await super().decide(decisions)

    def means(self, db: Database) -> Means:
        """Give what one process needs; its secrets were vended before the unlink and are still in its cache."""
        made, clock = means_for(db, self, SystemClock(), pace=PACE), SystemClock()

        async def opened(
            account_id: str, *, heard: Heard | None, purpose: str, lease: Lease | None = None
        ) -> OpenSession:
            del heard, purpose, lease
            known = await accounts.find(db, account_id)
            if known is None or known.is_let_go:
                raise Rejected("account-svc says 410", code="unlinking")
            secrets = Secrets(values={}, version=1, stored_at=datetime(2026, 1, 1, tzinfo=UTC))
            session = Session(secrets=secrets, http=cast("Any", None), pacer=cast("Any", None), clock=clock)
            return OpenSession(plugin=self.plugin(), session=session, account_epoch=self.vended)

        access = AccessLog(db, clock, service="order-svc", count=accounts.count)
        return replace(made, open=opened, access=access)


def limits_of(market: SlowMarket) -> None:
    batches = {**market.limits.batches, "orders.decide": Batch(size=3, unit=BatchUnit.ORDER, groups=())}
    market.limits = replace(market.limits, batches=batches)


async def fill(means: Means, market: SlowMarket) -> None:
    """Store orders and wish to accept each."""
    market.buy(*(seen(f"100001-20260301-{number:010}") for number in range(WISHES)))
    account = await accounts.find(means.db, "acc_1")
    assert account is not None
    sightings = list(market.orders.values())
    await orders.ingest_fetched(
        means.db,
        means.keyring,
        sightings,
        account=account,
        plugin=Playground().plugin(),
        at=means.clock.now(),
    )
    async with means.db.begin() as tx:
        for row in await tx.fetch("select id from orders order by id"):
            await orders.decide(tx, row["id"], Wanted(kind=ACCEPT), account_ids=None, abilities=ABILITIES, by="tester")


@asynccontextmanager
async def at_work(db: Database, market: SlowMarket) -> AsyncIterator[None]:
    """Let two processes send, poll and release while the block lasts."""
    stop = asyncio.Event()

    async def work() -> None:
        means = market.means(db)
        sender, poller = Sender(means), Poller(means)
        releaser = Releaser(db, means.clock, means.access, accounts.erase)
        async with asyncio.TaskGroup() as group:
            for turn in (sender.send_due, sender.look_again, lambda: poller.poll_due(stop), releaser.release_due):
                group.create_task(_repeat(turn, stop))

    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        group.create_task(work())
        try:
            yield
        finally:
            stop.set()


async def _repeat(turn: Any, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await turn()
        await asyncio.sleep(0.005)


async def released(db: Database) -> None:
    """Wait until the release was reported."""
    async with asyncio.timeout(SECONDS):
        while True:
            async with db.begin() as tx:
                if await tx.fetch("select 1 from access_reports where released_epoch = 1"):
                    return
            await asyncio.sleep(0.005)


async def race(db: Database, seed: int, *, is_early: bool = False) -> tuple[SlowMarket, int]:
    """Unlink at a moment that the seed draws, link again, and give the count of writes by the time of the release.

    `is_early`: unlink before anybody works, so that every wish is one of before.
    """
    draw = random.Random(seed)  # noqa: S311  repeatable, not secret
    market = SlowMarket(draw=draw, vended=1)
    limits_of(market)
    await tell(db, activated())
    await fill(market.means(db), market)
    unlinking = activated(2, account_epoch=2, state="unlinking")
    if is_early:
        await tell(db, unlinking)
    async with at_work(db, market):
        await asyncio.sleep(draw.uniform(0, 0.12))
        await tell(db, unlinking)
        await released(db)
        written = len(market.calls("decide"))
        await tell(db, activated(3, account_epoch=2, state="unlinked"))
        await asyncio.sleep(0.05)
        # A cache may still say the older link, or know the newer one.
        market.vended = draw.choice((1, 2))
        await tell(db, activated(4, account_epoch=2))
        await watch(market, written, 10.0 if is_early else 0.2)
    return market, written


async def watch(market: SlowMarket, written: int, seconds: float) -> None:
    """Look for writes that still come, for so long at most."""
    end = asyncio.get_running_loop().time() + seconds
    while len(market.calls("decide")) <= written and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("seed", SEEDS)
async def test_after_the_release_no_acceptance_of_before_is_sent_and_every_order_stays(db: Database, seed: int) -> None:
    market, written = await race(db, seed)
    assert len(market.calls("decide")) == written, f"seed {seed}"
    async with db.begin() as tx:
        found = await operations.list_(tx, limit=2 * WISHES)
        kept = await tx.fetch("select external_id, status from orders")
        routes = await tx.fetch("select 1 from cursors")
    statuses = Counter(one.status.value for one in found)
    assert set(statuses) <= {"applied", "rejected", "in_doubt"}, f"seed {seed}: {statuses}"
    refused = [one.failure and one.failure["code"] for one in found if one.status.value == "rejected"]
    assert set(refused) <= {"epoch-past"}
    # Nothing was accepted twice, nothing is lost, and the account is read again.
    sent = [number for numbers in market.calls("decide") for number in cast("tuple[str, ...]", numbers)]
    assert max(Counter(sent).values(), default=0) <= 1
    assert {row["external_id"] for row in kept} == set(market.orders)
    assert len(kept) == WISHES
    assert len(routes) == len(market.routes)
    told = Counter(key for kind, key in await recorded(db) if kind == "hanro.order.placed.v1")
    assert len(told) == WISHES
    assert set(told.values()) == {1}


async def test_without_the_check_of_the_epoch_a_write_is_seen(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def close_nothing(*_words: Any, **_named: Any) -> bool:
        return True

    monkeypatch.setattr(operations, "close_past", close_nothing)
    monkeypatch.setattr(orders.Wish, "asked_epoch", property(lambda _wish: 99))
    market, written = await race(db, 1, is_early=True)
    assert len(market.calls("decide")) > written


async def test_an_acceptance_in_doubt_that_is_due_for_a_look_does_not_hold_the_release_up(db: Database) -> None:
    market = SlowMarket(vended=1, loses=True)
    limits_of(market)
    await tell(db, activated())
    means = market.means(db)
    await fill(means, market)
    sender = Sender(means)
    assert await sender.send_due() == WISHES
    async with db.begin() as tx:
        await tx.execute("update operations set next_at = '2000-01-01' where status = 'in_doubt'")
    await tell(db, activated(2, account_epoch=2, state="unlinking"))
    # Who looks is faster than who lets go, each time.
    await sender.look_again()
    await Releaser(db, means.clock, means.access, accounts.erase).release_due()
    async with db.begin() as tx:
        assert await tx.fetch("select 1 from access_reports where released_epoch = 1")
        found = await operations.list_(tx, limit=2 * WISHES, status=OperationStatus.IN_DOUBT)
    # One batch's answer was lost: a person says what became of it.
    assert [(one.next_at, one.failure and one.failure["code"]) for one in found] == [(None, "epoch-past")] * 3
