"""Checks rule 5: dead keys, missing grants and outages in every method that sends a request."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from hanro.errors import NeedsSeller, Retryable
from hanro.marketplace.port import Plugin, Session
from hanro.marketplace.types import Absent, Capability, OrderRef, Supported, Window
from hanro.testing.conformance.asked import accepting
from hanro.testing.conformance.linking import probed
from hanro.testing.conformance.market import Market, Shop
from hanro.testing.conformance.rig import SHORT_DEADLINE, Rig, open_rig, together

ROOMY = 1000
# So many probes side by side: silence costs the deadline once for all of them.
AT_ONCE = 30


@dataclass(frozen=True)
class Call:
    """Be one call of a method; `capability` is what it carries out, None for a probe: its answer is a row.

    `is_partial`: it reads several things side by side, and a missing grant leaves the others.
    """

    name: str
    capability: Capability | None
    carry_out: Callable[[Session], Awaitable[object]]
    is_partial: bool = False

    def request_count(self, plugin: Plugin) -> int:
        """Give how many requests it sends at most before any is repeated."""
        return 2 * len(self.grants(plugin)) if self.is_partial else 1

    def grants(self, plugin: Plugin) -> frozenset[str]:
        """Give the grants that the call needs."""
        support = None if self.capability is None else plugin.capabilities[self.capability]
        return support.grant_ids if isinstance(support, Supported) else frozenset()


async def calls_of(market: Market, rig: Rig, shop: Shop) -> list[Call]:
    """Give one call of each method that sends requests, prepared with an order that waits to be accepted."""
    plugin = market.plugin
    decisions = await accepting(plugin.orders(rig.session(shop.secrets())), shop.place())

    async def pages(session: Session, route: str) -> object:
        now = rig.clock.now()
        window = Window(start=now - timedelta(days=1), end=now)
        return [page async for page in plugin.orders(session).pages(route, window)]

    def routed(route: str) -> Call:
        return Call(f"pages of {route}", Capability.FIND_ORDERS, lambda session: pages(session, route))

    found = [
        Call("key_expiries", Capability.KEY_EXPIRY, lambda session: plugin.access(session).key_expiries()),
        Call("renew", Capability.RENEW_KEY, lambda session: plugin.access(session).renew()),
        Call(
            "market_information",
            Capability.MARKET_INFORMATION,
            lambda session: plugin.access(session).market_information(),
            is_partial=True,
        ),
        *(routed(route.name) for route in plugin.routes),
        Call(
            "fetch",
            Capability.FETCH_ORDER,
            lambda session: plugin.orders(session).fetch([OrderRef(external_id=market.unknown_number)]),
        ),
        Call("decide", Capability.ACCEPT, lambda session: plugin.orders(session).decide(decisions)),
        Call("verify", Capability.FETCH_ORDER, lambda session: plugin.orders(session).verify(decisions)),
    ]
    return [
        call for call in found if not call.capability or not isinstance(plugin.capabilities[call.capability], Absent)
    ]


def probes_of(plugin: Plugin) -> list[Call]:
    """Give one call for each probe; each is one request in one group, so that their pace is no matter here."""

    def call(grant_id: str) -> Call:
        return Call(f"probe {grant_id}", None, lambda session: plugin.access(session).probe(grant_id))

    return [call(grant.id) for grant in probed(plugin)]


class Refusals:
    """Rule 5."""

    @pytest.mark.parametrize("how", ["wrong", "expire", "revoke"])
    async def test_a_dead_key_needs_the_seller_in_every_method_and_names_its_grant(
        self, market: Market, database_url: str, how: str
    ) -> None:
        shop = market.open_shop()
        grants = {grant.id for grant in market.plugin.grants}
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            calls = await calls_of(market, rig, shop)
            if how == "wrong":
                values = shop.wrong_secrets()
            else:
                values = shop.secrets()
                shop.end_key("expire" if how == "expire" else "revoke")
            before = shop.controls.sequence()
            for call in calls:
                with pytest.raises(NeedsSeller) as refused:
                    await call.carry_out(rig.session(values))
                assert refused.value.grant_id in grants, call.name
                assert refused.value.code in ("credential-refused", "credential-expired"), call.name
                assert refused.value.remedy is not None, call.name
                assert refused.value.menu is not None, call.name
            assert shop.controls.writes(before) == 0

    async def test_a_grant_that_is_off_stops_the_calls_that_declare_it_and_no_others(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            calls = await calls_of(market, rig, shop)
            declared = frozenset(grant_id for call in calls for grant_id in call.grants(market.plugin))
            others = [grant.id for grant in probed(market.plugin) if grant.id not in declared]
            shop.switch(*others, is_on=False)
            for call in calls:
                await call.carry_out(rig.session(shop.secrets()))
            shop.switch(*others, is_on=True)
            for grant in (one for one in probed(market.plugin) if one.id in declared):
                for call in (one for one in await calls_of(market, rig, shop) if not one.is_partial):
                    shop.switch(grant.id, is_on=False)
                    try:
                        if grant.id not in call.grants(market.plugin):
                            await call.carry_out(rig.session(shop.secrets()))
                            continue
                        with pytest.raises(NeedsSeller) as refused:
                            await call.carry_out(rig.session(shop.secrets()))
                    finally:
                        shop.switch(grant.id, is_on=True)
                    assert (refused.value.code, refused.value.grant_id) == ("grant-missing", grant.id), call.name
                    assert refused.value.remedy in grant.remedies

    async def test_a_key_that_settles_is_waited_for_in_every_method(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            calls = await calls_of(market, rig, shop)
            shop.renew_key(is_settling=True)
            for call in calls:
                with pytest.raises(Retryable) as refused:
                    await call.carry_out(rig.session(shop.secrets(), stored_at=rig.clock.now()))
                assert refused.value.code == "key-settling", call.name
                assert refused.value.after is not None, call.name

    @pytest.mark.parametrize(
        ("kind", "fault", "code"),
        [
            ("status", {"status": 503}, "unavailable"),
            ("status", {"status": 500}, "unavailable"),
            ("silence", {"seconds": 30}, "unavailable"),
            ("reset-before", {}, "unavailable"),
            ("html", {}, "unavailable"),
            ("throttle", {}, "throttled"),
        ],
    )
    async def test_an_outage_is_retryable_in_every_method(
        self, market: Market, database_url: str, kind: str, fault: Mapping[str, object], code: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            calls, probes = await calls_of(market, rig, shop), probes_of(market.plugin)
            # All at once, each for an account of its own.
            shop.controls.limit(ROOMY, burst=ROOMY)
            shop.controls.fault(kind, fault)
            before = shop.controls.sequence()

            async def fail(call: Call) -> None:
                opened = rig.session if call.capability else rig.unpaced
                with pytest.raises(Retryable) as failed:
                    await call.carry_out(opened(shop.secrets(), call_deadline=SHORT_DEADLINE))
                assert failed.value.code == code, call.name

            try:
                await together(*(fail(call) for call in calls))
                for start in range(0, len(probes), AT_ONCE):
                    await together(*(fail(call) for call in probes[start : start + AT_ONCE]))
            finally:
                shop.controls.heal()
            # A read may be repeated twice, a probe not at all.
            most = 3 * sum(call.request_count(market.plugin) for call in calls)
            assert len(calls) <= len(shop.controls.requests(before)) - len(probes) <= most
            assert shop.controls.writes(before) == 0

    async def test_a_marketplace_that_nobody_can_reach_is_retryable_in_every_method(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
            async with (
                open_rig(market.plugin, market.base_url, database_url) as rig,
                open_rig(market.plugin, nowhere, database_url) as lost,
            ):

                async def fail(call: Call) -> None:
                    opened = lost.session if call.capability else lost.unpaced
                    with pytest.raises(Retryable) as failed:
                        await call.carry_out(opened(shop.secrets()))
                    assert failed.value.code == "unavailable", call.name

                calls = [*await calls_of(market, rig, shop), *probes_of(market.plugin)]
                before = shop.controls.sequence()
                for start in range(0, len(calls), AT_ONCE):
                    await together(*(fail(call) for call in calls[start : start + AT_ONCE]))
        assert shop.controls.requests(before) == []

    async def test_work_goes_on_with_a_new_key(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        number = shop.place()[0]
        shop.end_key("expire")
        shop.renew_key()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            found = await market.plugin.orders(rig.session(shop.secrets())).fetch([OrderRef(external_id=number)])
        assert [one.external_id for one in found.sightings] == [number]
