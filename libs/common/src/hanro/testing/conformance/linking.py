"""Checks what linking relies on: rule 4, probes that tell each grant and change nothing."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hanro.marketplace.port import Plugin, Session
from hanro.marketplace.types import Grant, GrantState, PreflightRow, ProbeKind
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.rig import NotedPacer, open_rig, together

PROBED_WITHIN_SECONDS = 30.0
FACTOR = 4


def probed(plugin: Plugin) -> list[Grant]:
    """Give the grants that are asked for over HTTP."""
    return [grant for grant in plugin.grants if grant.probe not in (ProbeKind.SMTP, ProbeKind.NONE)]


async def probe_all(plugin: Plugin, session: Session) -> dict[str, PreflightRow]:
    """Ask for every grant, groups side by side."""
    access = plugin.access(session)
    rows = await together(*(access.probe(grant.id) for grant in probed(plugin)))
    return {row.grant_id: row for row in rows}


def states(rows: Mapping[str, PreflightRow]) -> dict[str, GrantState]:
    """Give the state of each grant."""
    return {grant_id: row.state for grant_id, row in rows.items()}


class Probes:
    """Rule 4; which capabilities a switched-off function takes away is seen in the calls of rule 5."""

    async def test_probes_tell_every_grant_by_one_request_each_and_change_nothing(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        shop.place(3)
        shop.controls.limit(FACTOR)
        before, digest = shop.controls.sequence(), shop.controls.digest()
        async with open_rig(market.plugin, market.base_url, database_url, factor=FACTOR) as rig:
            started = rig.clock.monotonic()
            rows = await probe_all(market.plugin, rig.session(shop.secrets()))
            assert (rig.clock.monotonic() - started) * FACTOR < PROBED_WITHIN_SECONDS
        assert set(states(rows).values()) == {GrantState.GRANTED}
        assert shop.controls.digest() == digest
        assert len(shop.controls.requests(before)) == len(rows)
        assert shop.controls.writes(before) == 0
        assert all(meter.refused == 0 for meter in shop.controls.meters().values())

    async def test_a_probe_takes_its_turn_in_the_group_of_its_grant(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for grant in probed(market.plugin):
                session, before = rig.session(shop.secrets()), shop.controls.calls()
                pacer = NotedPacer(session.pacer)
                noted = Session(secrets=session.secrets, http=session.http, pacer=pacer, clock=session.clock)
                await market.plugin.access(noted).probe(grant.id)
                assert pacer.turns == shop.controls.calls() - before == {grant.group: 1}

    async def test_what_no_request_can_tell_is_unknown_and_sends_none(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        before = shop.controls.sequence()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            access = market.plugin.access(rig.session(shop.secrets()))
            for grant in market.plugin.grants:
                if grant not in probed(market.plugin):
                    assert (await access.probe(grant.id)).state is GrantState.UNKNOWN
        assert shop.controls.requests(before) == []

    async def test_a_grant_that_is_off_denies_its_own_row_alone(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            session = rig.session(shop.secrets())
            for grant in probed(market.plugin):
                shop.switch(grant.id, is_on=False)
                rows = await probe_all(market.plugin, session)
                shop.switch(grant.id, is_on=True)
                denied = [grant_id for grant_id, state in states(rows).items() if state is not GrantState.GRANTED]
                assert denied == [grant.id]
                assert rows[grant.id].state is GrantState.DENIED
                assert rows[grant.id].refusal is not None

    async def test_a_young_key_is_pending_and_says_when_to_ask_again(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        settles_within = max(life.settles_within for life in market.plugin.key_life)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            shop.renew_key(is_settling=True)
            now = datetime.now(UTC)
            rows = await probe_all(market.plugin, rig.session(shop.secrets(), stored_at=now))
            assert set(states(rows).values()) == {GrantState.PENDING}
            for row in rows.values():
                assert row.retry_at is not None
                assert now < row.retry_at <= now + settles_within + timedelta(minutes=1)
            grant = probed(market.plugin)[0]
            settled = market.plugin.access(rig.session(shop.secrets(), stored_at=now - settles_within))
            assert (await settled.probe(grant.id)).state is GrantState.DENIED
            shop.renew_key()
            young = market.plugin.access(rig.session(shop.secrets(), stored_at=now))
            assert (await young.probe(grant.id)).state is GrantState.GRANTED

    async def test_a_dead_key_is_denied_in_every_row_with_what_they_said(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for grant in probed(market.plugin):
                row = await market.plugin.access(rig.session(shop.wrong_secrets())).probe(grant.id)
                assert (row.state, row.refusal is None) == (GrantState.DENIED, False)
