"""A preflight tells of every function by itself: switched off it costs its own row and its own capabilities."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from account_bench import Bench, Json, Simulator, credentials_of, open_bench, prepare

from account_svc.accounts import jobs
from account_svc.checker import probing
from hanro import due
from hanro.marketplace import installed
from hanro.marketplace.types import MarketplaceId, ProbeKind
from hanro.testing.codes import rounds
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

PLUGIN = installed()[MarketplaceId("rakuten_ichiba")]
FUNCTIONS = [grant.id for grant in PLUGIN.grants if grant.probe is not ProbeKind.SMTP]
NEEDED = {"rpay.order.searchOrder", "rpay.order.getOrder"}
# Their key settled long ago: what is off is off.
OLD = timedelta(days=1)
# Without those that it needs an account would be suspended; they have a test of their own.
OTHERS = [name for name in FUNCTIONS if name not in NEEDED]
# In few rounds, many off at once; in `make faults` each is off by itself.
ROUNDS = [frozenset({name}) for name in OTHERS] if os.environ.get("HANRO_FAULTS") == "whole" else [*rounds(OTHERS)]
STOCK = "inventories.bulk.upsert"


@pytest.fixture
async def bench(urls: SchemaUrls, market: Simulator) -> AsyncIterator[Bench]:
    market.reset()
    market.control("/limits", "PUT", {"requests_per_second": 10_000, "burst": 10_000})
    async with open_bench(urls, market, is_whole=True) as opened:
        yield opened


async def linked(bench: Bench, shop: Json) -> Json:
    """Link an account whose key was stored a day ago, and have every function told."""
    made = await bench.link()
    await bench.store(made["id"], credentials_of(shop))
    async with bench.db.begin() as tx:
        await tx.execute("update credentials set stored_at = stored_at - $1::interval", OLD)
    await bench.check_due(jobs.PREFLIGHT)
    return await told_whole(bench, made["id"])


async def told_whole(bench: Bench, account_id: str) -> Json:
    """Look again until all is told: the first look is short, and a busy machine loses some turns."""
    for _ in range(8):
        shown = await bench.show(account_id)
        if shown["state"] == "draft" or not shown["grants"]["unknown"]:
            break
        async with bench.db.begin() as tx:
            await due.plan(tx, account_id, jobs.RECHECK)
        await bench.check_due(jobs.RECHECK)
    return await bench.show(account_id)


async def look_again(bench: Bench, account_id: str) -> Json:
    """Have all functions of an account that works asked for once more."""
    async with bench.db.begin() as tx:
        await tx.execute("delete from preflights")
        await due.plan(tx, account_id, jobs.RECHECK)
    await bench.check_due(jobs.RECHECK)
    for _ in range(8):
        if all(row["state"] != "unknown" for row in (await states(bench, account_id)).values()):
            break
        async with bench.db.begin() as tx:
            await due.plan(tx, account_id, jobs.RECHECK)
        await bench.check_due(jobs.RECHECK)
    return await bench.show(account_id)


async def states(bench: Bench, account_id: str) -> dict[str, Json]:
    found = (await bench.public.get(f"/v1/accounts/{account_id}/preflights")).json()["items"][0]["rows"]
    return {row["grant_id"]: row for row in found}


def lost_with(off: frozenset[str]) -> list[str]:
    return sorted(name.value for name, support in PLUGIN.capabilities.items() if support.grant_ids & off)


@pytest.mark.fault
@pytest.mark.row("A10", kind="refuses")
async def test_every_function_that_is_off_costs_exactly_its_row_and_its_capabilities(
    bench: Bench, market: Simulator
) -> None:
    shop = market.open_shop()
    shown = await linked(bench, shop)
    assert (shown["state"], shown["grants"]["granted"]) == ("active", len(FUNCTIONS) + 1)
    for off in ROUNDS:
        market.control(f"/shops/{shop['id']}/grants", "PUT", dict.fromkeys(off, False))
        before, sequence = market.control("/digest")["digest"], market.control("/health")["sequence"]
        shown = await look_again(bench, shown["id"])
        found = await states(bench, shown["id"])
        assert {name for name, row in found.items() if row["state"] == "denied"} == off
        assert {name for name, row in found.items() if row["state"] == "granted"} == {*found} - off
        assert (shown["state"], shown["label"]["ja"]) == ("degraded", "有効")
        assert shown["lost_capabilities"] == lost_with(off)
        for name in off:
            assert found[name]["lost_capabilities"] == lost_with(frozenset({name}))
            assert found[name]["remedies"][0]["ja"].startswith("CSV商品一括編集")
            assert found[name]["menu"]["steps"][-1] == "利用機能編集"
        assert market.control("/digest")["digest"] == before
        check_journal(market, sequence)
        market.control(f"/shops/{shop['id']}/grants", "PUT", dict.fromkeys(off, True))


def check_journal(market: Simulator, after: int) -> None:
    """See that there were probes alone: each function was asked, none had an effect."""
    entries = market.control(f"/journal?after={after}&limit=10000&kind=request")["entries"]
    asked = {entry["function"] for entry in entries}
    assert asked == {name.rpartition(".")[2] if is_short(name) else name for name in JOURNALLED}
    assert not any(entry["has_effect"] for entry in entries)


def is_short(name: str) -> bool:
    return name.startswith(("rpay.", "shop."))


JOURNALLED = [name for name in FUNCTIONS if name != "license.expiryDate"] + ["expiry-date"]


@pytest.mark.parametrize("grant_id", sorted(NEEDED))
async def test_a_function_that_is_needed_leaves_a_draft_whose_every_row_is_told(
    bench: Bench, market: Simulator, grant_id: str
) -> None:
    shop = market.open_shop()
    market.control(f"/shops/{shop['id']}/grants/{grant_id}", "PUT", {"enabled": False})
    shown = await linked(bench, shop)
    found = await states(bench, shown["id"])
    assert {name for name, row in found.items() if row["state"] != "granted"} == {grant_id}
    assert (shown["state"], shown["label"]["ja"], shown["reason"]["grant_id"]) == ("draft", "無効", grant_id)
    assert shown["lost_capabilities"] == lost_with(frozenset({grant_id}))


@pytest.mark.row("A10", kind="walks")
async def test_stock_that_is_off_is_one_row_and_asking_again_asks_for_it_alone(bench: Bench, market: Simulator) -> None:
    """Steps 5 and 6 of the seller's walk."""
    shop = market.open_shop()
    market.control(f"/shops/{shop['id']}/grants/{STOCK}", "PUT", {"enabled": False})
    shown = await linked(bench, shop)
    assert (shown["state"], shown["label"]["ja"], shown["lost_capabilities"]) == ("degraded", "有効", ["set_stock"])
    found = await states(bench, shown["id"])
    assert {name for name, row in found.items() if row["state"] == "denied"} == {STOCK}
    market.control(f"/shops/{shop['id']}/grants/{STOCK}", "PUT", {"enabled": True})
    sequence = market.control("/health")["sequence"]
    asked = await bench.public.post(f"/v1/accounts/{shown['id']}:preflight", headers={"Idempotency-Key": "again"})
    assert asked.status_code == 202, asked.text
    await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
    shown = await bench.show(shown["id"])
    assert (shown["state"], shown["grants"]["granted"]) == ("active", len(FUNCTIONS) + 1)
    assert {row["state"] for row in (await states(bench, shown["id"])).values()} == {"granted"}
    entries = market.control(f"/journal?after={sequence}&limit=10000&kind=request")["entries"]
    assert {entry["function"] for entry in entries} == {"searchOrder", "getOrder", STOCK}


async def test_a_dead_key_is_told_by_what_is_needed_and_every_row_says_so(bench: Bench, market: Simulator) -> None:
    shop = market.open_shop()
    market.control(f"/shops/{shop['id']}/keys/expire", "POST")
    sequence = market.control("/health")["sequence"]
    shown = await linked(bench, shop)
    found = await states(bench, shown["id"])
    assert {row["state"] for name, row in found.items() if name in FUNCTIONS} == {"denied"}
    assert (shown["state"], shown["reason"]["code"]) == ("draft", "credential-refused")
    entries = market.control(f"/journal?after={sequence}&limit=10000&kind=request")["entries"]
    assert len(entries) < len(FUNCTIONS)


async def test_a_cabinet_that_was_never_opened_suspends_nothing(bench: Bench, market: Simulator) -> None:
    """It answers 401, as for a dead key (rakuten-ichiba-catalog 6.5)."""
    shop = market.open_shop()
    shown = await linked(bench, shop)
    refusal = "<result><status><systemStatus>NG</systemStatus><message>AuthError</message></status></result>"
    fault = {"kind": "status", "status": 401, "body": refusal, "match": {"path": "/es/1.0/cabinet/"}}
    market.control("/faults", "POST", fault)
    shown = await look_again(bench, shown["id"])
    market.control("/faults", "DELETE")
    found = await states(bench, shown["id"])
    denied = {name for name, row in found.items() if row["state"] == "denied"}
    assert denied == {name for name in FUNCTIONS if name.startswith("cabinet.")}
    assert (shown["state"], shown["lost_capabilities"]) == ("degraded", ["upload_images"])


async def test_who_asks_while_another_look_runs_is_not_kept_waiting(
    bench: Bench, market: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "REPORT_SECONDS", 0.05)
    shown = await linked(bench, market.open_shop())
    async with bench.db.begin() as tx:
        await tx.execute("delete from preflights")
        await due.plan(tx, shown["id"], jobs.RECHECK)
    # With its share of the rate it takes more than a second.
    running = asyncio.create_task(bench.check_due(jobs.RECHECK))
    await asyncio.sleep(0.3)
    asked = await bench.public.post(f"/v1/accounts/{shown['id']}:preflight", headers={"Idempotency-Key": "other"})
    assert asked.status_code == 202
    await running
    looks = (await bench.public.get(f"/v1/accounts/{shown['id']}/preflights")).json()["items"]
    cut_short = {row["grant_id"]: row for row in looks[-1]["rows"]}
    assert "It is asked for next." in {row["text"] for row in cut_short.values()}
    assert {row["state"] for row in cut_short.values()} == {"granted", "unknown"}
    assert (await bench.show(shown["id"]))["grants"]["granted"] == len(FUNCTIONS) + 1
    await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
    assert {row["state"] for row in (await states(bench, shown["id"])).values()} == {"granted"}
    operation = (await bench.public.get(asked.headers["Location"])).json()
    assert operation["status"] == "applied"
