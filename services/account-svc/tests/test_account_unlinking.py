"""Unlinking over HTTP on a real Postgres: the plan and its token, who must let go, what is gone, linking again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from account_bench import Bench, open_bench, prepare

from account_svc.accounts import jobs
from account_svc.consumers import on_access_reports
from account_svc.store.holdings import ERASED, KEPT
from hanro import due, effects
from hanro.events.access import AccessReported
from hanro.events.envelope import Received
from hanro.ids import new_id
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

OTHERS = ("catalog-svc", "notifier-svc", "order-svc")
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def bench(urls: SchemaUrls) -> AsyncIterator[Bench]:
    async with open_bench(urls) as opened:
        yield opened


def keys_of(number: str) -> dict[str, str]:
    return {"service_secret": f"SP{number}_0000000000000000", "license_key": f"SL{number}_0000000000000000"}


async def linked(bench: Bench, number: str = "999001", state: str = "active") -> str:
    """Link a shop with credentials; its state is set by hand, since no marketplace is asked here."""
    account_id: str = (await bench.link())["id"]
    await bench.store(account_id, keys_of(number))
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = $2, reason = null where id = $1", account_id, state)
        await tx.execute("delete from due where account_id = $1", account_id)
    return account_id


async def post(bench: Bench, account_id: str, verb: str, body: object = None) -> tuple[int, dict[str, Any]]:
    answer = await bench.public.post(f"/v1/accounts/{account_id}:{verb}", json=body)
    return answer.status_code, answer.json()


async def plan(bench: Bench, account_id: str) -> dict[str, Any]:
    status, body = await post(bench, account_id, "plan-unlink")
    assert status == 200, body
    return body


async def unlink(bench: Bench, account_id: str) -> dict[str, Any]:
    token = (await plan(bench, account_id))["token"]
    status, operation = await post(bench, account_id, "unlink", {"token": token})
    assert status == 202, operation
    return operation


async def report(bench: Bench, account_id: str, service: str, version: int = 1, **said: Any) -> None:
    """Let a service report, as its facts arrive."""
    fact = AccessReported.model_validate(
        {
            "id": f"{account_id}:{service}",
            "version": version,
            "at": datetime.now(UTC),
            "account_id": account_id,
            "account_epoch": 1,
            "service": service,
            "credential_version": 0,
            "grants": (),
        }
        | said
    )
    received = Received(fact, headers=(("ce_id", new_id("evt").encode()),))
    effect = await bench.db.run(lambda tx: effects.put(tx, on_access_reports, [received]))
    assert effect.failures == {}


async def release(bench: Bench, account_id: str, *services: str, epoch: int = 1, version: int = 10) -> None:
    for service in services or OTHERS:
        await report(bench, account_id, service, version, account_epoch=epoch, released_epoch=epoch - 1)


async def operation_of(bench: Bench, operation: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = (await bench.public.get(f"/v1/account/operations/{operation['id']}")).json()
    return shown


async def gone(bench: Bench, account_id: str) -> None:
    """Unlink an account to the end."""
    await unlink(bench, account_id)
    epoch = (await bench.show(account_id))["epoch"]
    await release(bench, account_id, epoch=epoch, version=10 * epoch)
    await bench.check_due(jobs.UNLINK)
    assert (await bench.show(account_id))["state"] == "unlinked"


async def move_clock(urls: SchemaUrls, by: timedelta) -> None:
    connection = await asyncpg.connect(urls.owner, timeout=10)
    try:
        await connection.execute("update account.clock_offset set seconds = $1", by.total_seconds())
    finally:
        await connection.close(timeout=10)


@pytest.mark.row("A16", kind="walks")
async def test_a_plan_says_what_goes_and_stays_and_its_token_unlinks_once_all_have_let_go(bench: Bench) -> None:
    account_id = await linked(bench)
    await report(bench, account_id, "catalog-svc", account_epoch=0, holdings={"listings": 12})
    await report(bench, account_id, "order-svc", account_epoch=0, holdings={"orders": 3})
    planned = await plan(bench, account_id)
    counts = {(line["kind"], line["count"]) for line in planned["goes"]}
    assert counts == {
        ("credentials", 1),
        ("spare_credentials", 0),
        ("market_entries", 0),
        ("preflights", 0),
        ("listings", 12),
        ("bindings", None),
    }
    assert [(line["kind"], line["count"]) for line in planned["stays"]] == [("orders", 3)]
    assert planned["is_irreversible"] is True
    assert (await bench.show(account_id))["state"] == "active"

    status, operation = await post(bench, account_id, "unlink", {"token": planned["token"]})
    assert (status, operation["status"], operation["asked"]["account_epoch"]) == (202, "accepted", 1)
    assert (await bench.vend(account_id)).status_code == 410
    await release(bench, account_id, "catalog-svc", "order-svc")
    await bench.check_due(jobs.UNLINK)
    shown = await bench.show(account_id)
    assert (shown["state"], shown["unlinking"]["waiting_for"]) == ("unlinking", ["notifier-svc"])
    assert (await operation_of(bench, operation))["answer"]["waiting_for"] == ["notifier-svc"]
    assert await bench.fetch("select account_id from credentials") == [{"account_id": account_id}]

    await release(bench, account_id, "notifier-svc")
    await bench.check_due(jobs.UNLINK)
    shown = await bench.show(account_id)
    assert (shown["state"], shown["unlinking"], shown["grants"]["granted"]) == ("unlinked", None, 0)
    assert (await operation_of(bench, operation))["status"] == "applied"
    assert (await bench.vend(account_id)).json()["code"] == "unlinking"
    for table in ERASED:
        assert await bench.fetch(f"select 1 from {table} where account_id = $1", account_id) == [], table  # noqa: S608  ours
    kinds = [kind.split(".")[2] for kind, _ in await bench.facts(account_id)]
    assert kinds == ["linked", "changed", "unlinking", "unlinked"]


async def test_every_table_with_rows_of_an_account_is_erased_or_kept_on_purpose(bench: Bench) -> None:
    rows = await bench.fetch(
        "select table_name from information_schema.columns"
        " where table_schema = 'account' and column_name = 'account_id'"
    )
    assert {row["table_name"] for row in rows} == {*ERASED, *KEPT}


@pytest.mark.row("A16", kind="refuses")
async def test_without_the_token_of_its_plan_nothing_is_unlinked(bench: Bench, urls: SchemaUrls) -> None:
    account_id, other = await linked(bench), await linked(bench, "999002")
    token = (await plan(bench, account_id))["token"]
    bad = [
        (None, 422, "request-malformed"),
        ({}, 422, "request-malformed"),
        ({"token": "made-up"}, 409, "plan-invalid"),
        ({"token": token[:-2] + ("AA" if token[-2:] != "AA" else "BB")}, 409, "plan-invalid"),
        ({"token": (await plan(bench, other))["token"]}, 409, "plan-invalid"),
    ]
    for body, status, code in bad:
        refused = await post(bench, account_id, "unlink", body)
        assert (refused[0], refused[1]["code"]) == (status, code), body
    await move_clock(urls, 14 * MINUTE)
    await report(bench, account_id, "catalog-svc", account_epoch=0, holdings={"listings": 1})
    status, problem = await post(bench, account_id, "unlink", {"token": token})
    assert (status, problem["code"]) == (409, "plan-changed")
    assert "catalog-svc listings: None → 1" in problem["detail"]
    token = (await plan(bench, account_id))["token"]
    await move_clock(urls, 30 * MINUTE)
    status, problem = await post(bench, account_id, "unlink", {"token": token})
    assert (status, problem["code"]) == (410, "plan-expired")
    assert [await bench.show(one) for one in (account_id, other)] == [
        (shown | {"state": "active", "epoch": 0}) for shown in [await bench.show(one) for one in (account_id, other)]
    ]


async def test_a_token_is_good_for_orders_that_come_meanwhile_and_for_14_minutes(
    bench: Bench, urls: SchemaUrls
) -> None:
    account_id = await linked(bench)
    token = (await plan(bench, account_id))["token"]
    await report(bench, account_id, "order-svc", account_epoch=0, holdings={"orders": 1})
    await move_clock(urls, 14 * MINUTE)
    assert (await post(bench, account_id, "unlink", {"token": token}))[0] == 202


async def test_twice_and_at_the_same_time_it_is_one_unlink(bench: Bench) -> None:
    account_id = await linked(bench)
    token = (await plan(bench, account_id))["token"]
    answers = await asyncio.gather(*(post(bench, account_id, "unlink", {"token": token}) for _ in range(6)))
    assert {status for status, _ in answers} == {202}
    assert len({body["id"] for _, body in answers}) == 1
    assert (await bench.show(account_id))["epoch"] == 1
    await release(bench, account_id)
    await bench.check_due(jobs.UNLINK)
    status, problem = await post(bench, account_id, "unlink", {"token": token})
    assert (status, problem["code"], problem["possible"]) == (409, "account-state", ["link-again"])


@pytest.mark.parametrize("state", ["draft", "suspended", "degraded", "pending_approval"])
async def test_whatever_its_state_it_can_be_unlinked(bench: Bench, state: str) -> None:
    await gone(bench, await linked(bench, state=state))


async def test_a_draft_without_credentials_is_unlinked_too(bench: Bench) -> None:
    await gone(bench, (await bench.link())["id"])


@pytest.mark.row("A16", kind="refuses")
async def test_what_is_let_go_takes_nothing_but_what_ends_it(bench: Bench) -> None:
    account_id = await linked(bench)
    await unlink(bench, account_id)
    path = f"/v1/accounts/{account_id}"
    for wanted in ("unlinking", "unlinked"):
        etag = {"If-Match": f'"v{(await bench.show(account_id))["version"]}"'}
        refused = [
            await bench.public.put(f"{path}/credentials", json={"values": keys_of("999001")}),
            await bench.public.patch(path, json={"display_name": "別名"}, headers=etag),
            await bench.public.post(f"{path}:disable"),
            await bench.public.post(f"{path}:preflight"),
            await bench.public.post(f"{path}:plan-unlink"),
        ]
        assert {(one.status_code, one.json()["state"]) for one in refused} == {(409, wanted)}
        if wanted == "unlinking":
            assert (await post(bench, account_id, "link-again"))[1]["state"] == "unlinking"
            await release(bench, account_id)
            await bench.check_due(jobs.UNLINK)


async def test_late_repeated_and_older_reports_change_nothing(bench: Bench) -> None:
    account_id = await linked(bench)
    await release(bench, account_id, epoch=0, version=1)
    operation = await unlink(bench, account_id)
    for service in OTHERS:
        await report(bench, account_id, service, 2, account_epoch=0, holdings={"listings": 3})
    await bench.check_due(jobs.UNLINK)
    assert (await operation_of(bench, operation))["answer"]["waiting_for"] == list(OTHERS)
    await release(bench, account_id, version=3)
    await release(bench, account_id, version=4)
    await bench.check_due(jobs.UNLINK)
    before = await bench.show(account_id)
    await release(bench, account_id, version=5)
    await bench.check_due(jobs.UNLINK)
    assert await bench.show(account_id) == before
    assert before["state"] == "unlinked"


async def test_a_look_that_is_under_way_here_is_waited_for(bench: Bench) -> None:
    account_id = await linked(bench)
    async with bench.db.begin() as tx:
        await due.plan(tx, account_id, jobs.RECHECK)
    (held,) = await due.claim(bench.db, [jobs.RECHECK], limit=1, lease=MINUTE, clock=bench.parts.clock)
    operation = await unlink(bench, account_id)
    await release(bench, account_id)
    await bench.check_due(jobs.UNLINK)
    waiting = await operation_of(bench, operation)
    assert (waiting["status"], waiting["answer"]["waiting_for"]) == ("accepted", ["account-svc"])
    async with bench.db.begin() as tx:
        await due.settle(tx, held, next_at=bench.parts.clock.now())
        await due.plan(tx, account_id, jobs.UNLINK)
    await bench.check_due(jobs.UNLINK)
    assert (await operation_of(bench, operation))["status"] == "applied"
    assert await bench.fetch("select job from due where account_id = $1", account_id) == []


async def test_a_look_whose_process_died_is_waited_for_a_minute_and_not_for_its_long_lease(
    bench: Bench, urls: SchemaUrls
) -> None:
    account_id = await linked(bench)
    async with bench.db.begin() as tx:
        await due.plan(tx, account_id, jobs.RECHECK)
    lease = jobs.LEASES[jobs.RECHECK]
    assert lease > 2 * MINUTE
    assert await due.claim(bench.db, [jobs.RECHECK], limit=1, lease=lease, clock=bench.parts.clock)
    operation = await unlink(bench, account_id)
    await release(bench, account_id)
    await bench.check_due(jobs.UNLINK)
    assert (await operation_of(bench, operation))["answer"]["waiting_for"] == ["account-svc"]
    await move_clock(urls, MINUTE)
    await bench.check_due(jobs.UNLINK)
    assert (await operation_of(bench, operation))["status"] == "applied"


async def test_a_preflight_that_was_asked_for_ends_refused(bench: Bench) -> None:
    account_id = await linked(bench)
    _, asked = await post(bench, account_id, "preflight")
    await gone(bench, account_id)
    ended = await operation_of(bench, asked)
    assert (ended["status"], ended["failure"]["code"]) == ("rejected", "unlinked")


@pytest.mark.row("A16", kind="walks")
async def test_the_same_shop_is_linked_again_under_its_old_id_and_next_epoch(bench: Bench) -> None:
    account_id = await linked(bench)
    await gone(bench, account_id)
    # A seller who starts anew is told the one way.
    anew = (await bench.link())["id"]
    answer = await bench.public.put(f"/v1/accounts/{anew}/credentials", json={"values": keys_of("999001")})
    assert (answer.status_code, answer.json()["code"]) == (409, "shop-unlinked-before")
    assert f"POST /v1/accounts/{account_id}:link-again" in answer.json()["remedy"]["en"]

    status, again = await post(bench, account_id, "link-again")
    assert (status, again["id"], again["state"], again["epoch"]) == (200, account_id, "draft", 1)
    assert again["reason"]["code"] == "credentials-missing"
    assert not any(one["is_stored"] for one in again["credentials"]["fields"])
    assert (await post(bench, account_id, "preflight"))[1]["code"] == "credentials-missing"
    assert (await post(bench, account_id, "link-again"))[1]["state"] == "draft"
    other = await bench.public.put(f"/v1/accounts/{account_id}/credentials", json={"values": keys_of("999002")})
    assert (other.status_code, other.json()["code"]) == (409, "shop-differs")
    await bench.store(account_id, keys_of("999001"))
    assert (await bench.show(account_id))["credentials"]["version"] == 2
    # And once more.
    async with bench.db.begin() as tx:
        await tx.execute("delete from due")
    await gone(bench, account_id)
    assert (await bench.show(account_id))["epoch"] == 2


@pytest.mark.row("A16", kind="refuses")
async def test_a_second_live_account_of_a_shop_is_refused_and_told_the_first(bench: Bench) -> None:
    first, second = await linked(bench), (await bench.link("二号"))["id"]
    for number, status in (("999001", 409), ("999002", 202)):
        answer = await bench.public.put(f"/v1/accounts/{second}/credentials", json={"values": keys_of(number)})
        assert answer.status_code == status
        if status == 409:
            assert answer.json()["code"] == "shop-linked-already"
            assert first in answer.json()["detail"]
            assert "CANARY" not in answer.text


async def test_of_two_drafts_that_store_the_keys_of_one_shop_at_once_one_is_refused(bench: Bench) -> None:
    drafts = [(await bench.link())["id"] for _ in range(4)]
    answers = await asyncio.gather(
        *(bench.public.put(f"/v1/accounts/{draft}/credentials", json={"values": keys_of("999007")}) for draft in drafts)
    )
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"shop-linked-already"}


async def test_a_draft_may_correct_its_shop_and_an_account_that_worked_may_not(bench: Bench) -> None:
    draft = (await bench.link())["id"]
    await bench.store(draft, keys_of("999003"))
    await bench.store(draft, keys_of("999004"))
    # The shop that was typed by mistake is free again.
    await linked(bench, "999003")
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = 'active' where id = $1", draft)
    answer = await bench.public.put(f"/v1/accounts/{draft}/credentials", json={"values": keys_of("999005")})
    assert (answer.status_code, answer.json()["code"]) == (409, "shop-differs")
