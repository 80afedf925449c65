"""Checks rule 5: dead keys, missing grants and outages in every method that sends a request."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from hanro.errors import NeedsSeller, Retryable
from hanro.marketplace.port import Orders, Plugin, Session
from hanro.marketplace.types import Absent, Capability, OrderRef, OrderStatus, Shipment, Supported, Ticket, Window
from hanro.testing.conformance import cancelling
from hanro.testing.conformance.asked import accepting, shipping
from hanro.testing.conformance.linking import probed
from hanro.testing.conformance.market import Market, Shop
from hanro.testing.conformance.rig import SHORT_DEADLINE, Rig, open_rig, together
from hanro.testing.conformance.shipping import read

UNITS = 2
ROOMY = 1000
# So many probes side by side: silence costs the deadline once for all of them.
AT_ONCE = 30


@dataclass(frozen=True)
class Call:
    """Be one call of a method; `capability` is what it carries out, None for a probe: its answer is a row.

    `is_partial`: it reads several things side by side, and a missing grant leaves the others. `is_one_way`: the
    capability is carried out in several ways, and each needs some of its grants.
    """

    name: str
    capability: Capability | None
    carry_out: Callable[[Session], Awaitable[object]]
    is_partial: bool = False
    is_one_way: bool = False

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
        *await _shipping_calls(market, plugin.orders(rig.session(shop.secrets())), shop),
        *await _cancelling_calls(market, plugin.orders(rig.session(shop.secrets())), shop),
    ]
    return [
        call for call in found if not call.capability or not isinstance(plugin.capabilities[call.capability], Absent)
    ]


async def _shipping_calls(market: Market, orders: Orders, shop: Shop) -> list[Call]:
    """Give the ways to register parcels: of one order, of several, and to ask what became of queued ones."""
    plugin = market.plugin
    if isinstance(plugin.capabilities[Capability.SHIP], Absent):
        return []
    one = await shipping(market, orders, shop.place(status=OrderStatus.READY))
    several = await shipping(market, orders, shop.place(2, status=OrderStatus.READY))
    queued = await shipping(market, orders, shop.place(2, status=OrderStatus.READY))
    ticket = (await orders.ship(queued)).ticket

    def ship(name: str, parcels: Sequence[Shipment]) -> Call:
        return Call(name, Capability.SHIP, lambda session: plugin.orders(session).ship(parcels), is_one_way=True)

    def poll(asked: Ticket) -> Call:
        return Call(
            "poll", Capability.SHIP, lambda session: plugin.orders(session).poll(asked, queued), is_one_way=True
        )

    calls = [ship("ship one order", one), ship("ship several orders", several)]
    return calls if ticket is None else [*calls, poll(ticket)]


async def _cancelling_calls(market: Market, orders: Orders, shop: Shop) -> list[Call]:
    """Give the ways to cancel: a whole order, and a unit of one."""
    plugin = market.plugin
    if isinstance(plugin.capabilities[Capability.CANCEL_ORDER], Absent):
        return []
    whole, part = shop.place(2, status=OrderStatus.READY, units=UNITS)
    asked = {
        Capability.CANCEL_ORDER: cancelling.whole(await read(orders, whole)),
        Capability.CANCEL_QUANTITY: cancelling.units(await read(orders, part), 1),
    }

    def cancel(capability: Capability) -> Call:
        return Call(
            f"cancel: {capability}", capability, lambda session: plugin.orders(session).cancel([asked[capability]])
        )

    return [cancel(capability) for capability in asked]


def probes_of(plugin: Plugin) -> list[Call]:
    """Give one call for each probe; each is one request in one group, so that their pace is no matter here."""

    def call(grant_id: str) -> Call:
        return Call(f"probe {grant_id}", None, lambda session: plugin.access(session).probe(grant_id))

    return [call(grant.id) for grant in probed(plugin)]


async def _refused(call: Call, session: Session) -> NeedsSeller | None:
    """Carry a call out; give what the seller must do for it, None where it went through."""
    try:
        await call.carry_out(session)
    except NeedsSeller as refused:
        return refused
    return None


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
                needing: dict[Capability | None, int] = {}
                for call in (one for one in await calls_of(market, rig, shop) if not one.is_partial):
                    shop.switch(grant.id, is_on=False)
                    try:
                        refused = await _refused(call, rig.session(shop.secrets()))
                    finally:
                        shop.switch(grant.id, is_on=True)
                    is_declared = grant.id in call.grants(market.plugin)
                    if is_declared:
                        needing[call.capability] = needing.get(call.capability, 0) + (refused is not None)
                    if refused is None:
                        assert call.is_one_way or not is_declared, (call.name, grant.id)
                        continue
                    assert (is_declared, refused.code, refused.grant_id) == (True, "grant-missing", grant.id), call.name
                    assert refused.remedy in grant.remedies
                # Whatever way it is carried out in: a grant that none of them needs is declared in vain.
                assert all(needing.values()), (grant.id, needing)

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
