"""Checks the pace: rule 22, two processes at full load, and what refusals for rate do."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, its names are sentences

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from hanro.db import Database
from hanro.errors import Retryable
from hanro.ids import new_id
from hanro.marketplace.port import Orders, Session
from hanro.marketplace.types import Decision, Detail, OrderRef, OrderStatus, Shipment, Ticket
from hanro.pacer import list_
from hanro.testing.conformance.asked import accepting, cancelling, shipping
from hanro.testing.conformance.caller import Errand, Leg, start
from hanro.testing.conformance.controls import Controls, Meter, Request
from hanro.testing.conformance.finding import numbers, window
from hanro.testing.conformance.linking import probed
from hanro.testing.conformance.market import Market, Shop
from hanro.testing.conformance.rig import NoPacer, NotedPacer, open_rig, together

LEAST_USED = 0.96
FACTOR = 2
# The marketplace's own pace: at a faster one, a busy machine delays requests by more than what is left between two.
AS_DOCUMENTED = 1
# So many requests in a row show the pace; a machine that is busy with other things gets as many tries.
LOADS = 3
RUN = 10
LONGEST_LOAD = 60
LOAD_SECONDS = 90.0
LOOK_SECONDS = 0.25
ROOMY = 1000
MOST_GROUPS = 100


@dataclass(frozen=True, kw_only=True)
class Load:
    """Hold what a load was at the marketplace, on its clock; `names` tell by a request's body which process sent it."""

    requests: Sequence[Request]
    meters: dict[str, Meter]
    groups: Sequence[str]
    names: Sequence[str]
    limit: float

    @property
    def used(self) -> float:
        """Give the part of the limit that the best run of requests used, from when all processes were at work."""
        began = [next((i for i, one in enumerate(self.requests) if name in one.body), None) for name in self.names]
        if None in began:
            return 0.0
        times = [one.monotonic_seconds for one in self.requests[max(i for i in began if i is not None) :]]
        runs = zip(times, times[RUN - 1 :], strict=False)
        return max(((RUN - 1) / (end - start) / self.limit for start, end in runs), default=0.0)

    def faults(self) -> list[str]:
        """Say what is wrong with the pace; nothing when all is well."""
        found = []
        called = {name for name, meter in self.meters.items() if meter.accepted + meter.refused}
        if called != set(self.groups):
            found.append(f"calls in the groups {sorted(called)}")
        for meter in self.meters.values():
            gap = meter.smallest_gap_seconds or 0.0
            if meter.refused or gap < 1 / self.limit:
                found.append(f"{meter.refused} refused, smallest gap {gap:.4f} s at {self.limit}/s")
        if self.used < LEAST_USED:
            found.append(f"{self.used:.3f} of the limit used")
        return found


@asynccontextmanager
async def _at_work(errands: Sequence[Errand]) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Let processes work for the length of the block, or until they are done."""
    processes = [await start(errand) for errand in errands]
    try:
        yield processes
    finally:
        for process in processes:
            if process.returncode is None:
                process.terminate()
        await together(*(process.communicate() for process in processes))


@dataclass(frozen=True)
class Loaded:
    """Be a shop whose limit is in force, with an order for each process, as the marketplace sees its calls."""

    market: Market
    shop: Shop
    names: Sequence[str]
    since: int

    @property
    def groups(self) -> Sequence[str]:
        """Give the groups in which a read of orders counts."""
        return self.market.plugin.limits.batches["orders.fetch"].groups

    @property
    def limit(self) -> float:
        """Give the requests that are allowed in a second."""
        (group,) = (self.market.plugin.limits.groups[name] for name in self.groups)
        return group.request_count / group.period.total_seconds()

    def look(self) -> Load:
        """See what has come."""
        requests, meters = self.shop.controls.requests(self.since), self.shop.controls.meters()
        return Load(requests=requests, meters=meters, groups=self.groups, names=self.names, limit=self.limit)


def loaded(market: Market) -> Loaded:
    """Open a shop that two processes will share."""
    shop = market.open_shop()
    found = Loaded(market=market, shop=shop, names=shop.place(2), since=shop.controls.sequence())
    shop.controls.limit(found.limit)
    return found


async def load(market: Market, database_url: str) -> Load:
    """Let two processes share one account's group at full load until a run shows the pace, or all is sent."""
    at_shop = loaded(market)
    leg = Leg(secrets=at_shop.shop.secrets(), account_id=new_id("acc"), numbers=())
    errand = Errand(
        work="load",
        marketplace_id=market.plugin.id,
        base_url=market.base_url,
        database_url=database_url,
        factor=AS_DOCUMENTED,
        legs=(),
        count=LONGEST_LOAD // 2,
    )
    async with (
        asyncio.timeout(LOAD_SECONDS),
        _at_work([replace(errand, legs=(replace(leg, numbers=(name,)),)) for name in at_shop.names]) as processes,
    ):
        seen = at_shop.look()
        while seen.used < LEAST_USED and any(process.returncode is None for process in processes):
            await asyncio.sleep(LOOK_SECONDS)
            seen = at_shop.look()
    return at_shop.look()


class Pace:
    """Rule 22."""

    async def test_two_processes_share_a_limit_without_breaking_or_wasting_it(
        self, market: Market, database_url: str
    ) -> None:
        found = [(await load(market, database_url)).faults()]
        while found[-1] and len(found) < LOADS:
            # On a busy machine a request may wait between our look at the clock and the marketplace's.
            found.append((await load(market, database_url)).faults())
        assert found[-1] == [], found

    async def test_a_pacer_that_is_switched_off_is_seen(self, market: Market, database_url: str) -> None:
        at_shop = loaded(market)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:

            async def work(name: str) -> None:
                session = replace(rig.session(at_shop.shop.secrets()), pacer=NoPacer())
                for _ in range(RUN):
                    try:
                        await market.plugin.orders(session).fetch([OrderRef(external_id=name)])
                    except Retryable as refused:
                        assert refused.code == "throttled"  # noqa: PT017  the first one is served

            await together(*(work(name) for name in at_shop.names))
        assert any("refused" in fault for fault in at_shop.look().faults())

    async def test_each_call_costs_what_its_batch_says_in_its_groups_alone(
        self, market: Market, database_url: str
    ) -> None:
        batches = market.plugin.limits.batches
        calls = _batched()
        assert set(calls) <= set(batches)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for name, call in calls.items():
                for count in (1, 5):
                    shop = market.open_shop()
                    is_shipping = name in ("orders.ship", "orders.poll")
                    count = min(count, batches[name].size)  # noqa: PLW2901  a call takes no more
                    placed = shop.place(count, status=OrderStatus.READY if is_shipping else OrderStatus.NEW)
                    noted = _noted(rig.session(shop.secrets()))
                    orders = market.plugin.orders(noted.session)
                    decisions = await accepting(orders, placed)
                    shipments = await shipping(market, orders, placed)
                    before = shop.controls.calls()
                    noted.pacer.turns.clear()
                    await call(orders, decisions, shipments)
                    sent = shop.controls.calls() - before
                    batch = batches[name]
                    assert sent == noted.pacer.turns, name
                    assert set(sent) == set(batch.groups), name
                    assert all(one <= batch.call_count + batch.call_count_each * count for one in sent.values()), name

    async def test_every_request_of_a_run_takes_its_turn_where_the_marketplace_counts_it(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        shop.place(3)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for route in market.plugin.routes:
                before, noted = shop.controls.calls(), _noted(rig.session(shop.secrets()))
                await numbers(market.plugin.orders(noted.session), route, window())
                assert noted.pacer.turns == shop.controls.calls() - before
            before, noted = shop.controls.calls(), _noted(rig.session(shop.secrets()))
            await market.plugin.access(noted.session).key_expiries()
            assert noted.pacer.turns == shop.controls.calls() - before

    async def test_a_refusal_for_rate_narrows_its_group_alone_for_every_process(
        self, market: Market, database_url: str
    ) -> None:
        (group,) = market.plugin.limits.batches["orders.fetch"].groups
        others = {grant.group: grant.id for grant in probed(market.plugin) if grant.group != group}
        shop = market.open_shop()
        refs = [OrderRef(external_id=shop.place()[0])]
        shop.controls.limit(ROOMY)
        step = market.plugin.limits.groups[group].period.total_seconds() / FACTOR
        # They share nothing but the database: what one is refused holds back the other.
        async with (
            open_rig(market.plugin, market.base_url, database_url, factor=FACTOR) as one,
            open_rig(market.plugin, market.base_url, database_url, factor=FACTOR) as other,
        ):
            for kind, fields in shop.refuse_for_rate():
                account_id = new_id("acc")
                first, second = (rig.session(shop.secrets(), account_id=account_id) for rig in (one, other))
                before = shop.controls.sequence()
                shop.controls.fault(kind, {**fields, "count": 1})
                with pytest.raises(Retryable) as refused:
                    await market.plugin.orders(first).fetch(refs)
                assert refused.value.code == "throttled"
                access = market.plugin.access(second)
                await together(
                    market.plugin.orders(second).fetch(refs), *(access.probe(grant_id) for grant_id in others.values())
                )
                slowdowns = await _slowdowns(one.db, account_id)
                assert slowdowns.pop(group) > 1
                assert slowdowns == dict.fromkeys(others, 1)
                await market.plugin.orders(first).fetch(refs)
                _check_narrowed(shop.controls, before, len(others), step)
        shop.controls.heal()


async def _slowdowns(db: Database, account_id: str) -> dict[str, float]:
    """Give by how much each group that was used is slowed down; the order of requests would tell of the machine."""
    async with db.begin() as tx:
        kept = await list_(tx, limit=MOST_GROUPS, account_id=account_id)
    return {one.slot.api_group: one.slot.slowdown for one in kept}


def _check_narrowed(controls: Controls, before: int, other_count: int, step: float) -> None:
    """See, on the marketplace's clock, that the refused function waited twice, and that the others were served."""
    refused, *rest = controls.requests(before)
    again = [one for one in rest if one.function == refused.function]
    assert (len(again), len(rest) - len(again)) == (2, other_count)
    times = [one.monotonic_seconds for one in (refused, *again)]
    assert times[1] - times[0] >= 2 * step
    assert times[2] - times[1] >= 1.5 * step


@dataclass(frozen=True)
class _Noted:
    session: Session
    pacer: NotedPacer


def _noted(session: Session) -> _Noted:
    pacer = NotedPacer(session.pacer)
    return _Noted(session=replace(session, pacer=pacer), pacer=pacer)


def _batched() -> dict[str, Callable[[Orders, Sequence[Decision], Sequence[Shipment]], Awaitable[object]]]:
    """Give the call of each batch."""

    async def poll(orders: Orders, _: object, shipments: Sequence[Shipment]) -> object:
        now = datetime.now(UTC)
        lost = Ticket(method="orders.ship", external_id="1", sent_at=now, poll_at=now, gives_up_at=now)
        return await orders.poll(lost, shipments)

    return {
        "orders.fetch": lambda orders, decisions, _: orders.fetch([one.order for one in decisions]),
        "orders.fetch.payment": lambda orders, decisions, _: orders.fetch(
            [one.order for one in decisions], frozenset({Detail.PAYMENT})
        ),
        "orders.decide": lambda orders, decisions, _: orders.decide(decisions),
        "orders.ship": lambda orders, _, shipments: orders.ship(shipments),
        "orders.cancel": lambda orders, decisions, _: orders.cancel([cancelling(one) for one in decisions]),
        "orders.poll": poll,
        "orders.verify": lambda orders, decisions, _: orders.verify(decisions),
    }
