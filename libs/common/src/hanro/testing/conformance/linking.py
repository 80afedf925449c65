"""Checks what linking relies on: rule 4, probes that tell each grant and change nothing."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hanro.marketplace.port import Plugin, Session
from hanro.marketplace.types import Absent, Capability, Grant, GrantState, PreflightRow, ProbeKind
from hanro.pacer.slots import MAX_SHARE
from hanro.testing.codes import rounds
from hanro.testing.conformance.market import Market, open_alone
from hanro.testing.conformance.rig import NotedPacer, open_rig, together

PROBED_WITHIN_SECONDS = 30.0
# What answers cost besides the turns.
ANSWERED_WITHIN_SECONDS = 1.5
FACTOR = 4
# Where the pace is not what is looked at.
ROOMY = 1000


def probed(plugin: Plugin) -> list[Grant]:
    """Give the grants that are asked for over HTTP."""
    return [grant for grant in plugin.grants if grant.probe not in (ProbeKind.SMTP, ProbeKind.NONE)]


def turns(plugin: Plugin) -> dict[str, float]:
    """Give the second in which the turn of each grant comes where nobody else calls, by the plug-in's limits alone."""
    found: dict[str, float] = {}
    counts: Counter[str] = Counter()
    for grant in probed(plugin):
        group = plugin.limits.groups[grant.group]
        found[grant.id] = counts[grant.group] * group.period.total_seconds() / group.request_count / float(MAX_SHARE)
        counts[grant.group] += 1
    return found


def serving(plugin: Plugin) -> frozenset[str]:
    """Give the grants that some capability needs, now or in a later version."""
    return frozenset(grant_id for support in plugin.capabilities.values() for grant_id in support.grant_ids)


async def probe_all(
    plugin: Plugin,
    session: Session,
    *,
    told: dict[str, float] | None = None,
    wanted: Collection[str] | None = None,
) -> dict[str, PreflightRow]:
    """Ask for every grant, or those that are `wanted`, groups side by side, each in the plug-in's order.

    `told` gets when each answered.
    """
    access = plugin.access(session)
    rows: dict[str, PreflightRow] = {}

    async def ask(waiting: Sequence[Grant]) -> None:
        for grant in waiting:
            rows[grant.id] = await access.probe(grant.id)
            if told is not None:
                told[grant.id] = session.clock.monotonic()

    by_group: dict[str, list[Grant]] = {}
    for grant in probed(plugin):
        if wanted is None or grant.id in wanted:
            by_group.setdefault(grant.group, []).append(grant)
    await together(*map(ask, by_group.values()))
    return {grant.id: rows[grant.id] for grant in probed(plugin) if grant.id in rows}


def states(rows: Mapping[str, PreflightRow]) -> dict[str, GrantState]:
    """Give the state of each grant."""
    return {grant_id: row.state for grant_id, row in rows.items()}


class MarketInformations:
    """Rule 4 for what the seller set up there."""

    async def test_each_kind_is_read_absent_or_failed_and_nothing_changes(
        self, market: Market, database_url: str
    ) -> None:
        shop = open_alone(market)
        shop.controls.limit(ROOMY, burst=ROOMY)
        support = market.plugin.capabilities[Capability.MARKET_INFORMATION]
        if isinstance(support, Absent):
            # Rule 3 sees it refused.
            return
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            before, digest = shop.controls.sequence(), shop.controls.digest()
            session = rig.unpaced(shop.secrets())
            whole = await market.plugin.access(session).market_information()
            assert shop.controls.digest() == digest
            assert shop.controls.writes(before) == 0
            assert (whole.failed, set(whole.absent) & {entry.kind for entry in whole.entries}) == ({}, set())
            ids = [(entry.kind, entry.external_id) for entry in whole.entries]
            assert len(ids) == len(set(ids))
            for off in rounds(sorted(support.grant_ids)):
                shop.switch(*off, is_on=False)
                found = await market.plugin.access(session).market_information()
                shop.switch(*off, is_on=True)
                assert {failure.grant_id for failure in found.failed.values()} <= off
                assert found.entries == tuple(one for one in whole.entries if one.kind not in found.failed)


class Probes:
    """Rule 4; which capabilities a switched-off function takes away is seen in the calls of rule 5."""

    async def test_probes_tell_every_grant_by_one_request_each_and_change_nothing(
        self, market: Market, database_url: str
    ) -> None:
        shop = open_alone(market)
        shop.place(3)
        shop.controls.limit(ROOMY, burst=ROOMY)
        before, digest = shop.controls.sequence(), shop.controls.digest()
        async with open_rig(market.plugin, market.base_url, database_url, factor=FACTOR) as rig:
            started, told, needed = rig.clock.monotonic(), dict[str, float](), serving(market.plugin)
            others = {grant.id for grant in probed(market.plugin)} - needed
            rows = await probe_all(market.plugin, rig.session(shop.secrets()), told=told, wanted=needed)
            rows |= await probe_all(market.plugin, rig.unpaced(shop.secrets()), wanted=others)
        for grant_id in told:
            assert (told[grant_id] - started) * FACTOR < PROBED_WITHIN_SECONDS, grant_id
        assert set(states(rows).values()) == {GrantState.GRANTED}
        assert shop.controls.digest() == digest
        assert len(shop.controls.requests(before)) == len(rows)
        assert shop.controls.writes(before) == 0
        assert all(meter.refused == 0 for meter in shop.controls.meters().values())

    def test_what_any_capability_needs_is_probed_within_the_time_of_a_preflight_at_the_true_pace(
        self, market: Market
    ) -> None:
        turn = turns(market.plugin)
        needed = serving(market.plugin) & set(turn)
        assert max(turn[grant_id] for grant_id in needed) + ANSWERED_WITHIN_SECONDS <= PROBED_WITHIN_SECONDS
        for group in market.plugin.limits.groups:
            # What serves nothing waits for what serves.
            serves = [grant.id in needed for grant in probed(market.plugin) if grant.group == group]
            assert serves == sorted(serves, reverse=True), group

    async def test_a_probe_takes_its_turn_in_the_group_of_its_grant(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        shop.controls.limit(ROOMY, burst=ROOMY)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for grant in probed(market.plugin):
                session, before = rig.unpaced(shop.secrets()), shop.controls.calls()
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
        shop, names = market.open_shop(), [grant.id for grant in probed(market.plugin)]
        shop.controls.limit(ROOMY, burst=ROOMY)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            session = rig.unpaced(shop.secrets())
            for off in rounds(names):
                shop.switch(*off, is_on=False)
                rows = await probe_all(market.plugin, session)
                shop.switch(*off, is_on=True)
                assert {name for name, row in rows.items() if row.state is GrantState.DENIED} == off
                assert {name for name, row in rows.items() if row.state is GrantState.GRANTED} == set(names) - off
                assert all(rows[name].refusal is not None for name in off)

    async def test_a_young_key_is_pending_and_says_when_to_ask_again(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        shop.controls.limit(ROOMY, burst=ROOMY)
        settles_within = max(life.settles_within for life in market.plugin.key_life)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            shop.renew_key(is_settling=True)
            now = datetime.now(UTC)
            rows = await probe_all(market.plugin, rig.unpaced(shop.secrets(), stored_at=now))
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
        shop.controls.limit(ROOMY, burst=ROOMY)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for row in (await probe_all(market.plugin, rig.unpaced(shop.wrong_secrets()))).values():
                assert (row.state, row.refusal is None) == (GrantState.DENIED, False)
