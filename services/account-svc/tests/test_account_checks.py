"""Preflights against the marketplace's simulator: what is granted, what is not, and what becomes of the account."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from account_bench import FEW, Bench, Json, Simulator, credentials_of, open_bench, prepare

from account_svc import checker
from account_svc.accounts import jobs, rounds
from account_svc.consumers import on_access_reports
from hanro import due, effects
from hanro.access_reports import Service
from hanro.clock import SystemClock
from hanro.db import Database, Transaction
from hanro.events.access import AccessReported, GrantUsed
from hanro.events.envelope import Received
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

OUTAGE = {"kind": "status", "status": 503, "match": {"path": "/es/"}}


async def linked(bench: Bench, values: dict[str, str]) -> Json:
    made = await bench.link()
    await bench.store(made["id"], values)
    await bench.check_due(jobs.PREFLIGHT)
    return await bench.show(made["id"])


async def rows(bench: Bench, account_id: str) -> dict[str, Json]:
    found = (await bench.public.get(f"/v1/accounts/{account_id}/preflights")).json()["items"][0]["rows"]
    return {row["grant_id"]: row for row in found}


async def report_refusal(bench: Bench, account_id: str, version: int, *, report_version: int = 1) -> None:
    refused = GrantUsed(
        grant_id="rpay.order.searchOrder", refused_at=datetime.now(UTC), refusal_code="credential-refused"
    )
    await hear(bench, account_id, "order-svc", refused, version=version, report_version=report_version)


async def hear(
    bench: Bench, account_id: str, service: Service, grant: GrantUsed, *, version: int = 1, report_version: int = 1
) -> None:
    fact = AccessReported(
        id=f"{account_id}:{service}",
        version=report_version,
        at=datetime.now(UTC),
        account_id=account_id,
        account_epoch=0,
        service=service,
        credential_version=version,
        grants=(grant,),
    )
    received = Received(fact, headers=())
    async with bench.db.begin() as tx:
        effect = await effects.put(tx, on_access_reports, [received])
    assert effect.failures == {}


@pytest.mark.row("A10", kind="walks")
async def test_a_good_key_makes_the_account_active_and_its_probes_change_nothing(
    bench: Bench, market: Simulator
) -> None:
    shop = market.open_shop()
    before = market.control("/digest")["digest"]
    started = time.monotonic()
    shown = await linked(bench, credentials_of(shop))
    assert time.monotonic() - started < 30
    assert market.control("/digest")["digest"] == before
    assert (shown["state"], shown["label"]["ja"], shown["reason"], shown["next_step"]) == ("active", "有効", None, None)
    assert shown["grants"]["granted"] == len(FEW)
    assert (await rows(bench, shown["id"]))["mail_relay"]["text"] == "The mail relay took the login."
    kinds = [kind for kind, _ in await bench.facts(shown["id"])]
    # It works as soon as what it needs is known; the rest is told when that is known too.
    assert kinds[:3] == ["hanro.account.linked.v1", "hanro.account.changed.v1", "hanro.account.activated.v1"]
    assert set(kinds[3:]) <= {"hanro.account.changed.v1"}
    operation = (await bench.public.get("/v1/account/operations")).json()["items"][0]
    assert (operation["status"], operation["answer"]["granted"], operation["answer"]["state"]) == (
        "applied",
        7,
        "active",
    )


async def test_a_login_at_the_relay_sends_no_mail(bench: Bench, market: Simulator) -> None:
    await linked(bench, credentials_of(market.open_shop()))
    assert market.control("/mails")["mails"] == []


@pytest.mark.row("A10", kind="refuses")
async def test_a_wrong_key_names_grant_menu_and_remedy_and_activates_nothing(bench: Bench, market: Simulator) -> None:
    shop = market.open_shop()
    shown = await linked(bench, credentials_of(shop) | {"license_key": "SL999001_0000000000000000"})
    assert (shown["state"], shown["label"]["ja"]) == ("draft", "無効")
    assert shown["reason"]["code"] == "credential-refused"
    assert shown["reason"]["marketplace"]["code"] == "GA0001"
    assert shown["next_step"]["menu"]["steps"][0] == "RMS"
    assert shown["next_step"]["text"]["ja"]
    found = await rows(bench, shown["id"])
    denied = found["rpay.order.searchOrder"]
    assert (denied["state"], denied["lost_capabilities"]) == ("denied", ["find_orders"])
    assert denied["menu"]["steps"][-1] == "利用機能編集"
    assert denied["remedies"][0]["ja"].startswith("CSV商品一括編集")
    assert (await bench.vend(shown["id"])).status_code == 409


async def test_an_expired_key_activates_nothing(bench: Bench, market: Simulator) -> None:
    shop = market.open_shop()
    market.control(f"/shops/{shop['id']}/keys/expire", "POST")
    shown = await linked(bench, credentials_of(shop))
    assert (shown["state"], shown["reason"]["code"]) == ("draft", "credential-refused")


@pytest.mark.row("A10", kind="refuses")
@pytest.mark.parametrize(
    ("grant_id", "state", "lost"),
    [
        ("rpay.order.confirmOrder", "degraded", ["accept"]),
        ("rpay.order.searchOrder", "pending_approval", ["find_orders"]),
        ("rpay.order.getSubStatusList", "degraded", ["market_information"]),
    ],
)
async def test_a_function_that_is_off_costs_its_row_and_its_capabilities(
    bench: Bench, market: Simulator, grant_id: str, state: str, lost: list[str]
) -> None:
    shop = market.open_shop()
    market.control(f"/shops/{shop['id']}/grants/{grant_id}", "PUT", {"enabled": False})
    shown = await linked(bench, credentials_of(shop))
    found = await rows(bench, shown["id"])
    wanting = [name for name, row in found.items() if row["state"] != "granted"]
    assert wanting == [grant_id]
    # The key is young: what is off cannot be told from what settles.
    assert found[grant_id]["state"] == "pending"
    assert found[grant_id]["retry_at"] is not None
    assert (shown["state"], shown["lost_capabilities"]) == (state, lost)
    assert shown["reason"]["grant_id"] == grant_id


async def test_a_wrong_relay_password_degrades_the_account_and_is_named(bench: Bench, market: Simulator) -> None:
    shown = await linked(bench, credentials_of(market.open_shop()) | {"smtp_password": "not-the-password"})
    assert (shown["state"], shown["label"]["ja"], shown["reason"]["grant_id"]) == ("degraded", "有効", "mail_relay")
    denied = (await rows(bench, shown["id"]))["mail_relay"]
    assert (denied["state"], denied["marketplace"]["code"]) == ("denied", "535")
    assert "not-the-password" not in str(shown) + str(denied)


async def test_a_shop_that_sends_no_mail_is_active_without_a_relay_login(bench: Bench, market: Simulator) -> None:
    typed = credentials_of(market.open_shop())
    shown = await linked(bench, {name: typed[name] for name in ("service_secret", "license_key")})
    assert (shown["state"], shown["reason"]) == ("active", None)
    assert (await rows(bench, shown["id"]))["mail_relay"]["state"] == "unknown"


@pytest.mark.row("A11", kind="walks")
async def test_a_refusal_that_a_service_reports_suspends_at_once_and_a_new_key_brings_it_back(
    bench: Bench, market: Simulator
) -> None:
    shop = market.open_shop()
    shown = await linked(bench, credentials_of(shop))
    vended = await bench.vend(shown["id"])
    assert (vended.status_code, vended.json()["version"]) == (200, 1)
    assert vended.json()["values"]["license_key"] == shop["license_key"]
    market.control(f"/shops/{shop['id']}/keys/revoke", "POST")
    await report_refusal(bench, shown["id"], 1)
    assert await bench.check_due(jobs.PREFLIGHT) == 1
    dead = await bench.show(shown["id"])
    assert (dead["state"], dead["label"]["ja"], dead["reason"]["code"]) == ("suspended", "無効", "credential-refused")
    refused = await bench.vend(shown["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "account-suspended")
    assert refused.json()["remedy"]["ja"]
    renewed = market.control(f"/shops/{shop['id']}/keys/issue", "POST", {"active_after_seconds": 0})
    await bench.store(shown["id"], credentials_of(renewed))
    await bench.check_due(jobs.PREFLIGHT)
    assert (await bench.show(shown["id"]))["state"] == "active"
    assert (await bench.vend(shown["id"])).json()["version"] == 2
    kinds = [kind.split(".")[2] for kind, _ in await bench.facts(shown["id"])]
    # In between it is told what else is found, and that newer credentials are stored.
    assert [kind for kind in kinds if kind != "changed"] == ["linked", "activated", "suspended", "activated"]


@pytest.mark.row("A11", kind="walks")
async def test_a_mail_relay_that_lets_in_after_the_key_was_refused_does_not_put_the_check_off(
    bench: Bench, market: Simulator
) -> None:
    shop = market.open_shop()
    shown = await linked(bench, credentials_of(shop))
    market.control(f"/shops/{shop['id']}/keys/revoke", "POST")
    await report_refusal(bench, shown["id"], 1)
    await hear(bench, shown["id"], "notifier-svc", GrantUsed(grant_id="mail_relay", succeeded_at=datetime.now(UTC)))
    assert await bench.check_due(jobs.PREFLIGHT) == 1
    dead = await bench.show(shown["id"])
    assert (dead["state"], dead["reason"]["code"]) == ("suspended", "credential-refused")


async def test_the_same_report_twice_and_one_of_an_older_key_check_nothing(bench: Bench, market: Simulator) -> None:
    shop = market.open_shop()
    shown = await linked(bench, credentials_of(shop))
    await report_refusal(bench, shown["id"], 0)
    assert await bench.check_due(jobs.PREFLIGHT) == 0
    await report_refusal(bench, shown["id"], 1, report_version=2)
    assert await bench.check_due(jobs.PREFLIGHT) == 1
    await report_refusal(bench, shown["id"], 1, report_version=2)
    assert await bench.check_due(jobs.PREFLIGHT) == 0
    assert (await bench.show(shown["id"]))["state"] == "active"


async def use_lately(bench: Bench, account_id: str) -> None:
    """Let order-svc have reported that all its grants worked a moment ago."""
    async with bench.db.begin() as tx:
        await tx.execute(
            "insert into grant_uses select $1, 'order-svc', g, 1, $2, null, null from unnest($3::text[]) g",
            account_id,
            datetime.now(UTC),
            ["rpay.order.searchOrder", "rpay.order.getOrder", "rpay.order.confirmOrder", "rpay.order.getSubStatusList"],
        )


@pytest.mark.row("A10", kind="walks")
async def test_what_others_use_is_not_probed_while_the_account_works(bench: Bench, market: Simulator) -> None:
    shown = await linked(bench, credentials_of(market.open_shop()))
    await use_lately(bench, shown["id"])
    before = market.control("/health")["sequence"]
    answer = await bench.public.post(f"/v1/accounts/{shown['id']}:preflight")
    assert answer.json()["estimated_seconds"] > 60
    assert await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK) == 2
    found = await rows(bench, shown["id"])
    assert found["rpay.order.searchOrder"]["text"].startswith("order-svc used it at")
    asked = [entry["path"] for entry in market.control(f"/journal?after={before}&path=/es/")["entries"]]
    assert sorted(path.split("/")[3] for path in asked) == ["license-management", "shop"]
    assert (await bench.show(shown["id"]))["state"] == "active"


async def test_a_dead_key_is_found_in_spite_of_what_worked_a_moment_ago(bench: Bench, market: Simulator) -> None:
    shop = market.open_shop()
    shown = await linked(bench, credentials_of(shop))
    await use_lately(bench, shown["id"])
    market.control(f"/shops/{shop['id']}/keys/revoke", "POST")
    await bench.public.post(f"/v1/accounts/{shown['id']}:preflight")
    await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
    dead = await bench.show(shown["id"])
    assert (dead["state"], dead["reason"]["code"]) == ("suspended", "credential-refused")
    assert {one["status"] for one in await bench.fetch("select status from operations")} == {"applied"}


async def test_an_outage_leaves_a_draft_a_draft_and_is_looked_at_again_soon(bench: Bench, market: Simulator) -> None:
    shop = market.open_shop()
    market.control("/faults", "POST", OUTAGE)
    shown = await linked(bench, credentials_of(shop))
    assert (shown["state"], shown["reason"]["code"]) == ("draft", "unavailable")
    found = await rows(bench, shown["id"])
    assert {row["state"] for name, row in found.items() if name != "mail_relay"} == {"unknown"}
    next_at = (await bench.fetch("select next_at from due where job = 'preflight'"))[0]["next_at"]
    assert timedelta() < next_at - datetime.now(UTC) < timedelta(minutes=1)


async def test_an_outage_leaves_an_account_that_works_alone(bench: Bench, market: Simulator) -> None:
    shown = await linked(bench, credentials_of(market.open_shop()))
    await use_lately(bench, shown["id"])
    market.control("/faults", "POST", OUTAGE)
    await bench.public.post(f"/v1/accounts/{shown['id']}:preflight")
    await bench.check_due(jobs.PREFLIGHT, jobs.RECHECK)
    after = await bench.show(shown["id"])
    assert (after["state"], after["version"]) == ("active", shown["version"])
    assert (await rows(bench, shown["id"]))["shop.shopMaster"]["state"] == "unknown"


async def test_a_marketplace_without_an_address_here_is_told_and_tried_again(
    urls: SchemaUrls, market: Simulator
) -> None:
    async with open_bench(urls) as lonely:
        shown = await linked(lonely, credentials_of(market.open_shop()))
        assert (shown["state"], shown["reason"]["code"]) == ("draft", "unavailable")
        assert "not installed" in shown["reason"]["text"]


async def test_the_end_of_the_key_is_looked_up_after_linking_and_shown(bench: Bench, market: Simulator) -> None:
    shown = await linked(bench, credentials_of(market.open_shop()))
    assert await bench.check_due(jobs.EXPIRIES) == 1
    expiries = (await bench.show(shown["id"]))["credentials"]["expiries"]
    assert [(one["field"], one["source"]) for one in expiries] == [("license_key", "read")]
    ends = datetime.fromisoformat(expiries[0]["expires_at"])
    assert timedelta(days=88) < ends - datetime.now(UTC) < timedelta(days=92)


async def test_a_look_up_that_fails_is_shown_since_when(bench: Bench, market: Simulator) -> None:
    shop = market.open_shop()
    shown = await linked(bench, credentials_of(shop))
    market.control(f"/shops/{shop['id']}/keys/revoke", "POST")
    await bench.check_due(jobs.EXPIRIES)
    failure = (await bench.show(shown["id"]))["credentials"]["expiry_failure"]
    assert failure["code"] == "credential-refused"
    assert failure["first_at"] == failure["last_at"]
    await bench.check_due(jobs.PREFLIGHT)
    assert (await bench.show(shown["id"]))["state"] == "suspended"


async def test_credentials_stored_during_a_preflight_are_checked_next(bench: Bench, market: Simulator) -> None:
    shop = market.open_shop()
    made = await bench.link()
    await bench.store(made["id"], credentials_of(shop) | {"license_key": "SL999001_0000000000000000"})
    lease = (
        await due.claim(bench.db, [jobs.PREFLIGHT], limit=1, lease=timedelta(seconds=90), clock=bench.parts.clock)
    )[0]
    async with asyncio.TaskGroup() as group:
        group.create_task(checker.doer.check(bench.checking, lease))
        await asyncio.sleep(0.3)
        await bench.store(made["id"], credentials_of(shop))
    assert (await bench.show(made["id"]))["state"] == "draft"
    assert await bench.check_due(jobs.PREFLIGHT) >= 1
    assert (await bench.show(made["id"]))["state"] == "active"
    statuses = await bench.fetch("select status from operations")
    assert {one["status"] for one in statuses} == {"applied"}


async def test_a_preflight_whose_process_died_is_done_by_another(bench: Bench, market: Simulator) -> None:
    shop = market.open_shop()
    made = await bench.link()
    await bench.store(made["id"], credentials_of(shop))
    short = timedelta(milliseconds=200)
    dead = (await due.claim(bench.db, [jobs.PREFLIGHT], limit=1, lease=short, clock=bench.parts.clock))[0]
    await asyncio.sleep(0.3)
    assert await bench.check_due(jobs.PREFLIGHT) == 1
    before = await bench.show(made["id"])
    await checker.doer.check(bench.checking, dead)
    assert await bench.show(made["id"]) == before
    assert before["state"] == "active"


async def test_a_slow_look_that_another_one_overtook_stores_nothing_and_judges_nothing(
    bench: Bench, market: Simulator
) -> None:
    shop = market.open_shop()
    account_id = (await linked(bench, credentials_of(shop)))["id"]
    outside, minute = bench.checking.outside, timedelta(minutes=1)
    async with bench.db.begin() as tx:
        await due.plan(tx, account_id, jobs.RECHECK)
    (slow,) = await due.claim(bench.db, [jobs.RECHECK], limit=1, lease=minute, clock=bench.parts.clock)
    async with bench.db.begin() as tx:
        taken = await rounds.begin(tx, outside.plugins, bench.checking.safe, slow, outside.clock.now())
    assert taken is not None
    market.control(f"/shops/{shop['id']}/keys/expire", "POST")
    await report_refusal(bench, account_id, 1)
    assert await bench.check_due(jobs.PREFLIGHT) >= 1
    before = await bench.show(account_id)
    assert (before["state"], before["reason"]["code"]) == ("suspended", "credential-refused")
    async with bench.db.begin() as tx:
        assert (await rounds.advance(tx, slow, taken, {}, outside.clock.now())).is_over
    async with bench.db.begin() as tx:
        await rounds.end(tx, slow, taken, {}, outside.clock.now())
    assert await bench.show(account_id) == before
    assert await bench.fetch("select id from preflights where finished_at is null") == []


async def test_the_checker_does_what_is_due_and_stops_when_it_is_told(bench: Bench, market: Simulator) -> None:
    made = await bench.link()
    await bench.store(made["id"], credentials_of(market.open_shop()))
    stop = asyncio.Event()
    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        group.create_task(checker.run(bench.checking, stop))
        while (await bench.show(made["id"]))["state"] != "active":
            await asyncio.sleep(0.1)
        stop.set()


async def plan_jobs(bench: Bench, count: int, job: str) -> None:
    """Make a job due for accounts that are only drafts: it is looked at and put to rest."""
    async with bench.db.begin() as tx:
        await tx.execute(
            f"""
            insert into accounts (id, marketplace_id, display_name, shop_ids, state, is_enabled, grants,
                lost_capabilities, credential_version, epoch, version, created_at, changed_at)
            select 'acc_' || n, 'rakuten_ichiba', '', array['shp_1'], 'draft', true, '[]', array[]::text[], 0, 0, 1,
                now, now from generate_series(1, $1::int) n, (select {tx.now_sql} as now) clock
            """,  # noqa: S608  the schema's own clock
            count,
        )
        for number in range(1, count + 1):
            await due.plan(tx, f"acc_{number}", job)


class FewRests(SystemClock):
    """Be a clock whose long rests do not end."""

    async def sleep(self, seconds: float) -> None:
        """Wait for a moment, or for good."""
        if seconds >= 0.1:
            await asyncio.Event().wait()
        await super().sleep(seconds)


async def test_a_slot_that_is_free_is_taken_at_once_while_something_is_due(bench: Bench) -> None:
    await plan_jobs(bench, 2 * checker.doer.SLOTS + 1, jobs.EXPIRIES)
    outside = replace(bench.checking.outside, clock=FewRests())
    stop = asyncio.Event()
    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        group.create_task(checker.run(replace(bench.checking, outside=outside), stop))
        while await due.count_due(bench.db, [jobs.EXPIRIES]):
            await asyncio.sleep(0.05)
        stop.set()


class Counted:
    """Be a database that counts transactions."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.count = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._db, name)

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """Count, and open one."""
        self.count += 1
        return self._db.begin()


async def test_a_checker_with_nothing_to_do_asks_once_a_look(bench: Bench) -> None:
    counted, looks = Counted(bench.db), 3
    stop = asyncio.Event()

    class Looking(SystemClock):
        left = looks

        async def sleep(self, _seconds: float) -> None:
            self.left -= 1
            if not self.left:
                stop.set()

    outside = replace(bench.checking.outside, clock=Looking())
    async with asyncio.timeout(20):
        await checker.run(replace(bench.checking, db=cast("Database", counted), outside=outside), stop)
    assert counted.count == looks


async def test_reads_of_market_information_have_slots_of_their_own(bench: Bench) -> None:
    slots, market_slots = checker.doer.SLOTS, checker.doer.SLOW_SLOTS[jobs.MARKET]
    await plan_jobs(bench, 2 * market_slots, jobs.MARKET)
    assert len(await checker.doer.claim(bench.checking, [])) == market_slots
    assert await checker.doer.claim(bench.checking, [jobs.MARKET] * market_slots) == []
    async with bench.db.begin() as tx:
        await due.plan(tx, "acc_1", jobs.PREFLIGHT)
        await due.plan(tx, "acc_1", jobs.UNLINK)
    taken = await checker.doer.claim(bench.checking, [jobs.ROTATION] * (slots - 1))
    assert [lease.job for lease in taken] == [jobs.PREFLIGHT] + [jobs.MARKET] * market_slots
    assert {lease.job: lease.lease for lease in taken} == {
        job: jobs.LEASES[job] for job in (jobs.PREFLIGHT, jobs.MARKET)
    }


@pytest.mark.row("A14", kind="refuses")
async def test_each_use_of_credentials_leaves_who_which_version_and_what_for(bench: Bench, market: Simulator) -> None:
    shown = await linked(bench, credentials_of(market.open_shop()))
    await bench.vend(shown["id"])
    uses = await bench.fetch(
        "select caller, service, purpose, credential_version from credential_uses order by position"
    )
    assert uses == [
        {"caller": "account-svc", "service": "account-svc", "purpose": "preflight", "credential_version": 1},
        {"caller": "order-svc", "service": "order-svc", "purpose": "poll", "credential_version": 1},
    ]


@pytest.mark.row("A19", kind="walks")
@pytest.mark.row("A8", kind="walks")
async def test_wrong_input_never_leaves_and_right_input_proves_its_item(bench: Bench, market: Simulator) -> None:
    shop = market.open_shop()
    good = credentials_of(shop)
    made = await bench.link()
    path = f"/v1/accounts/{made['id']}/credentials"
    before = market.control("/health")["sequence"]
    for field, typed in (
        ("license_key", f"{good['license_key']} "),
        ("license_key", f"\ufeff{good['license_key']}"),
        ("license_key", good["license_key"].replace("S", "Ｓ", 1)),
        ("license_key", f"{good['license_key'][:5]}\x07{good['license_key'][5:]}"),
        ("license_expires_on", "2020-01-01"),
        ("license_expires_on", "２０９９-01-01"),
        ("smtp_id", "　"),
        ("sender_address", "shop999001@shop.rakuten.co.jp"),
        ("sender_address", "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp"),
    ):
        answer = await bench.public.put(path, json={"values": good | {field: typed}})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/values/{field}"), typed
    assert await bench.check_due() == 0
    assert market.control(f"/journal?after={before}&kind=request")["entries"] == []
    assert await bench.fetch("select 1 from credentials") == []
    await bench.store(made["id"], good)
    await bench.check_due(jobs.PREFLIGHT)
    shown = (await bench.public.get(f"/v1/accounts/{made['id']}/checklist")).json()["items"]
    items = {one["prerequisite"]["id"]: one for one in shown}
    granted = {one["id"] for one in (await bench.show(made["id"]))["grants"]["items"] if one["state"] == "granted"}
    functions = items["functions"]
    assert {"rpay.order.searchOrder", "rpay.order.getOrder"} <= granted
    assert set(functions["unproven_grant_ids"]) == set(functions["prerequisite"]["grant_ids"]) - granted
    assert functions["is_done"] == (not functions["unproven_grant_ids"])
    assert items["mail_login"]["is_done"]
