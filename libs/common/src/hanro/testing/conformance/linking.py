"""Checks what linking relies on: rule 4, probes, and rule 5, dead keys and outages in every method."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hanro.errors import NeedsSeller, Retryable
from hanro.marketplace.port import Plugin, Session
from hanro.marketplace.types import Grant, GrantState, OrderRef, PreflightRow, ProbeKind, Window
from hanro.testing.conformance.asked import accepting
from hanro.testing.conformance.market import Market, Shop
from hanro.testing.conformance.rig import Rig, open_rig

PROBED_WITHIN_SECONDS = 30.0


def probed(plugin: Plugin) -> list[Grant]:
    """Give the grants that are asked for over HTTP."""
    return [grant for grant in plugin.grants if grant.probe not in (ProbeKind.SMTP, ProbeKind.NONE)]


async def probe_all(plugin: Plugin, session: Session) -> dict[str, PreflightRow]:
    """Ask for every grant, groups side by side."""
    access = plugin.access(session)
    rows = await asyncio.gather(*(access.probe(grant.id) for grant in probed(plugin)))
    return {row.grant_id: row for row in rows}


def states(rows: Mapping[str, PreflightRow]) -> dict[str, GrantState]:
    """Give the state of each grant."""
    return {grant_id: row.state for grant_id, row in rows.items()}


class Probes:
    """Rule 4."""

    async def test_probes_tell_every_grant_by_one_request_each_and_change_nothing(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        shop.place(3)
        shop.controls.limit(1)
        before, digest = shop.controls.sequence(), shop.controls.digest()
        async with open_rig(market.plugin, market.base_url, database_url, factor=1) as rig:
            started = rig.clock.monotonic()
            rows = await probe_all(market.plugin, rig.session(shop.secrets()))
            assert rig.clock.monotonic() - started < PROBED_WITHIN_SECONDS
        assert set(states(rows).values()) == {GrantState.GRANTED}
        assert shop.controls.digest() == digest
        assert len(shop.controls.requests(before)) == len(rows)
        assert all(meter.refused == 0 for meter in shop.controls.meters().values())

    async def test_a_grant_that_is_off_denies_its_own_row_alone(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for grant in probed(market.plugin):
                shop.switch(grant.id, is_on=False)
                rows = await probe_all(market.plugin, rig.session(shop.secrets()))
                shop.switch(grant.id, is_on=True)
                denied = [grant_id for grant_id, state in states(rows).items() if state is not GrantState.GRANTED]
                assert denied == [grant.id]
                assert rows[grant.id].state is GrantState.DENIED
                assert rows[grant.id].refusal is not None

    async def test_a_young_key_is_pending_and_says_when_to_ask_again(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        grant = probed(market.plugin)[0]
        settles_within = max(life.settles_within for life in market.plugin.key_life)
        shop.switch(grant.id, is_on=False)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            now = datetime.now(UTC)
            young = rig.session(shop.secrets(), stored_at=now)
            row = await market.plugin.access(young).probe(grant.id)
            assert row.state is GrantState.PENDING
            assert row.retry_at is not None
            assert now < row.retry_at <= now + settles_within + timedelta(minutes=1)
            settled = rig.session(shop.secrets(), stored_at=now - settles_within)
            assert (await market.plugin.access(settled).probe(grant.id)).state is GrantState.DENIED

    async def test_a_dead_key_is_denied_in_every_row_with_what_they_said(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for grant in probed(market.plugin):
                row = await market.plugin.access(rig.session(shop.wrong_secrets())).probe(grant.id)
                assert (row.state, row.refusal is None) == (GrantState.DENIED, False)


Call = Callable[[Session], Awaitable[object]]


def _calls(plugin: Plugin, rig: Rig) -> dict[str, Call]:
    """Give one call of each method that sends requests; each is prepared with its own shop."""

    async def pages(session: Session) -> object:
        now = rig.clock.now()
        window = Window(start=now - timedelta(days=1), end=now)
        return [page async for page in plugin.orders(session).pages(plugin.routes[0].name, window)]

    async def fetch(session: Session) -> object:
        return await plugin.orders(session).fetch([OrderRef(external_id="1")])

    return {
        "key_expiries": lambda session: plugin.access(session).key_expiries(),
        "pages": pages,
        "fetch": fetch,
    }


async def _calls_of(market: Market, rig: Rig, shop: Shop) -> dict[str, Call]:
    decisions = await accepting(market.plugin.orders(rig.session(shop.secrets())), shop.place())
    return {
        **_calls(market.plugin, rig),
        "decide": lambda session: market.plugin.orders(session).decide(decisions),
        "verify": lambda session: market.plugin.orders(session).verify(decisions),
    }


class Refusals:
    """Rule 5."""

    @pytest.mark.parametrize("how", ["wrong", "expire", "revoke"])
    async def test_a_dead_key_needs_the_seller_in_every_method_and_names_its_grant(
        self, market: Market, database_url: str, how: str
    ) -> None:
        shop = market.open_shop()
        grants = {grant.id for grant in market.plugin.grants}
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            calls = await _calls_of(market, rig, shop)
            if how == "wrong":
                values = shop.wrong_secrets()
            else:
                values = shop.secrets()
                shop.end_key("expire" if how == "expire" else "revoke")
            before = shop.controls.sequence()
            for name, call in calls.items():
                with pytest.raises(NeedsSeller) as refused:
                    await call(rig.session(values))
                assert refused.value.grant_id in grants, name
                assert refused.value.code in ("credential-refused", "credential-expired"), name
                assert refused.value.remedy is not None, name
            assert shop.controls.writes(before) == 0

    async def test_a_grant_that_is_off_needs_the_seller_and_names_that_grant(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            calls = await _calls_of(market, rig, shop)
            for grant in probed(market.plugin):
                shop.switch(grant.id, is_on=False)
                for name, call in calls.items():
                    try:
                        await call(rig.session(shop.secrets()))
                    except NeedsSeller as refused:
                        assert (refused.code, refused.grant_id) == ("grant-missing", grant.id), name  # noqa: PT017  most calls do not need it
                shop.switch(grant.id, is_on=True)

    @pytest.mark.parametrize(
        ("kind", "fault"),
        [
            ("status", {"status": 503}),
            ("silence", {"seconds": 30}),
            ("reset-before", {}),
            ("html", {}),
            ("throttle", {}),
        ],
    )
    async def test_an_outage_is_retryable_in_every_method(
        self, market: Market, database_url: str, kind: str, fault: Mapping[str, object]
    ) -> None:
        shops: Sequence[Shop] = [market.open_shop() for _ in range(5)]
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            prepared = [(shop, await _calls_of(market, rig, shop)) for shop in shops]
            for shop in shops:
                shop.controls.fault(kind, fault)

            async def fail(index: int, name: str) -> None:
                shop, calls = prepared[index]
                with pytest.raises(Retryable) as failed:
                    await calls[name](rig.session(shop.secrets()))
                assert failed.value.code in ("unavailable", "throttled"), name

            try:
                await asyncio.gather(*(fail(index, name) for index, name in enumerate(prepared[0][1])))
            finally:
                shops[0].controls.heal()

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
                    with pytest.raises(Retryable) as failed:
                        await call(lost.session(shop.secrets()))
                    assert failed.value.code == "unavailable"

                calls = await _calls_of(market, rig, shop)
                before = shop.controls.sequence()
                await asyncio.gather(*(fail(call) for call in calls.values()))
        assert shop.controls.requests(before) == []

    async def test_work_goes_on_with_a_new_key(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        number = shop.place()[0]
        shop.end_key("expire")
        shop.renew_key()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            found = await market.plugin.orders(rig.session(shop.secrets())).fetch([OrderRef(external_id=number)])
        assert [one.external_id for one in found.sightings] == [number]
