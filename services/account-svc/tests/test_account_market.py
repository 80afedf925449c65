"""What a seller set up at the marketplace: read, typed, compared, told; from REST to the simulator's journal."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from account_bench import SCOPES, Bench, Json, Simulator, credentials_of, prepare
from account_samples import NOON
from hypothesis import given
from hypothesis import strategies as st

from account_svc.accounts import jobs
from account_svc.checker.doer import check
from account_svc.domain.market import Change, What, compare, keepable, names_of
from hanro import due
from hanro.errors import ContractBroken
from hanro.marketplace.types import MarketEntry, MarketInformation, MarketKind
from hanro.testing.callers import bearer

pytestmark = pytest.mark.schema("account", prepare)

GROUP = MarketKind.SHIPPING_GROUP
ADDRESS = {"postal_code": "100-0000", "region": "東京都", "city": "架空区", "street": "CANARY見本町1-2-3"}
TYPED = {"entries": [{"name": "返品センター", "address": ADDRESS}]}
REFRESHED = "hanro.account.market_information_refreshed.v1"


def entry(external_id: str, name: str = "x", **details: str) -> MarketEntry:
    return MarketEntry(kind=GROUP, external_id=external_id, name=name, details=details)


async def linked(bench: Bench, market: Simulator) -> tuple[str, Json]:
    """Link an account that works, without its first read of the set-up."""
    shop, account_id = market.open_shop(), (await bench.link())["id"]
    await bench.store(account_id, credentials_of(shop))
    await bench.check_due(jobs.PREFLIGHT)
    assert (await bench.show(account_id))["is_working"]
    return account_id, shop


async def refresh(bench: Bench, account_id: str) -> Json:
    answer = await bench.public.post(f"/v1/accounts/{account_id}/market-information:refresh")
    assert answer.status_code == 202, answer.text
    asked: Json = answer.json()
    await bench.check_due(jobs.MARKET)
    operation: Json = (await bench.public.get(f"/v1/account/operations/{asked['id']}")).json()
    return operation


async def shown(bench: Bench, account_id: str) -> tuple[Json, Mapping[str, Any]]:
    answer = (await bench.public.get(f"/v1/accounts/{account_id}/market-information")).json()
    return answer, {kind["kind"]: kind for kind in answer["kinds"]}


async def refreshed(bench: Bench, account_id: str) -> list[list[str]]:
    return [fact["changed"] for kind, fact in await bench.facts(account_id) if kind == REFRESHED]


async def type_in(bench: Bench, account_id: str, kind: str, body: object) -> Any:
    version = (await bench.show(account_id))["version"]
    path = f"/v1/accounts/{account_id}/market-information/{kind}"
    return await bench.public.put(path, json=body, headers={"If-Match": f'"v{version}"'})


@pytest.mark.row("A15", kind="walks")
async def test_what_is_set_up_there_is_read_after_activation_and_shown_by_kind(bench: Bench, market: Simulator) -> None:
    account_id, shop = await linked(bench, market)
    before = market.control("/health")["sequence"]
    assert await bench.check_due(jobs.MARKET) == 1
    whole, kinds = await shown(bench, account_id)
    assert whole["read_at"]
    assert whole["guide"]["ja"] != whole["guide"]["en"]
    assert [one["name"] for one in kinds["shipping_group"]["entries"]] == ["宅配便", "クール便"]
    assert kinds["shipping_group"]["status"] == "read"
    absent = kinds["return_address"]
    assert (absent["status"], absent["can_be_typed"], bool(absent["absent"]["reason"]["ja"])) == ("absent", True, True)
    paths = {one["path"] for one in market.control(f"/journal?after={before}&limit=1000")["entries"] if one.get("path")}
    assert "/es/1.0/shop/deliverySetInfo" in paths
    assert not [path for path in paths if "order/" in path and "getSubStatusList" not in path]
    assert len(await refreshed(bench, account_id)) == 1
    assert shop["id"]


@pytest.mark.row("A15", kind="walks")
async def test_what_changed_there_is_shown_with_names_and_times_and_told_once(bench: Bench, market: Simulator) -> None:
    account_id, shop = await linked(bench, market)
    assert (await refresh(bench, account_id))["status"] == "applied"
    assert (await refresh(bench, account_id))["answer"]["changed"] == []
    change = {"match": {"deliverySetId": "2"}, "set": {"deliverySetName": "冷凍便"}}
    market.control(f"/shops/{shop['id']}/resources/deliverySetInfo", "PATCH", change)
    market.control(f"/shops/{shop['id']}/resources/shipFrom", "PUT", {"entries": []})
    done = await refresh(bench, account_id)
    assert done["answer"]["changed"] == ["ship_from 1", "shipping_group 2"]
    assert (await refreshed(bench, account_id))[1:] == [["ship_from 1", "shipping_group 2"]]
    path = f"/v1/accounts/{account_id}/market-changes?limit=1"
    first = (await bench.public.get(path)).json()
    second = (await bench.public.get(f"{path}&cursor={first['next']}")).json()
    newest = [(one["kind"], one["what"], one["name"], one["old_name"]) for one in first["items"] + second["items"]]
    assert newest == [
        ("shipping_group", "changed", "冷凍便", "クール便"),
        ("ship_from", "removed", "本社倉庫", None),
    ]
    assert first["items"][0]["fields"] == ["name"]
    assert first["items"][0]["changed_by"] == "account-svc"
    _, kinds = await shown(bench, account_id)
    assert (kinds["ship_from"]["status"], kinds["ship_from"]["entry_count"]) == ("read", 0)
    only = (await bench.public.get(f"/v1/accounts/{account_id}/market-changes?kind=ship_from")).json()["items"]
    assert {one["kind"] for one in only} == {"ship_from"}


@pytest.mark.row("A15", kind="walks")
async def test_a_typed_return_address_that_changed_is_a_fact_and_unchanged_none(
    bench: Bench, market: Simulator
) -> None:
    account_id, _ = await linked(bench, market)
    await refresh(bench, account_id)
    made = await type_in(bench, account_id, "return_address", TYPED)
    assert (made.status_code, made.json()["status"], made.json()["entries"][0]["details"]["city"]) == (
        200,
        "typed",
        "架空区",
    )
    again = await type_in(bench, account_id, "return_address", TYPED)
    assert again.headers["etag"] == made.headers["etag"]
    moved = {"entries": [{"name": "返品センター", "address": ADDRESS | {"building": "2F"}}]}
    await type_in(bench, account_id, "return_address", moved)
    assert (await refreshed(bench, account_id))[1:] == [["return_address"], ["return_address"]]
    assert "CANARY" not in str(await bench.facts(account_id))
    history = (await bench.public.get(f"/v1/accounts/{account_id}/market-changes?kind=return_address")).json()["items"]
    assert [(one["what"], one["fields"]) for one in history] == [("changed", ["building"]), ("added", [])]
    assert "CANARY" not in str(history)
    await refresh(bench, account_id)
    assert (await shown(bench, account_id))[1]["return_address"]["entries"][0]["details"]["building"] == "2F"


@pytest.mark.row("A15", kind="refuses")
async def test_a_kind_whose_grant_is_missing_says_why_and_keeps_its_old_entries(
    bench: Bench, market: Simulator
) -> None:
    account_id, shop = await linked(bench, market)
    await refresh(bench, account_id)
    market.control(f"/shops/{shop['id']}/grants/shop.deliverySetInfo", "PUT", {"enabled": False})
    async with bench.db.begin() as tx:
        # The key is no longer so young that nobody could tell.
        await tx.execute("update credentials set stored_at = stored_at - interval '1 day'")
    done = await refresh(bench, account_id)
    assert (done["status"], done["answer"]["failed"]) == ("applied", ["shipping_group"])
    kind = (await shown(bench, account_id))[1]["shipping_group"]
    assert (kind["status"], len(kind["entries"])) == ("failed", 2)
    assert (kind["failure"]["code"], kind["failure"]["grant_id"]) == ("grant-missing", "shop.deliverySetInfo")
    assert kind["failure"]["remedy"]["ja"]
    assert kind["failure"]["menu"]["steps"]
    assert len(await refreshed(bench, account_id)) == 1
    market.control(f"/shops/{shop['id']}/grants/shop.deliverySetInfo", "PUT", {"enabled": True})
    await refresh(bench, account_id)
    assert (await shown(bench, account_id))[1]["shipping_group"]["status"] == "read"


@pytest.mark.row("A15", kind="refuses")
async def test_what_is_read_there_cannot_be_typed_and_what_is_typed_must_be_whole(
    bench: Bench, market: Simulator
) -> None:
    account_id, _ = await linked(bench, market)
    await refresh(bench, account_id)
    read_there = await type_in(bench, account_id, "shipping_group", {"entries": [{"name": "宅配便"}]})
    assert (read_there.status_code, read_there.json()["code"]) == (409, "kind-is-read")
    assert read_there.json()["remedy"]["ja"]
    wrong: list[tuple[object, str]] = [
        ({"entries": [{"name": "x"}]}, "/entries/0/address"),
        ({"entries": [TYPED["entries"][0], TYPED["entries"][0]]}, "/entries/1/external_id"),
        (
            {"entries": [{"name": "x", "address": ADDRESS | {"postal_code": "１００-0000"}}]},
            "/entries/0/address/postal_code",
        ),
        ({"entries": [{"name": "x", "address": ADDRESS | {"city": "\u3000"}}]}, "/entries/0/address/city"),
        ({"entries": [{"name": "x", "address": ADDRESS}] * 101}, "/entries"),
    ]
    for body, pointer in wrong:
        answer = await type_in(bench, account_id, "return_address", body)
        assert answer.status_code == 422
        assert pointer in [one["pointer"] for one in answer.json()["errors"]], pointer
    assert (await type_in(bench, account_id, "nothing", TYPED)).status_code == 422
    path = f"/v1/accounts/{account_id}/market-information/return_address"
    assert (await bench.public.put(path, json=TYPED)).status_code == 428
    assert (await shown(bench, account_id))[1]["return_address"]["entry_count"] == 0


@pytest.mark.row("A15", kind="refuses")
async def test_an_account_that_does_not_work_is_not_read(bench: Bench, market: Simulator) -> None:
    draft = (await bench.link())["id"]
    path = "/v1/accounts/{}/market-information:refresh"
    answer = await bench.public.post(path.format(draft))
    assert (answer.status_code, answer.json()["code"]) == (409, "account-state")
    account_id, _ = await linked(bench, market)
    await bench.public.post(f"/v1/accounts/{account_id}:disable")
    off = await bench.public.post(path.format(account_id))
    assert (off.status_code, off.json()["code"]) == (409, "account-disabled")
    stranger = bearer(*SCOPES, shops=("shp_other",))
    for suffix in ("market-information", "market-changes", "market-information/category"):
        foreign = await bench.public.get(f"/v1/accounts/{account_id}/{suffix}", headers=stranger)
        assert foreign.status_code == 403
    before = market.control("/health")["sequence"]
    await bench.check_due(jobs.MARKET)
    after = market.control(f"/journal?after={before}")["entries"]
    assert [one for one in after if one.get("path", "").startswith("/es/")] == []
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = 'unlinked' where id = $1", account_id)
    gone = await type_in(bench, account_id, "return_address", TYPED)
    assert (gone.status_code, gone.json()["code"]) == (409, "account-state")


async def test_who_asks_while_a_read_waits_is_given_the_same_operation(bench: Bench, market: Simulator) -> None:
    account_id, _ = await linked(bench, market)
    path = f"/v1/accounts/{account_id}/market-information:refresh"
    answers = await asyncio.gather(*(bench.public.post(path) for _ in range(4)))
    assert len({one.json()["id"] for one in answers}) == 1
    assert answers[0].json()["estimated_seconds"] > 0
    assert (await shown(bench, account_id))[0]["is_refreshing"] is True
    await bench.check_due(jobs.MARKET)
    assert (await shown(bench, account_id))[0]["is_refreshing"] is False


async def test_a_dead_key_ends_the_read_and_has_the_account_checked(bench: Bench, market: Simulator) -> None:
    account_id, shop = await linked(bench, market)
    market.control(f"/shops/{shop['id']}/keys/revoke", "POST")
    done = await refresh(bench, account_id)
    assert done["status"] == "rejected", done
    assert done["failure"]["code"] == "credential-refused"
    whole, _ = await shown(bench, account_id)
    assert whole["failure"]["code"] == "credential-refused"
    soon = bench.parts.clock.now() + timedelta(seconds=1)
    planned = await bench.fetch("select job from due where account_id = $1 and next_at <= $2", account_id, soon)
    assert {"job": jobs.PREFLIGHT} in planned


async def test_an_outage_keeps_the_operation_under_way_until_it_passes(bench: Bench, market: Simulator) -> None:
    account_id, _ = await linked(bench, market)
    market.control("/faults", "POST", {"kind": "status", "status": 503})
    waiting = await refresh(bench, account_id)
    assert (waiting["status"], waiting["failure"]["code"]) == ("sent", "unavailable")
    market.control("/faults", "DELETE")
    async with bench.db.begin() as tx:
        await tx.execute("delete from breaker")
        await due.plan(tx, account_id, jobs.MARKET)
    await bench.check_due(jobs.MARKET)
    done = (await bench.public.get(f"/v1/account/operations/{waiting['id']}")).json()
    assert done["status"] == "applied"


async def test_a_taken_over_read_stores_nothing(bench: Bench, market: Simulator) -> None:
    account_id, _ = await linked(bench, market)
    first = await due.claim(bench.db, [jobs.MARKET], limit=1, lease=timedelta(seconds=0), clock=bench.parts.clock)
    assert len(first) == 1
    assert await bench.check_due(jobs.MARKET) == 1
    count = len(await refreshed(bench, account_id))
    # What lost its lease goes on regardless.
    await check(bench.checking, first[0])
    assert len(await refreshed(bench, account_id)) == count == 1


ENTRIES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["x", "y"]), max_size=6)


@given(ENTRIES, ENTRIES)
def test_changes_lead_from_the_old_to_the_new(before: dict[str, str], after: dict[str, str]) -> None:
    old = [entry(key, value) for key, value in before.items()]
    new = [entry(key, value) for key, value in after.items()]
    changes = compare(GROUP, old, new)
    told = {change.external_id: change.what for change in changes}
    assert told == {
        **dict.fromkeys(after.keys() - before.keys(), What.ADDED),
        **dict.fromkeys(before.keys() - after.keys(), What.REMOVED),
        **{key: What.CHANGED for key in before.keys() & after.keys() if before[key] != after[key]},
    }
    assert compare(GROUP, new, list(reversed(new))) == ()


def test_a_kind_that_was_never_known_is_one_change_and_many_changes_have_one_name() -> None:
    (first,) = compare(GROUP, None, [entry("1"), entry("2")])
    assert (first.what, first.external_id, names_of([first])) == (What.FIRST_READ, None, ("shipping_group",))
    assert compare(GROUP, None, []) == ()
    many = compare(GROUP, [], [entry(str(number)) for number in range(51)])
    assert names_of(many) == ("shipping_group",)
    address = Change(kind=MarketKind.RETURN_ADDRESS, what=What.CHANGED, external_id="1", name="x")
    assert names_of([address, *many[:1]]) == ("return_address", "shipping_group 0")


@pytest.mark.parametrize(
    "entries",
    [
        [entry("1"), entry("1")],
        [entry("")],
        [entry("1" * 201)],
        [entry("1", "x" * 1001)],
        [entry("1", "\x00")],
        [entry("1", a="\ud800")],
        [entry("1", a="x" * 10_001)],
        [entry(str(number)) for number in range(10_001)],
    ],
    ids=["twice", "no id", "long id", "long name", "nul", "surrogate", "long detail", "many"],
)
def test_what_cannot_be_kept_fails_its_kind_alone(entries: list[MarketEntry]) -> None:
    other = MarketEntry(kind=MarketKind.SHIP_FROM, external_id="1", name="x", details={})
    kept = keepable(MarketInformation(read_at=NOON, entries=(*entries, other), absent={}, failed={}))
    assert kept.entries == (other,)
    assert isinstance(kept.failed[GROUP], ContractBroken)
