"""Two sets of credentials: the new one is tried beside the one in use, takes over where it works, and never sooner."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from account_bench import Bench, Json, Simulator, credentials_of, open_bench, prepare

from account_svc import checker
from account_svc.accounts import jobs, rotation
from account_svc.checker import probing
from account_svc.consumers import on_access_reports
from hanro import due, effects
from hanro.crypto import Keyring
from hanro.events.access import AccessReported, GrantUsed
from hanro.events.envelope import Received
from hanro.testing.callers import bearer
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

WRONG = "SL999001_0000000000000000"
HALF_AN_HOUR = timedelta(minutes=31)


@pytest.fixture
async def shop(market: Simulator) -> Json:
    return market.open_shop()


async def working(bench: Bench, shop: Json) -> Json:
    """Link an account that works and has nothing due."""
    made = await bench.link()
    await bench.store(made["id"], credentials_of(shop))
    await bench.check_due(jobs.PREFLIGHT)
    await bench.check_due(jobs.EXPIRIES, jobs.WARNINGS)
    shown = await bench.show(made["id"])
    assert shown["state"] == "active"
    return shown


def issue(market: Simulator, shop: Json, *, overlap: bool, settles: float = 0) -> Json:
    body = {"active_after_seconds": settles, "keeps_old": overlap}
    issued: Json = market.control(f"/shops/{shop['id']}/keys/issue", "POST", body)
    return issued


async def slots(bench: Bench, account_id: str) -> dict[str, tuple[str, int]]:
    found = (await bench.show(account_id))["credentials"]["slots"]
    return {one["slot"]: (one["state"], one["version"]) for one in found}


async def report(
    bench: Bench, account_id: str, version: int, report_version: int = 1, served_at: datetime | None = None
) -> None:
    at = datetime.now(UTC)
    used = GrantUsed(
        grant_id="rpay.order.searchOrder", succeeded_at=served_at, refused_at=at, refusal_code="credential-refused"
    )
    fact = AccessReported(
        id=f"{account_id}:order-svc",
        version=report_version,
        at=at,
        account_id=account_id,
        account_epoch=0,
        service="order-svc",
        credential_version=version,
        grants=(used,),
    )
    async with bench.db.begin() as tx:
        assert (await effects.put(tx, on_access_reports, [Received(fact, headers=())])).failures == {}


async def age(bench: Bench, table: str) -> None:
    """Let credentials have been stored so long ago that no key is refused for being new any more."""
    async with bench.db.begin() as tx:
        await tx.execute(f"update {table} set stored_at = stored_at - $1::interval", HALF_AN_HOUR)  # noqa: S608  ours


async def wake(bench: Bench, job: str) -> None:
    async with bench.db.begin() as tx:
        await tx.execute(f"update due set next_at = {tx.now_sql} where job = $1", job)  # noqa: S608  the schema's own clock


async def facts(bench: Bench, account_id: str) -> list[str]:
    return [kind.split(".")[2] for kind, _ in await bench.facts(account_id)]


@pytest.mark.row("A14", kind="walks")
async def test_a_new_key_is_probed_beside_the_old_one_and_takes_over_while_both_live(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    before = len(await facts(bench, shown["id"]))
    renewed = issue(market, shop, overlap=True)
    operation = await bench.store(shown["id"], credentials_of(renewed))
    assert operation["kind"] == "rotation"
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 1), "second": ("waiting", 2)}
    assert (await bench.vend(shown["id"])).json()["values"]["license_key"] == shop["license_key"]

    await bench.check_due(jobs.ROTATION)
    after = await bench.show(shown["id"])
    assert (after["state"], after["credentials"]["version"]) == ("active", 2)
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 2), "second": ("retiring", 1)}
    vended = (await bench.vend(shown["id"])).json()
    assert (vended["version"], vended["values"]["license_key"]) == (2, renewed["license_key"])
    assert (await facts(bench, shown["id"]))[before:] == ["credential_rotated"]
    done = (await bench.public.get(f"/v1/account/operations/{operation['id']}")).json()
    assert (done["status"], done["answer"]) == ("applied", {"credential_version": 2, "state": "active"})
    kept = after["credentials"]["slots"][1]
    until = datetime.fromisoformat(kept["until"]) - datetime.now(UTC)
    assert timedelta(hours=23) < until <= timedelta(hours=24)
    for key in (shop["license_key"], renewed["license_key"], shop["service_secret"]):
        assert key not in str(after) + str(done) + str(await bench.facts(shown["id"]))


async def test_the_old_key_goes_when_the_overlap_ends(bench: Bench, market: Simulator, shop: Json) -> None:
    shown = await working(bench, shop)
    await bench.store(shown["id"], credentials_of(issue(market, shop, overlap=True)))
    await bench.check_due(jobs.ROTATION)
    await wake(bench, jobs.ROTATION)
    await bench.check_due(jobs.ROTATION)
    assert "second" in await slots(bench, shown["id"])
    async with bench.db.begin() as tx:
        await tx.execute("update spare_credentials set until = until - interval '25 hours'")
    await wake(bench, jobs.ROTATION)
    await bench.check_due(jobs.ROTATION)
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 2)}
    assert await bench.fetch("select 1 from spare_credentials") == []


async def test_the_old_key_goes_when_a_service_is_refused_with_it(bench: Bench, market: Simulator, shop: Json) -> None:
    shown = await working(bench, shop)
    await bench.store(shown["id"], credentials_of(issue(market, shop, overlap=True)))
    await bench.check_due(jobs.ROTATION)
    await report(bench, shown["id"], 1)
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 2)}
    assert await bench.check_due(jobs.PREFLIGHT) == 0


async def test_a_new_key_that_dies_within_the_overlap_gives_way_to_the_old_one(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    await bench.store(shown["id"], credentials_of(issue(market, shop, overlap=True)))
    await bench.check_due(jobs.ROTATION)
    market.control(f"/shops/{shop['id']}/keys/revoke", "POST")
    await report(bench, shown["id"], 2)
    await bench.check_due(jobs.PREFLIGHT)
    await bench.check_due(jobs.ROTATION)
    after = await bench.show(shown["id"])
    assert (after["state"], await slots(bench, shown["id"])) == ("active", {"in_use": ("works", 3)})
    assert (await bench.vend(shown["id"])).json()["values"]["license_key"] == shop["license_key"]


@pytest.mark.row("A14", kind="refuses")
async def test_a_candidate_that_fails_is_never_promoted_and_the_key_in_use_stays(bench: Bench, shop: Json) -> None:
    shown = await working(bench, shop)
    operation = await bench.store(shown["id"], credentials_of(shop) | {"license_key": WRONG})
    path = f"/v1/accounts/{shown['id']}/credentials/candidate"
    assert (await bench.public.post(f"{path}:promote")).status_code == 202
    await bench.check_due(jobs.ROTATION)
    # What the candidate is refused with holds up nothing that is done with the key in use.
    assert await bench.fetch("select api_group from breaker") == []
    # A key that is refused may be new: it is tried for half an hour, then given up.
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 1), "second": ("settling", 2)}
    early = await bench.public.post(f"{path}:promote")
    assert (early.status_code, early.json()["code"]) == (409, "key-settling")
    await age(bench, "spare_credentials")
    await wake(bench, jobs.ROTATION)
    await bench.check_due(jobs.ROTATION)
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 1), "second": ("refused", 2)}
    refused = await bench.public.post(f"{path}:promote")
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "credential-refused")
    assert problem["detail"].startswith("The candidate is not promoted. ")
    assert (problem["marketplace"]["code"], bool(problem["remedy"]["ja"])) == ("GA0001", True)
    done = (await bench.public.get(f"/v1/account/operations/{operation['id']}")).json()
    assert (done["status"], done["failure"]["code"]) == ("rejected", "credential-refused")
    vended = (await bench.vend(shown["id"])).json()
    assert (vended["version"], vended["values"]["license_key"]) == (1, shop["license_key"])
    assert (await bench.show(shown["id"]))["state"] == "active"
    assert "credential_rotated" not in await facts(bench, shown["id"])
    assert WRONG not in refused.text + str(await bench.show(shown["id"]))

    assert (await bench.public.delete(path)).status_code == 204
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 1)}
    assert (await bench.public.delete(path)).status_code == 404
    gone = await bench.public.post(f"{path}:promote")
    assert (gone.status_code, gone.json()["code"]) == (409, "candidate-missing")


async def test_a_candidate_that_would_lose_the_relay_login_is_refused(bench: Bench, shop: Json) -> None:
    shown = await working(bench, shop)
    await bench.store(shown["id"], credentials_of(shop) | {"smtp_password": "wrong-password"})
    await bench.check_due(jobs.ROTATION)
    found = (await bench.show(shown["id"]))["credentials"]["slots"][1]
    assert (found["state"], found["reason"]["code"]) == ("refused", "grant-missing")
    assert (await bench.vend(shown["id"])).json()["values"]["smtp_password"] == shop["smtp_password"]


@pytest.mark.row("A14", kind="walks")
async def test_a_cut_over_pauses_as_settling_and_resumes_once_the_key_is_taken(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    renewed = issue(market, shop, overlap=False, settles=600)
    await bench.store(shown["id"], credentials_of(renewed))
    await bench.check_due(jobs.ROTATION)
    # The old one is dead; the first service to call finds out.
    await report(bench, shown["id"], 1)
    await bench.check_due(jobs.PREFLIGHT)
    await bench.check_due(jobs.ROTATION)
    waiting = await bench.show(shown["id"])
    assert (waiting["label"]["ja"], waiting["reason"]["code"]) == ("無効", "key-settling")
    assert "(JST)" in waiting["next_step"]["text"]["ja"]
    assert await slots(bench, shown["id"]) == {"in_use": ("refused", 1), "second": ("settling", 2)}
    vended = await bench.vend(shown["id"])
    assert (vended.status_code, vended.json()["code"], vended.headers["retry-after"]) == (503, "key-settling", "20")
    [again] = await bench.fetch("select next_at from due where job = 'rotation'")
    assert timedelta() < again["next_at"] - datetime.now(UTC) < timedelta(seconds=30)

    market.control(f"/shops/{shop['id']}/keys/activate", "POST")
    await wake(bench, jobs.ROTATION)
    await bench.check_due(jobs.ROTATION)
    after = await bench.show(shown["id"])
    assert (after["state"], after["reason"], after["lost_capabilities"]) == ("active", None, [])
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 2)}
    assert (await bench.vend(shown["id"])).json()["version"] == 2
    assert (await facts(bench, shown["id"]))[-2:] == ["credential_rotated", "activated"]


async def test_a_key_that_is_stored_after_the_old_one_died_settles_too(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    renewed = issue(market, shop, overlap=False, settles=600)
    await report(bench, shown["id"], 1)
    await bench.check_due(jobs.PREFLIGHT)
    dead = await bench.show(shown["id"])
    assert (dead["state"], dead["reason"]["code"]) == ("suspended", "credential-refused")
    await bench.store(shown["id"], credentials_of(renewed))
    await bench.check_due(jobs.PREFLIGHT)
    waiting = await bench.show(shown["id"])
    assert (waiting["state"], waiting["reason"]["code"]) == ("suspended", "key-settling")
    assert await slots(bench, shown["id"]) == {"in_use": ("settling", 2)}
    [again] = await bench.fetch("select next_at from due where job = 'preflight'")
    assert timedelta() < again["next_at"] - datetime.now(UTC) < timedelta(seconds=30)
    before = market.control("/health")["sequence"]
    await wake(bench, jobs.PREFLIGHT)
    await bench.check_due(jobs.PREFLIGHT)
    # Who waits asks for as little as tells.
    assert len(market.control(f"/journal?after={before}&path=/es/")["entries"]) <= 2
    market.control(f"/shops/{shop['id']}/keys/activate", "POST")
    await wake(bench, jobs.PREFLIGHT)
    await bench.check_due(jobs.PREFLIGHT)
    assert (await bench.show(shown["id"]))["state"] == "active"


async def test_a_key_that_served_before_its_first_preflight_had_ended_does_not_settle_when_it_dies(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    # It worked at once, and the process died that looked at the rest.
    async with bench.db.begin() as tx:
        await tx.execute("update preflights set standing = null, finished_at = null")
    market.control(f"/shops/{shop['id']}/keys/expire", "POST")
    await report(bench, shown["id"], 1, served_at=datetime.now(UTC) - timedelta(minutes=1))
    await bench.check_due(jobs.PREFLIGHT)
    dead = await bench.show(shown["id"])
    assert (dead["state"], dead["reason"]["code"]) == ("suspended", "credential-refused")


async def test_a_key_that_is_still_refused_after_its_time_is_the_sellers_again(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    market.control(f"/shops/{shop['id']}/keys/revoke", "POST")
    await report(bench, shown["id"], 1)
    await bench.check_due(jobs.PREFLIGHT)
    await bench.store(shown["id"], credentials_of(shop) | {"license_key": WRONG})
    await bench.check_due(jobs.PREFLIGHT)
    assert (await bench.show(shown["id"]))["reason"]["code"] == "key-settling"
    await age(bench, "credentials")
    await wake(bench, jobs.PREFLIGHT)
    await bench.check_due(jobs.PREFLIGHT)
    assert (await bench.show(shown["id"]))["reason"]["code"] == "credential-refused"
    assert (await bench.vend(shown["id"])).status_code == 409


async def test_the_same_values_twice_change_nothing_and_a_third_key_replaces_the_candidate(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    await bench.store(shown["id"], credentials_of(shop))
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 1)}
    second = credentials_of(issue(market, shop, overlap=True))
    await asyncio.gather(*(bench.store(shown["id"], second) for _ in range(4)))
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 1), "second": ("waiting", 2)}
    third = credentials_of(issue(market, shop, overlap=True))
    await bench.store(shown["id"], third)
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 1), "second": ("waiting", 3)}
    await bench.check_due(jobs.ROTATION)
    assert (await bench.vend(shown["id"])).json()["values"]["license_key"] == third["license_key"]
    assert {one["status"] for one in await bench.fetch("select status from operations where kind = 'rotation'")} == {
        "applied"
    }


async def test_credentials_stored_during_a_trial_are_tried_next_and_a_withdrawn_one_never_takes_over(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    path = f"/v1/accounts/{shown['id']}/credentials/candidate"
    renewed = credentials_of(issue(market, shop, overlap=True))
    for store_again in (False, True):
        await bench.store(shown["id"], renewed)
        lease = (
            await due.claim(bench.db, [jobs.ROTATION], limit=1, lease=timedelta(seconds=60), clock=bench.parts.clock)
        )[0]
        async with asyncio.TaskGroup() as group:
            group.create_task(checker.doer.check(bench.checking, lease))
            await asyncio.sleep(0.2)
            assert (await bench.public.delete(path)).status_code == 204
            if store_again:
                await bench.store(shown["id"], renewed | {"license_key": WRONG})
        assert (await bench.vend(shown["id"])).json()["version"] == 1
    assert (await slots(bench, shown["id"]))["second"][0] == "waiting"


async def claimed(bench: Bench, job: str) -> due.Lease:
    return (await due.claim(bench.db, [job], limit=1, lease=timedelta(seconds=60), clock=bench.parts.clock))[0]


async def test_a_trial_beside_a_key_that_dies_is_broken_off_and_begins_again_at_the_whole_rate(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    plugins, safe, clock = bench.checking.outside.plugins, bench.checking.safe, bench.parts.clock
    await bench.store(shown["id"], credentials_of(issue(market, shop, overlap=False)))
    lease = await claimed(bench, jobs.ROTATION)
    tried = await bench.db.run(lambda tx: rotation.begin(tx, plugins, safe, lease, clock.now()))
    assert tried is not None
    assert not tried.round.is_alone
    assert not (await bench.db.run(lambda tx: rotation.advance(tx, lease, tried, clock.now()))).is_over
    await report(bench, shown["id"], 1)
    # It is known from the first refusal, before a preflight has found out about all of it.
    assert (await bench.db.run(lambda tx: rotation.advance(tx, lease, tried, clock.now()))).is_over
    nothing = rotation.Probed(rows={}, at=clock.now())
    assert await bench.db.run(lambda tx: rotation.end(tx, safe, lease, tried, nothing)) == "broken-off"
    again_lease = await claimed(bench, jobs.ROTATION)
    assert again_lease.failure_count == 0
    again = await bench.db.run(lambda tx: rotation.begin(tx, plugins, safe, again_lease, clock.now()))
    assert again is not None
    assert again.round.is_alone
    assert await slots(bench, shown["id"]) == {"in_use": ("works", 1), "second": ("waiting", 2)}


async def test_a_trial_that_waits_for_its_small_share_ends_soon_after_the_key_in_use_died(
    bench: Bench, market: Simulator, shop: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "LOOK_SECONDS", 0.05)
    shown = await working(bench, shop)
    await bench.store(shown["id"], credentials_of(issue(market, shop, overlap=False)))
    async with bench.db.begin() as tx:
        # The marketplace said to wait: the trial stands in line for as long as this test lasts.
        await tx.execute(f"update pacer set slowdown = 8, ready_at = {tx.now_sql} + interval '1 hour'")  # noqa: S608  ours
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        trial = group.create_task(checker.doer.check(bench.checking, await claimed(bench, jobs.ROTATION)))
        while not await bench.fetch("select 1 from pacer where queue <> '[]'"):
            assert not trial.done()
            await asyncio.sleep(0.02)
        await report(bench, shown["id"], 1)
    async with bench.db.begin() as tx:
        await tx.execute(f"update pacer set slowdown = 1, ready_at = {tx.now_sql}")  # noqa: S608  ours
    await bench.check_due(jobs.ROTATION)
    after = await bench.show(shown["id"])
    assert (after["state"], after["credentials"]["version"]) == ("active", 2)


async def test_a_trial_ends_where_its_credentials_are_withdrawn(bench: Bench, market: Simulator, shop: Json) -> None:
    shown = await working(bench, shop)
    outside, safe, clock = bench.checking.outside, bench.checking.safe, bench.parts.clock
    await bench.store(shown["id"], credentials_of(issue(market, shop, overlap=True)))
    lease = await claimed(bench, jobs.ROTATION)
    tried = await bench.db.run(lambda tx: rotation.begin(tx, outside.plugins, safe, lease, clock.now()))
    assert tried is not None
    path = f"/v1/accounts/{shown['id']}/credentials/candidate"
    assert (await bench.public.delete(path)).status_code == 204
    assert (await bench.db.run(lambda tx: rotation.advance(tx, lease, tried, clock.now()))).is_over


async def test_looks_that_last_for_minutes_leave_room_for_what_a_seller_waits_for(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    await bench.store(shown["id"], credentials_of(issue(market, shop, overlap=True)))
    async with bench.db.begin() as tx:
        for job in (jobs.RECHECK, jobs.MARKET):
            await due.plan(tx, shown["id"], job)
    slow = [job for job, count in checker.doer.SLOW_SLOTS.items() for _ in range(count)]
    assert [lease.job for lease in await checker.doer.claim(bench.checking, slow)] == [jobs.ROTATION]
    quick = [jobs.PREFLIGHT] * checker.doer.SLOTS
    assert {lease.job for lease in await checker.doer.claim(bench.checking, quick)} == {jobs.RECHECK, jobs.MARKET}


async def test_a_process_that_dies_between_probe_and_promotion_leaves_it_to_another(
    bench: Bench, market: Simulator, shop: Json
) -> None:
    shown = await working(bench, shop)
    await bench.store(shown["id"], credentials_of(issue(market, shop, overlap=True)))
    short = timedelta(milliseconds=200)
    dead = (await due.claim(bench.db, [jobs.ROTATION], limit=1, lease=short, clock=bench.parts.clock))[0]
    await asyncio.sleep(0.3)
    assert await bench.check_due(jobs.ROTATION) == 1
    before = await bench.show(shown["id"])
    # The one that was thought dead ends after all: its lease is lost.
    await checker.doer.check(bench.checking, dead)
    assert await bench.show(shown["id"]) == before
    assert (await facts(bench, shown["id"])).count("credential_rotated") == 1


async def test_a_ciphertext_of_another_account_fails_closed_and_names_its_key(
    bench: Bench, market: Simulator, shop: Json, urls: SchemaUrls
) -> None:
    mine, other = await working(bench, shop), await working(bench, market.open_shop())
    async with bench.db.begin() as tx:
        await tx.execute(
            "update credentials set sealed = theirs.sealed, version = theirs.version from credentials theirs"
            " where theirs.account_id = $1 and credentials.account_id = $2",
            other["id"],
            mine["id"],
        )
    answer = await bench.vend(mine["id"])
    assert (answer.status_code, answer.json()["code"]) == (502, "unreadable")
    assert "license_key" not in answer.text
    foreign = Keyring({"other": bytes(32)}, current_id="other", index_key=bytes(range(32, 64)))
    async with open_bench(urls, market, keyring=foreign) as blind:
        gone = await blind.vend(other["id"])
        assert (gone.status_code, "test-1" in gone.json()["detail"]) == (503, True)


async def test_each_use_is_listed_newest_first_page_by_page(bench: Bench, shop: Json) -> None:
    shown = await working(bench, shop)
    await bench.vend(shown["id"])
    path = f"/v1/accounts/{shown['id']}/credentials/uses?limit=2"
    first = await bench.public.get(path)
    rest = await bench.public.get(path, params={"limit": 2, "cursor": first.json()["next"]})
    found = [(one["service"], one["purpose"], one["version"]) for one in first.json()["items"] + rest.json()["items"]]
    assert found == [("order-svc", "poll", 1), ("account-svc", "key-expiries", 1), ("account-svc", "preflight", 1)]
    stranger = await bench.public.get(path, headers=bearer("accounts:read", shops=("shp_other",)))
    assert stranger.status_code == 403


@pytest.mark.parametrize("state", ["unlinking", "unlinked"])
async def test_an_account_that_is_let_go_has_its_credentials_vended_to_nobody(
    bench: Bench, shop: Json, state: str
) -> None:
    shown = await working(bench, shop)
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = $1", state)
    answer = await bench.vend(shown["id"])
    assert (answer.status_code, answer.json()["code"]) == (410, "unlinking")
    assert "values" not in answer.json()
