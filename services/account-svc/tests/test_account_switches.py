"""Switches of accounts, and who did what, over HTTP on a real Postgres."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest
from account_bench import Bench, open_bench, prepare

from account_svc.accounts import forgetting
from hanro.testing.callers import bearer
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

ALL_ON = {"orders": True, "stock": True, "listings": True, "messages": True, "is_observing": False}


@pytest.fixture
async def bench(urls: SchemaUrls) -> AsyncIterator[Bench]:
    async with open_bench(urls) as opened:
        yield opened


def path_of(made: Mapping[str, object]) -> str:
    return f"/v1/accounts/{made['id']}/switches"


async def deeds(bench: Bench, account_id: object) -> list[tuple[str, list[str]]]:
    """Give what was done to an account, oldest first: action and changed names."""
    shown = (await bench.public.get("/v1/account/audit", params={"account_id": str(account_id)})).json()
    return [(one["action"], one["changed"]) for one in reversed(shown["items"])]


@pytest.mark.row("A21", kind="walks")
async def test_switches_are_set_shown_and_told_as_a_fact(bench: Bench) -> None:
    made = await bench.link()
    assert made["switches"] == ALL_ON
    changed = await bench.public.patch(path_of(made), json={"messages": False}, headers={"If-Match": '"v1"'})
    assert changed.json() == ALL_ON | {"messages": False}
    assert changed.headers["ETag"] == '"v2"'
    whole = ALL_ON | {"orders": False, "is_observing": True}
    restated = await bench.public.put(path_of(made), json=whole, headers={"If-Match": '"v2"'})
    assert restated.json() == whole
    assert (await bench.show(made["id"]))["switches"] == whole == (await bench.public.get(path_of(made))).json()
    told = [(kind.rpartition("account.")[2], data["switches"]) for kind, data in await bench.facts(made["id"])]
    assert told == [("linked.v1", ALL_ON), ("changed.v1", ALL_ON | {"messages": False}), ("changed.v1", whole)]


async def test_the_same_switches_again_are_no_fact_and_no_deed(bench: Bench) -> None:
    made = await bench.link()
    for version in (1, 2):
        answer = await bench.public.put(
            path_of(made), json=ALL_ON | {"stock": False}, headers={"If-Match": f'"v{version}"'}
        )
        assert answer.headers["ETag"] == '"v2"'
    assert len(await bench.facts(made["id"])) == 2
    assert await deeds(bench, made["id"]) == [("link", []), ("switch-work", ["switches.stock"])]


@pytest.mark.row("A21", kind="refuses")
@pytest.mark.parametrize(
    ("method", "body", "status", "code"),
    [
        ("PATCH", {"orders": None}, 422, "request-malformed"),
        ("PATCH", {"order": False}, 422, "request-malformed"),
        ("PATCH", {"orders": "off"}, 422, "request-malformed"),
        ("PUT", {"orders": True}, 422, "request-malformed"),
    ],
)
async def test_switches_that_cannot_be_are_refused(
    bench: Bench, method: str, body: dict[str, object], status: int, code: str
) -> None:
    made = await bench.link()
    answer = await bench.public.request(method, path_of(made), json=body, headers={"If-Match": '"v1"'})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["errors"][0]["pointer"]
    assert (await bench.show(made["id"]))["version"] == 1


@pytest.mark.row("A21", kind="refuses")
async def test_switches_need_the_version_that_was_seen_and_the_shop_that_may(bench: Bench) -> None:
    made = await bench.link()
    assert (await bench.public.patch(path_of(made), json={"orders": False})).status_code == 428
    stale = await bench.public.patch(path_of(made), json={"orders": False}, headers={"If-Match": '"v7"'})
    assert stale.status_code == 412
    other = bearer("accounts:read", "accounts:write", shops=("shp_other",))
    assert (await bench.public.get(path_of(made), headers=other)).status_code == 403
    refused = await bench.public.patch(path_of(made), json={"orders": False}, headers=other | {"If-Match": '"v1"'})
    assert refused.status_code == 403
    assert (await bench.show(made["id"]))["switches"] == ALL_ON
    assert await deeds(bench, made["id"]) == [("link", [])]


async def test_who_did_what_is_kept_by_name_with_the_request_and_without_values(bench: Bench) -> None:
    made = await bench.link("見本店")
    headers = {"If-Match": '"v1"', "X-Correlation-Id": "cor-1"} | bearer("accounts:write", subject="hanako")
    await bench.public.patch(f"/v1/accounts/{made['id']}", json={"display_name": "秘密の名前"}, headers=headers)
    for _ in range(2):
        await bench.public.post(f"/v1/accounts/{made['id']}:disable", headers={"Idempotency-Key": "off-1"})
    await bench.store(made["id"], {"service_secret": "SP1_canary-secret", "license_key": "SL1_canary-secret"})
    shown = await bench.public.get("/v1/account/audit", params={"account_id": made["id"]})
    assert await deeds(bench, made["id"]) == [
        ("link", []),
        ("describe", ["display_name"]),
        ("disable", ["enabled"]),
        ("store-credentials", ["credentials"]),
        ("preflight", []),
    ]
    described = shown.json()["items"][3]
    assert (described["subject"], described["correlation_id"]) == ("hanako", "cor-1")
    assert "秘密" not in shown.text
    assert "canary" not in shown.text


async def test_the_log_shows_each_caller_its_own_shops_a_page_at_a_time(bench: Bench) -> None:
    made = [await bench.link(name) for name in ("甲", "乙")]
    mine = bearer("accounts:read", shops=tuple(made[0]["shop_ids"]))
    seen = (await bench.public.get("/v1/account/audit", headers=mine)).json()["items"]
    assert {(one["action"], one["account_id"]) for one in seen} == {("link", made[0]["id"]), ("open-shop", None)}
    asked = {"account_id": made[1]["id"]}
    assert (await bench.public.get("/v1/account/audit", params=asked, headers=mine)).json()["items"] == []
    first = (await bench.public.get("/v1/account/audit?limit=3")).json()
    rest = (await bench.public.get(f"/v1/account/audit?limit=3&cursor={first['next']}")).json()
    actions = [one["action"] for one in first["items"] + rest["items"]]
    assert actions == ["link", "open-shop"] * 2
    assert rest["next"] is None


async def test_what_is_rolled_back_and_what_hanro_does_by_itself_is_no_deed(bench: Bench) -> None:
    made = await bench.link()
    unknown = {"shop_ids": ["shp_none"]}
    answer = await bench.public.patch(f"/v1/accounts/{made['id']}", json=unknown, headers={"If-Match": '"v1"'})
    assert answer.status_code == 409
    assert await deeds(bench, made["id"]) == [("link", [])]
    await bench.store(made["id"], {"service_secret": "SP1_x", "license_key": "SL1_x"})
    before = await deeds(bench, made["id"])
    await bench.check_due()
    assert await deeds(bench, made["id"]) == before


async def test_old_deeds_are_forgotten(bench: Bench) -> None:
    made = await bench.link()
    async with bench.db.begin() as tx:
        assert await forgetting.forget_deeds(tx) == 0
        await tx.execute("update audit_entries set at = at - $1::interval", timedelta(days=731))
        assert await forgetting.forget_deeds(tx) == 2
    assert await deeds(bench, made["id"]) == []
