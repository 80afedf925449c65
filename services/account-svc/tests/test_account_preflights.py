"""Preflights while they run: how far they are, who joins them, what a dead process leaves, what is told at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from account_bench import Bench, Json, prepare
from sample_desk import TYPED, Desk, install, link, opened, preflights

from account_svc.accounts import jobs
from account_svc.checker import probing
from account_svc.checker.doer import check
from hanro import due
from hanro.due import Lease
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

SECONDS = 15.0


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)
    monkeypatch.setattr(probing, "REPORT_SECONDS", 0.05)
    monkeypatch.setattr(probing, "LOOK_SECONDS", 0.2)


async def claim(bench: Bench, job: str) -> Lease:
    leases = await due.claim(bench.db, [job], limit=1, lease=timedelta(seconds=90), clock=bench.parts.clock)
    assert leases, f"{job} is not due"
    return leases[0]


@asynccontextmanager
async def running(bench: Bench, job: str) -> AsyncIterator["asyncio.Task[None]"]:
    """Let a check run while the block lasts, and wait for its end behind it."""
    task = asyncio.create_task(check(bench.checking, await claim(bench, job)))
    try:
        async with asyncio.timeout(SECONDS):
            yield task
            await asyncio.wait([task])
    finally:
        task.cancel()


async def until_asked(bench: Bench, account_id: str, count: int) -> Json:
    """Wait until so many rows of the preflight that runs are there."""
    async with asyncio.timeout(SECONDS):
        while True:
            shown = await bench.show(account_id)
            if shown["preflight"] and shown["preflight"]["asked_count"] >= count:
                return shown
            await asyncio.sleep(0.02)


async def kinds(bench: Bench, account_id: str) -> list[str]:
    return [kind.split(".")[2] for kind, _ in await bench.facts(account_id)]


async def working(bench: Bench) -> Json:
    """Link an account, and let it work with all that it can ask for granted."""
    made = await link(bench)
    await bench.store(made["id"], TYPED)
    await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
    shown = await bench.show(made["id"])
    assert (shown["state"], shown["preflight"]) == ("active", None)
    return shown


async def forget(bench: Bench, account_id: str) -> None:
    """Let what was found be old: all is asked again."""
    async with bench.db.begin() as tx:
        await tx.execute("delete from preflights where account_id = $1", account_id)


@pytest.mark.row("A10", kind="walks")
async def test_a_preflight_shows_how_far_it_is_and_the_account_works_before_it_ends(urls: SchemaUrls) -> None:
    desk = Desk()
    held = desk.hold("shelf.write")
    async with opened(urls, desk) as (bench, _):
        made = await link(bench)
        await bench.store(made["id"], TYPED)
        async with running(bench, jobs.PREFLIGHT):
            shown = await until_asked(bench, made["id"], 2)
            async with asyncio.timeout(SECONDS):
                while shown["state"] != "active":
                    shown = await bench.show(made["id"])
            progress = shown["preflight"]
            assert progress["text"]["ja"].startswith(f"確認中: {progress['total_count']} 件中")
            assert progress["asked_count"] < progress["total_count"] == 4
            one = (await bench.public.get(f"/v1/accounts/{made['id']}/preflights/{progress['id']}")).json()
            assert (one["is_running"], one["standing"], one["finished_at"]) == (True, None, None)
            states = {row["grant_id"]: (row["is_asked"], row["state"]) for row in one["rows"]}
            assert (states["sales.read"], states["shelf.write"]) == ((True, "granted"), (False, "unknown"))
            assert [row["id"] for row in await preflights(bench, made["id"])] == [progress["id"]]
            held.set()
        after = await bench.show(made["id"])
        assert (after["preflight"], after["last_preflight_id"]) == (None, progress["id"])
        ended = (await preflights(bench, made["id"]))[0]
        assert (ended["is_running"], ended["standing"], ended["asked_count"]) == (False, "whole", 4)
        assert all(row["is_asked"] for row in ended["rows"])


@pytest.mark.row("A10", kind="refuses")
async def test_a_preflight_of_another_account_is_not_found(urls: SchemaUrls) -> None:
    async with opened(urls, Desk()) as (bench, _):
        first, second = await working(bench), await link(bench)
        path = f"/v1/accounts/{second['id']}/preflights"
        for preflight_id in (first["last_preflight_id"], "pre_none"):
            answer = await bench.public.get(f"{path}/{preflight_id}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_those_who_ask_before_it_begins_share_one_and_those_who_ask_later_share_the_next(
    urls: SchemaUrls,
) -> None:
    desk = Desk()
    held = desk.hold("sales.read")
    async with opened(urls, desk) as (bench, server):
        made = await link(bench)
        stored = await bench.store(made["id"], TYPED)

        async def ask() -> str:
            answer = await bench.public.post(f"/v1/accounts/{made['id']}:preflight")
            assert answer.status_code == 202
            return str(answer.json()["id"])

        assert set(await asyncio.gather(*(ask() for _ in range(5)))) == {stored["id"]}
        async with running(bench, jobs.PREFLIGHT):
            async with asyncio.timeout(SECONDS):
                while not server.arrived:
                    await asyncio.sleep(0.02)
            later = set(await asyncio.gather(*(ask() for _ in range(5))))
            assert len(later) == 1
            assert later != {stored["id"]}
            held.set()
        await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
        statuses = await bench.fetch("select id, status from operations order by id")
        assert [(one["id"], one["status"]) for one in statuses] == [
            (stored["id"], "applied"),
            (later.pop(), "applied"),
        ]


async def test_what_a_dead_process_found_stands_and_another_goes_on_with_it(urls: SchemaUrls) -> None:
    desk = Desk()
    desk.hold("shelf.write")
    async with opened(urls, desk) as (bench, server):
        made = await link(bench)
        await bench.store(made["id"], TYPED)
        async with running(bench, jobs.PREFLIGHT) as task:
            shown = await until_asked(bench, made["id"], 3)
            task.cancel()
        assert (await bench.show(made["id"]))["preflight"]["id"] == shown["preflight"]["id"]
        desk.held.clear()
        before = len(server.arrived)
        async with bench.db.begin() as tx:
            await tx.execute("update due set lease_until = $1", (await bench.fetch("select now()"))[0]["now"])
        await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
        ended = await bench.show(made["id"])
        assert (ended["state"], ended["last_preflight_id"]) == ("active", shown["preflight"]["id"])
        assert [one.path.rpartition("/")[2] for one in server.arrived[before:]] == ["shelf.write"]


@pytest.mark.row("A10", kind="walks")
@pytest.mark.row("A11", kind="walks")
async def test_a_lost_grant_turns_exactly_its_capabilities_red_and_what_comes_back_is_told_too(
    urls: SchemaUrls,
) -> None:
    desk = Desk()
    async with opened(urls, desk) as (bench, _):
        shown = await working(bench)
        count = len(await bench.facts(shown["id"]))
        desk.off.add("shelf.write")
        await forget(bench, shown["id"])
        await bench.public.post(f"/v1/accounts/{shown['id']}:preflight")
        await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
        lost = await bench.show(shown["id"])
        assert (lost["state"], lost["label"]["ja"], lost["lost_capabilities"]) == ("degraded", "有効", ["set_stock"])
        denied = [
            row["grant_id"] for row in (await preflights(bench, shown["id"]))[0]["rows"] if row["state"] == "denied"
        ]
        assert denied == ["shelf.write"]
        desk.off.clear()
        await bench.public.post(f"/v1/accounts/{shown['id']}:preflight")
        await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
        assert (await bench.show(shown["id"]))["state"] == "active"
        facts = (await bench.facts(shown["id"]))[count:]
        assert [(kind.split(".")[2], fact["lost_capabilities"]) for kind, fact in facts] == [
            ("degraded", ["set_stock"]),
            ("activated", []),
        ]


async def test_who_asks_anew_does_not_wait_for_a_slow_one_and_what_was_lost_is_asked_first(urls: SchemaUrls) -> None:
    desk = Desk(off={"shelf.write"})
    async with opened(urls, desk) as (bench, server):
        made = await link(bench)
        await bench.store(made["id"], TYPED)
        await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
        await forget(bench, made["id"])
        desk.hold("sales.read")
        await bench.public.post(f"/v1/accounts/{made['id']}:preflight")
        await check(bench.checking, await claim(bench, jobs.PREFLIGHT))
        async with running(bench, jobs.RECHECK):
            await until_asked(bench, made["id"], 1)
            desk.off.clear()
            await bench.public.post(f"/v1/accounts/{made['id']}:preflight")
        desk.held.clear()
        before = len(server.arrived)
        await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
        asked = [one.path.rpartition("/")[2] for one in server.arrived[before:]]
        assert "shelf.write" in asked[:2]
        assert (await bench.show(made["id"]))["state"] == "active"
        statuses = await bench.fetch("select status from operations")
        assert {one["status"] for one in statuses} == {"applied"}
        assert (await bench.fetch("select count(*) from preflights where finished_at is null"))[0]["count"] == 0
