"""Checks rule 21: a plan does no I/O, shows no secret and equals what the write then sends."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from hanro.marketplace.port import Orders
from hanro.marketplace.types import LineKey, OrderEffect, OrderStatus, OutcomeStatus, Receipt
from hanro.testing.conformance.asked import accepting, shipping
from hanro.testing.conformance.cancelling import units, whole
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.rig import NotedPacer, open_rig
from hanro.testing.conformance.shipping import read

Write = Callable[[Sequence[OrderEffect]], Awaitable[Receipt[LineKey]]]


class Plans:
    """Rule 21, orders."""

    async def test_a_plan_equals_the_journal_of_the_write_that_follows(self, market: Market, database_url: str) -> None:
        for kind in ("decide", "ship", "ship-many", "cancel", "cancel-part"):
            shop = market.open_shop()
            async with open_rig(market.plugin, market.base_url, database_url) as rig:
                session = rig.session(shop.secrets())
                pacer = NotedPacer(session.pacer)
                orders = market.plugin.orders(replace(session, pacer=pacer))
                count = 3 if kind in ("decide", "ship-many") else 1
                status = OrderStatus.NEW if kind == "decide" else OrderStatus.READY
                asked = await _asked(market, orders, kind, shop.place(count, status=status, line_count=2))
                before = shop.controls.sequence()
                pacer.turns.clear()
                plan = market.plugin.plan(asked)
                assert shop.controls.requests(before) == []
                await _write(orders, kind)(asked)
                sent = shop.controls.requests(before)
            planned = [urlsplit(call.url).path.rstrip("/") for call in plan.calls]
            assert planned == [request.path.partition("?")[0].rstrip("/") for request in sent], kind
            assert Counter(group for call in plan.calls for group in call.groups) == pacer.turns, kind
            assert not [problem for problem in plan.problems if problem.is_blocking], kind
            shown = repr(plan) + "".join(call.url + call.body for call in plan.calls)
            assert not any(secret in shown for secret in (*shop.sent_secrets(), *shop.secrets().values())), kind

    async def test_what_a_plan_calls_blocking_comes_back_rejected_without_a_request(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            first, second = await shipping(market, orders, shop.place(2, status=OrderStatus.READY))
            bad = [
                replace(first, tracking=replace(first.tracking, carrier_code="no such carrier")),
                replace(second, tracking=replace(second.tracking, number="ABC")),
            ]
            before = shop.controls.sequence()
            plan = market.plugin.plan(bad)
            receipt = await orders.ship(bad)
        blocking = {(problem.key, problem.code) for problem in plan.problems if problem.is_blocking}
        rejected = {
            (one.key.id, one.failure.code)
            for one in receipt.outcomes
            if one.status is OutcomeStatus.REJECTED and one.failure is not None
        }
        assert blocking == rejected
        assert len(blocking) == len(bad)
        assert plan.calls == ()
        assert shop.controls.requests(before) == []


async def _asked(market: Market, orders: Orders, kind: str, numbers: Sequence[str]) -> Sequence[OrderEffect]:
    if kind == "decide":
        return await accepting(orders, numbers)
    if kind.startswith("ship"):
        return await shipping(market, orders, numbers)
    order = await read(orders, numbers[0])
    return [whole(order) if kind == "cancel" else units(order, 1)]


def _write(orders: Orders, kind: str) -> Write:
    writes: dict[str, object] = {"decide": orders.decide, "ship": orders.ship, "cancel": orders.cancel}
    return writes[kind.partition("-")[0]]  # type: ignore[return-value]
