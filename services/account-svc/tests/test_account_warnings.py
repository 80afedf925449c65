"""It is told that a key ends: once for each key and threshold, by whoever looks, however often it is restarted."""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from account_bench import Bench, Json, open_bench, prepare
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from account_svc.accounts import jobs
from account_svc.checker import gauges
from account_svc.domain.expiries import THRESHOLDS, ending, reached
from hanro import outbox
from hanro.db import connect
from hanro.errors import Retryable
from hanro.http import Transport
from hanro.marketplace import installed
from hanro.marketplace.types import ExpirySource, KeyExpiry, MarketplaceId, Moment
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def bench(urls: SchemaUrls) -> AsyncIterator[Bench]:
    async with open_bench(urls) as opened:
        yield opened


async def account(bench: Bench, days_left: float, *, source: str = "read", version: int = 1) -> Json:
    """Link an account that works and whose key ends in so many days."""
    made = await bench.link()
    async with bench.db.begin() as tx:
        await tx.execute(
            "update accounts set state = 'active', reason = null, credential_version = $2 where id = $1",
            made["id"],
            version,
        )
    await ends(bench, made["id"], days_left, source=source, version=version)
    return made


async def ends(bench: Bench, account_id: str, days_left: float, *, source: str = "read", version: int = 1) -> None:
    """Let a look-up have told when the key ends, and its warnings be due."""
    at = datetime.now(UTC)
    async with bench.db.begin() as tx:
        await tx.execute("delete from key_expiries where account_id = $1", account_id)
        await tx.execute(
            "insert into key_expiries (account_id, field, source, expires_at, expires_local, credential_version,"
            " read_at) values ($1, 'license_key', $2, $3, $4, $5, $6)",
            account_id,
            source,
            at + timedelta(days=days_left),
            "2026-08-29T23:59:59",
            version,
            at,
        )
    await due_now(bench)


async def due_now(bench: Bench) -> None:
    async with bench.db.begin() as tx:
        await tx.execute(
            "insert into due (account_id, job, next_at, fence)"  # noqa: S608  the schema's own clock
            f" select id, 'key-warnings', {tx.now_sql}, nextval('due_fence') from accounts"
            " on conflict (account_id, job) do update set next_at = excluded.next_at"
        )


async def told(bench: Bench, account_id: str) -> list[int]:
    facts = await bench.facts(account_id)
    return [data["threshold_days"] for kind, data in facts if kind == "hanro.account.credential_expiring.v1"]


async def pass_days(bench: Bench, days: float) -> None:
    """Move the time of the key's end nearer: to this service it is the same as waiting."""
    async with bench.db.begin() as tx:
        await tx.execute("update key_expiries set expires_at = expires_at - $1::interval", timedelta(days=days))
    await due_now(bench)


@asynccontextmanager
async def restarted(bench: Bench, urls: SchemaUrls) -> AsyncIterator[Bench]:
    """Give the bench as another process would have it."""
    db = connect(urls.runtime, schema=urls.schema)
    try:
        yield replace(bench, parts=replace(bench.parts, db=db), checking=replace(bench.checking, db=db))
    finally:
        await db.close()


@pytest.mark.row("A13", kind="walks")
async def test_each_threshold_is_told_once_by_two_checkers_and_over_twenty_restarts(urls: SchemaUrls) -> None:
    async with open_bench(urls) as first:
        made = await account(first, 31)
        for days in (0, 1, 16, 7, 4, 2):
            await pass_days(first, days)
            for _ in range(4):
                # Nothing that a process remembers outlives it: each turn has connections of its own.
                async with AsyncExitStack() as opened:
                    twins = [await opened.enter_async_context(restarted(first, urls)) for _ in range(2)]
                    await due_now(first)
                    await asyncio.gather(*(one.check_due(jobs.WARNINGS) for one in twins))
        assert await told(first, made["id"]) == [30, 14, 7, 3, 1]
        fact = [data for kind, data in await first.facts(made["id"]) if kind.endswith("credential_expiring.v1")][-1]
        assert (fact["field"], fact["source"], fact["expires_local"]) == ("license_key", "read", "2026-08-29T23:59:59")
        versions = [data["version"] for _, data in await first.facts(made["id"])]
        assert versions == list(range(1, len(versions) + 1))


@pytest.mark.row("A13", kind="refuses")
async def test_after_five_days_down_the_nearest_alone_is_told_and_an_ended_key_not_at_all(bench: Bench) -> None:
    late, ended, far = await account(bench, 2.5), await account(bench, -0.1), await account(bench, 60)
    await bench.check_due(jobs.WARNINGS)
    assert await told(bench, late["id"]) == [3]
    assert (await told(bench, ended["id"]), await told(bench, far["id"])) == ([], [])
    [row] = await bench.fetch("select next_at from due where job = 'key-warnings' and account_id = $1", far["id"])
    assert abs(row["next_at"] - datetime.now(UTC) - 30 * DAY) < timedelta(minutes=1)


async def test_a_new_key_is_warned_of_anew(bench: Bench) -> None:
    made = await account(bench, 6)
    await bench.check_due(jobs.WARNINGS)
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set credential_version = 2")
    await ends(bench, made["id"], 90, version=2)
    await bench.check_due(jobs.WARNINGS)
    assert await told(bench, made["id"]) == [7]
    await pass_days(bench, 84)
    await bench.check_due(jobs.WARNINGS)
    assert await told(bench, made["id"]) == [7, 7]
    assert [row["credential_version"] for row in await bench.fetch("select * from expiry_warnings")] == [2]


@pytest.mark.parametrize("source", ["read", "computed", "typed"])
async def test_a_known_end_is_told_alike_wherever_it_is_known_from(bench: Bench, source: str) -> None:
    made = await account(bench, 13.5, source=source)
    await bench.check_due(jobs.WARNINGS)
    assert await told(bench, made["id"]) == [14]
    shown = (await bench.show(made["id"]))["credentials"]["ending"]
    assert (shown["field"], shown["days_left"], shown["next_warning_days"]) == ("license_key", 13, 7)


async def test_a_warning_whose_fact_was_not_committed_is_told_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await account(bench, 2.5)

    async def fail(*_words: object) -> None:
        raise Retryable("the process dies here", code="unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "record", fail)
        await bench.check_due(jobs.WARNINGS)
    assert await told(bench, made["id"]) == []
    await due_now(bench)
    await bench.check_due(jobs.WARNINGS)
    assert await told(bench, made["id"]) == [3]


class _Door:
    """Be a marketplace's access whose look-up tells what a test says."""

    def __init__(self, found: KeyExpiry | Retryable) -> None:
        self._found = found

    async def key_expiries(self) -> tuple[KeyExpiry, ...]:
        if isinstance(self._found, Retryable):
            raise self._found
        return (self._found,)


async def looking_up(bench: Bench, found: KeyExpiry | Retryable) -> Bench:
    """Give the bench with a marketplace that answers so."""
    twin: Any = copy.copy(installed()[MarketplaceId("rakuten_ichiba")])
    twin.access = lambda _session: _Door(found)
    # Nobody is called there: the door answers by itself.
    reaching = Transport({"rakuten_ichiba": "http://127.0.0.1:9"}, bench.parts.clock)
    outside = replace(bench.checking.outside, plugins={MarketplaceId("rakuten_ichiba"): twin}, transport=reaching)
    return replace(bench, checking=replace(bench.checking, outside=outside))


async def test_a_look_up_that_fails_for_hours_is_an_alarm_in_account_metric_and_log(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await bench.link()
    await bench.store(made["id"], {"service_secret": "SP000000_0000000000000000", "license_key": "SL000000_0"})
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = 'active', reason = null")
        await tx.execute(
            f"insert into due (account_id, job, next_at, fence) select id, 'key-expiries', {tx.now_sql},"  # noqa: S608
            " nextval('due_fence') from accounts"
        )
    failing = await looking_up(bench, Retryable("out of order", code="unavailable"))
    await failing.check_due(jobs.EXPIRIES)
    failure = (await bench.show(made["id"]))["credentials"]["expiry_failure"]
    assert (failure["code"], failure["is_alarming"]) == ("unavailable", False)
    assert await metric(bench, "hanro_account_expiry_look_ups_failing{") == []
    # Every failure is tried again within the hour, so that the next is no later than that.
    async with bench.db.begin() as tx:
        [row] = await tx.fetch(f"select next_at - {tx.now_sql} as wait from due where job = 'key-expiries'")  # noqa: S608
        assert row["wait"] < timedelta(hours=1)
        await tx.execute("update expiry_failures set first_at = first_at - interval '2 hours'")
        await tx.execute(f"update due set next_at = {tx.now_sql} where job = 'key-expiries'")  # noqa: S608
    await failing.check_due(jobs.EXPIRIES)
    failure = (await bench.show(made["id"]))["credentials"]["expiry_failure"]
    assert failure["is_alarming"]
    assert await metric(bench, "hanro_account_expiry_look_ups_failing{") == [
        'hanro_account_expiry_look_ups_failing{code="unavailable"} 1.0'
    ]
    end = KeyExpiry(
        field="license_key",
        source=ExpirySource.COMPUTED,
        expires=Moment(at=datetime.now(UTC) + 20 * DAY, local="2026-08-29"),
    )
    async with bench.db.begin() as tx:
        await tx.execute(f"update due set next_at = {tx.now_sql} where job = 'key-expiries'")  # noqa: S608
    await (await looking_up(bench, end)).check_due(jobs.EXPIRIES, jobs.WARNINGS)
    assert (await bench.show(made["id"]))["credentials"]["expiry_failure"] is None
    assert await told(bench, made["id"]) == [30]
    assert 'hanro_account_keys_ending{days="30"} 1.0' in await metric(bench, "hanro_account_keys_ending{")
    capsys.readouterr()


async def metric(bench: Bench, begin: str) -> list[str]:
    """Let the gauges look once, and give the lines that begin so."""
    registry, stop = CollectorRegistry(), asyncio.Event()
    watching = asyncio.create_task(gauges.watch(bench.db, registry, bench.parts.clock, stop))
    async with asyncio.timeout(30):
        while not (lines := generate_latest(registry).decode().splitlines()) or 'days="30"' not in str(lines):
            await asyncio.sleep(0.02)
    stop.set()
    await watching
    return [line for line in lines if line.startswith(begin)]


@given(st.floats(0.001, 100))
def test_of_what_was_reached_the_nearest_is_told_and_the_next_lies_ahead(days_left: float) -> None:
    end = NOON + timedelta(days=days_left)
    found = reached(end, NOON)
    ahead = ending(KeyExpiry(field="k", source=ExpirySource.TYPED, expires=Moment(at=end, local="x")), NOON)
    assert ahead is not None
    assert found == min((days for days in THRESHOLDS if end - days * DAY <= NOON), default=None)
    assert ahead.next_days == max((days for days in THRESHOLDS if end - days * DAY > NOON), default=None)
    assert reached(NOON, NOON) is None
