"""Checks the pace: rule 22, two processes at full load, and what refusals for rate do."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, its names are sentences, its values stand there

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from hanro.errors import Retryable
from hanro.ids import new_id
from hanro.marketplace.port import Session, Turn
from hanro.marketplace.types import OrderRef
from hanro.testing.conformance.asked import accepting
from hanro.testing.conformance.caller import NOWHERE, Errand
from hanro.testing.conformance.controls import Meter
from hanro.testing.conformance.linking import probe_all
from hanro.testing.conformance.market import Market, Shop
from hanro.testing.conformance.rig import open_rig

PROCESS_SECONDS = 90.0
LEAST_USED = 0.96
FACTOR = 2
COUNT = 16


@dataclass(frozen=True, kw_only=True)
class Load:
    """Hold what a load was at the marketplace: `used` of the limit, between the first and the last request."""

    meter: Meter
    used: float
    limit: float

    def faults(self) -> list[str]:
        """Say what is wrong with the pace; nothing when all is well."""
        found = []
        gap = self.meter.smallest_gap_seconds or 0.0
        if self.meter.refused or gap < 1 / self.limit:
            found.append(f"{self.meter.refused} refused, smallest gap {gap:.4f} s at {self.limit}/s")
        if self.used < LEAST_USED:
            found.append(f"{self.used:.3f} of the limit used")
        return found


async def run(errand: Errand, environment: Mapping[str, str] | None = None) -> str:
    """Run an errand in a process of its own and give what it printed; an AssertionError when it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hanro.testing.conformance.caller",
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PROCESS_SECONDS):
        output, errors = await process.communicate(errand.written())
    assert process.returncode == 0, errors.decode()
    return output.decode()


async def load(market: Market, database_url: str, shop: Shop, *, factor: int, count: int, processes: int = 2) -> Load:
    """Let processes share one account's group at full load and look at it from the marketplace's clock."""
    batch = market.plugin.limits.batches["orders.fetch"]
    group = market.plugin.limits.groups[batch.groups[0]]
    limit = factor * group.request_count / group.period.total_seconds()
    shop.controls.limit(limit)
    account_id = new_id("acc")
    before = shop.controls.sequence()
    errand = Errand(
        work="load",
        marketplace_id=market.plugin.id,
        base_url=market.base_url,
        database_url=database_url,
        secrets=shop.secrets(),
        account_id=account_id,
        factor=factor,
        count=count,
    )
    await asyncio.gather(*(run(errand) for _ in range(processes)))
    requests = shop.controls.requests(before)
    seconds = requests[-1].monotonic_seconds - requests[0].monotonic_seconds
    meters = {name: meter for name, meter in shop.controls.meters().items() if meter.accepted + meter.refused}
    assert set(meters) == set(batch.groups)
    used = (len(requests) - 1) / seconds / limit
    return Load(meter=meters[group.name], used=used, limit=limit)


class _Unpaced:
    """Let every request leave at once: what a pacer must not do."""

    @asynccontextmanager
    async def turn(self, *_groups: str) -> AsyncIterator[Turn]:
        yield self

    def throttled(self, after: timedelta | None) -> None:
        """Take no notice."""


class Pace:
    """Rule 22."""

    async def test_two_processes_share_a_limit_without_breaking_or_wasting_it(
        self, market: Market, database_url: str
    ) -> None:
        seen = await load(market, database_url, market.open_shop(), factor=FACTOR, count=COUNT)
        assert seen.faults() == []

    async def test_a_pacer_that_is_switched_off_is_seen(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        shop.controls.limit(FACTOR)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            session = rig.session(shop.secrets())
            loose = Session(secrets=session.secrets, http=session.http, pacer=_Unpaced(), clock=session.clock)
            for _ in range(5):
                try:
                    await market.plugin.orders(loose).fetch([OrderRef(external_id=NOWHERE)])
                except Retryable as refused:
                    assert refused.code == "throttled"  # noqa: PT017  the first one is served
        (meter,) = shop.controls.meters().values()
        assert Load(meter=meter, used=1.0, limit=FACTOR).faults() != []

    async def test_each_call_costs_what_its_batch_says_in_its_groups_alone(
        self, market: Market, database_url: str
    ) -> None:
        batches = market.plugin.limits.batches
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for name in ("orders.fetch", "orders.decide", "orders.verify"):
                shop = market.open_shop()
                orders = market.plugin.orders(rig.session(shop.secrets()))
                numbers = shop.place(5)
                decisions = await accepting(orders, numbers)
                refs = [OrderRef(external_id=number) for number in numbers]
                before = shop.controls.sequence()
                if name == "orders.fetch":
                    await orders.fetch(refs)
                else:
                    await (orders.decide if name == "orders.decide" else orders.verify)(decisions)
                sent = len(shop.controls.requests(before))
                batch = batches[name]
                assert 0 < sent <= batch.call_count + batch.call_count_each * len(numbers), name
                assert set(shop.controls.meters()) == set(batch.groups), name

    async def test_a_refusal_for_rate_narrows_its_group_alone_for_every_process(
        self, market: Market, database_url: str
    ) -> None:
        (group, *_) = market.plugin.limits.batches["orders.fetch"].groups
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for kind, fields in shop.refuse_for_rate():
                account_id = new_id("acc")
                session = rig.session(shop.secrets(), account_id=account_id)
                await probe_all(market.plugin, session)
                shop.controls.fault(kind, {**fields, "count": 1})
                with pytest.raises(Retryable) as refused:
                    await market.plugin.orders(session).fetch([OrderRef(external_id=NOWHERE)])
                assert refused.value.code == "throttled"
                async with rig.db.begin() as tx:
                    rows = await tx.fetch("select api_group, slowdown from pacer where account_id = $1", account_id)
                narrowed = {row["api_group"]: row["slowdown"] > 1 for row in rows}
                assert len(narrowed) > 1
                assert [name for name, is_narrow in narrowed.items() if is_narrow] == [group]
        shop.controls.heal()
