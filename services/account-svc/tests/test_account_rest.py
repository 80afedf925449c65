"""Marketplaces, shops, accounts and credentials over HTTP on a real Postgres."""

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
from account_bench import MIGRATIONS, SCOPES, Bench, open_bench, prepare

from account_svc.app import SERVICE
from hanro.crypto import Keyring
from hanro.service import describe
from hanro.testing.callers import bearer
from hanro.testing.schemas import move_ahead
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

CANARY = "CANARY-5f1b-secret"
TYPED = {"service_secret": f"SP999001_{CANARY}", "license_key": f"SL999001_{CANARY}"}


@pytest.fixture
async def bench(urls: SchemaUrls) -> AsyncIterator[Bench]:
    async with open_bench(urls) as opened:
        yield opened


async def everything(urls: SchemaUrls) -> bytes:
    """Read every table of the schema as text."""
    connection = await asyncpg.connect(urls.owner, timeout=10)
    try:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'account'")
        read = bytearray()

        async def take(chunk: bytes) -> None:
            read.extend(chunk)

        for row in rows:
            await connection.copy_from_query(f'select t::text from account."{row[0]}" t', output=take)  # noqa: S608  our own tables
        return bytes(read)
    finally:
        await connection.close(timeout=10)


@pytest.mark.row("A1", kind="walks")
async def test_the_marketplaces_that_can_be_linked_are_listed_with_their_form(bench: Bench) -> None:
    listed = (await bench.public.get("/v1/marketplaces")).json()["items"]
    # The sandbox, which is for tests, comes last.
    assert [one["id"] for one in listed] == ["qoo10_japan", "rakuten_france", "rakuten_ichiba", "sandbox"]
    detail = (await bench.public.get("/v1/marketplaces/rakuten_ichiba")).json()
    own = next(one for one in detail["registrations"] if one["id"] == "own_application")
    assert own["form"]["required"] == ["service_secret", "license_key"]
    key = own["form"]["properties"]["license_key"]
    assert key["writeOnly"] is True
    assert key["x-hanro"]["where"]["steps"][0] == "RMS"
    assert detail["capabilities"]["find_orders"]["is_supported"] is True
    assert detail["capabilities"]["ship_line"]["reason"]["ja"]
    assert (await bench.public.get("/v1/marketplaces/nowhere")).status_code == 404


@pytest.mark.row("A1", kind="walks")
async def test_several_accounts_of_one_marketplace_stand_side_by_side(bench: Bench) -> None:
    made = [await bench.link(f"見本店{number}") for number in range(3)]
    first = (await bench.public.get("/v1/accounts?limit=2")).json()
    rest = (await bench.public.get(f"/v1/accounts?limit=2&cursor={first['next']}")).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == sorted(one["id"] for one in made)
    assert rest["next"] is None


async def test_a_new_account_is_a_draft_that_says_its_next_step(bench: Bench) -> None:
    made = await bench.link()
    assert (made["state"], made["label"]["ja"], made["version"]) == ("draft", "無効", 1)
    assert made["reason"]["code"] == "credentials-missing"
    assert made["next_step"]["text"]["ja"]
    assert made["credentials"]["version"] == 0
    assert not any(one["is_stored"] for one in made["credentials"]["fields"])
    facts = await bench.facts(made["id"])
    assert [kind for kind, _ in facts] == ["hanro.account.linked.v1"]


async def test_linking_the_same_way_twice_with_one_key_makes_one_account(bench: Bench) -> None:
    shop = (await bench.public.post("/v1/shops", json={"display_name": "見本"})).json()
    wish = {"marketplace_id": "rakuten_ichiba", "display_name": "見本", "shop_ids": [shop["id"]]}
    answers = [
        await bench.public.post("/v1/accounts", json=wish, headers={"Idempotency-Key": "link-1"}) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert len((await bench.public.get("/v1/accounts")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"marketplace_id": "nowhere"}, 409, "marketplace-unknown"),
        ({"shop_ids": ["shp_none"]}, 409, "shop-unknown"),
        ({"shop_ids": []}, 422, "request-malformed"),
        ({"display_name": " "}, 422, "request-malformed"),
        ({"orders_from": "2026-01-01T00:00:00"}, 422, "request-malformed"),
        ({"colour": "red"}, 422, "request-malformed"),
    ],
)
async def test_a_link_that_cannot_be_is_refused(bench: Bench, wish: dict[str, object], status: int, code: str) -> None:
    shop = (await bench.public.post("/v1/shops", json={"display_name": "見本"})).json()
    asked = {"marketplace_id": "rakuten_ichiba", "display_name": "見本", "shop_ids": [shop["id"]]} | wish
    answer = await bench.public.post("/v1/accounts", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_description_is_changed_by_who_read_it_last(bench: Bench) -> None:
    made = await bench.link()
    path = f"/v1/accounts/{made['id']}"
    etag = (await bench.public.get(path)).headers["etag"]
    assert (await bench.public.patch(path, json={"display_name": "新しい名"})).status_code == 428
    changed = await bench.public.patch(path, json={"display_name": "新しい名"}, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["display_name"], changed.headers["etag"]) == (200, "新しい名", '"v2"')
    stale = await bench.public.patch(path, json={"display_name": "古い名"}, headers={"If-Match": etag})
    assert stale.status_code == 412
    nothing = await bench.public.patch(path, json={}, headers={"If-Match": '"v2"'})
    assert nothing.headers["etag"] == '"v2"'
    assert [kind for kind, _ in await bench.facts(made["id"])] == [
        "hanro.account.linked.v1",
        "hanro.account.changed.v1",
    ]


async def test_the_start_of_orders_is_set_and_erased(bench: Bench) -> None:
    made = await bench.link()
    path = f"/v1/accounts/{made['id']}"
    first = await bench.public.patch(
        path, json={"orders_from": "2026-06-01T00:00:00+09:00"}, headers={"If-Match": '"v1"'}
    )
    assert first.json()["orders_from"] == "2026-05-31T15:00:00Z"
    erased = await bench.public.patch(path, json={"orders_from": None}, headers={"If-Match": '"v2"'})
    assert erased.json()["orders_from"] is None
    refused = await bench.public.patch(path, json={"display_name": None}, headers={"If-Match": '"v3"'})
    assert refused.status_code == 422


@pytest.mark.row("A4", kind="refuses")
async def test_accounts_of_other_shops_are_neither_seen_nor_changed(bench: Bench) -> None:
    made, other = await bench.link(), await bench.link()
    mine = bearer(*SCOPES, shops=(made["shop_ids"][0],))
    listed = (await bench.public.get("/v1/accounts", headers=mine)).json()["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    path = f"/v1/accounts/{other['id']}"
    assert (await bench.public.get(path, headers=mine)).json()["code"] == "shop-not-yours"
    for method, suffix, body in (
        ("PATCH", "", {"display_name": "x"}),
        ("PUT", "/credentials", {"values": TYPED}),
        ("POST", ":preflight", None),
        ("POST", ":disable", None),
        ("GET", "/preflights", None),
    ):
        answer = await bench.public.request(method, path + suffix, json=body, headers=mine | {"If-Match": "*"})
        assert answer.status_code == 403, (method, suffix)
    foreign = {"marketplace_id": "rakuten_ichiba", "display_name": "x", "shop_ids": other["shop_ids"]}
    assert (await bench.public.post("/v1/accounts", json=foreign, headers=mine)).status_code == 403


@pytest.mark.row("A2", kind="refuses")
async def test_malformed_credentials_are_refused_by_field_and_nothing_is_stored(bench: Bench, urls: SchemaUrls) -> None:
    made = await bench.link()
    typed = {"service_secret": f" {CANARY}", "license_key": "", "colour": CANARY}
    answer = await bench.public.put(f"/v1/accounts/{made['id']}/credentials", json={"values": typed})
    assert (answer.status_code, answer.json()["code"]) == (422, "credentials-malformed")
    assert {(one["pointer"], one["code"]) for one in answer.json()["errors"]} == {
        ("/values/service_secret", "field-padded"),
        ("/values/license_key", "field-missing"),
        ("/values/colour", "field-unknown"),
    }
    assert CANARY not in answer.text
    assert (await bench.show(made["id"]))["credentials"]["version"] == 0
    assert CANARY.encode() not in await everything(urls)


@pytest.mark.row("A2", kind="walks")
async def test_credentials_are_stored_sealed_and_never_given_back(bench: Bench, urls: SchemaUrls) -> None:
    made = await bench.link()
    operation = await bench.store(made["id"], TYPED)
    shown = await bench.public.get(f"/v1/accounts/{made['id']}")
    assert (operation["status"], operation["kind"]) == ("accepted", "preflight")
    assert shown.json()["credentials"]["version"] == 1
    stored = {one["name"] for one in shown.json()["credentials"]["fields"] if one["is_stored"]}
    assert stored == {"service_secret", "license_key"}
    assert shown.json()["reason"]["code"] == "credentials-checking"
    assert CANARY not in shown.text
    assert CANARY not in str(operation)
    assert CANARY.encode() not in await everything(urls)
    assert CANARY not in str(await bench.facts(made["id"]))


async def test_the_same_credentials_again_raise_no_version_and_others_do(bench: Bench) -> None:
    made = await bench.link()
    for values in (TYPED, TYPED):
        await bench.store(made["id"], values)
    assert (await bench.show(made["id"]))["credentials"]["version"] == 1
    await bench.store(made["id"], TYPED | {"license_key": "SL999001_another"})
    assert (await bench.show(made["id"]))["credentials"]["version"] == 2
    assert len(await bench.fetch("select 1 from credentials")) == 1


async def test_twins_that_store_credentials_at_once_each_get_a_version(bench: Bench) -> None:
    made = await bench.link()
    await asyncio.gather(
        *(bench.store(made["id"], TYPED | {"license_key": f"SL999001_{number}"}) for number in range(5))
    )
    shown = await bench.show(made["id"])
    assert (shown["credentials"]["version"], shown["version"]) == (5, 6)
    versions = [fact["version"] for _, fact in await bench.facts(made["id"])]
    assert versions == [1, 2, 3, 4, 5, 6]


async def test_an_account_without_credentials_cannot_be_checked(bench: Bench) -> None:
    made = await bench.link()
    answer = await bench.public.post(f"/v1/accounts/{made['id']}:preflight")
    assert (answer.status_code, answer.json()["code"]) == (409, "credentials-missing")
    assert answer.json()["remedy"]["ja"]


async def test_an_account_is_switched_off_and_on_by_hand(bench: Bench) -> None:
    made = await bench.link()
    off = await bench.public.post(f"/v1/accounts/{made['id']}:disable")
    assert (off.status_code, off.json()["is_enabled"], off.json()["reason"]["code"]) == (200, False, "account-disabled")
    again = await bench.public.post(f"/v1/accounts/{made['id']}:disable")
    assert again.headers["etag"] == off.headers["etag"]
    on = await bench.public.post(f"/v1/accounts/{made['id']}:enable")
    assert (on.json()["is_enabled"], on.json()["reason"]["code"]) == (True, "credentials-missing")


@pytest.mark.row("A11", kind="refuses")
@pytest.mark.parametrize(("state", "possible"), [("unlinking", []), ("unlinked", ["link-again"])])
async def test_what_the_state_does_not_allow_is_a_409_that_says_what_is_possible_now(
    bench: Bench, state: str, possible: list[str]
) -> None:
    made = await bench.link()
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = $2 where id = $1", made["id"], state)
    assert (await bench.show(made["id"]))["possible"] == possible
    for method, suffix, body in (
        ("PATCH", "", {"display_name": "x"}),
        ("PUT", "/credentials", {"values": TYPED}),
        ("POST", ":preflight", None),
        ("POST", ":disable", None),
        ("POST", ":enable", None),
    ):
        path = f"/v1/accounts/{made['id']}{suffix}"
        answer = await bench.public.request(method, path, json=body, headers={"If-Match": "*"})
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["state"]) == (409, "account-state", state), suffix
        assert problem["possible"] == possible
    assert (await bench.show(made["id"]))["version"] == made["version"]


@pytest.mark.row("A11", kind="walks")
async def test_each_state_that_is_not_well_has_one_reason_and_one_next_step_in_the_guide(bench: Bench) -> None:
    made = await bench.link()
    menu = {"steps": ["RMS", "x"], "url": None, "is_login_needed": True}
    reason = {"code": "grant-missing", "why": "It is off.", "grant_id": "rpay.order.searchOrder", "refusal": None}
    async with bench.db.begin() as tx:
        await tx.execute(
            "update accounts set state = 'suspended', credential_version = 1, reason = $2::text::jsonb where id = $1",
            made["id"],
            json.dumps(reason | {"remedy": {"ja": "有効に", "en": "switch it on"}, "menu": menu}),
        )
    shown = await bench.show(made["id"])
    assert (shown["label"]["ja"], shown["reason"]["code"]) == ("無効", "grant-missing")
    step = shown["next_step"]
    assert (step["prerequisite_id"], step["step_ids"], step["menu"]["steps"]) == (
        "functions",
        ["functions"],
        ["RMS", "x"],
    )


async def test_an_account_that_is_not_there_is_not_found(bench: Bench) -> None:
    for method, suffix in (("GET", ""), ("GET", "/preflights"), ("POST", ":preflight"), ("POST", ":enable")):
        assert (await bench.public.request(method, f"/v1/accounts/acc_none{suffix}")).status_code == 404
    assert (await bench.vend("acc_none")).status_code == 404


async def test_a_draft_is_given_no_credentials(bench: Bench) -> None:
    made = await bench.link()
    await bench.store(made["id"], TYPED)
    answer = await bench.vend(made["id"])
    assert (answer.status_code, answer.json()["kind"], answer.json()["code"]) == (409, "needs-seller", "account-draft")
    assert await bench.fetch("select 1 from credential_uses") == []


async def test_credentials_are_vended_to_their_scope_alone_and_not_on_the_public_port(bench: Bench) -> None:
    path = "/internal/v1/accounts/acc_1/credentials:vend"
    body = {"service": "order-svc", "purpose": "poll"}
    assert (await bench.internal.post(path, json=body)).status_code == 401
    refused = await bench.internal.post(path, json=body, headers=bearer(*SCOPES))
    assert (refused.status_code, refused.json()["code"]) == (403, "scope-missing")
    everywhere = bearer(*SCOPES, "internal:credentials")
    assert (await bench.public.post(path, json=body, headers=everywhere)).status_code == 404


async def test_operations_are_seen_by_those_who_see_the_account(bench: Bench) -> None:
    made, other = await bench.link(), await bench.link()
    for number, one in enumerate((made, other)):
        await bench.store(one["id"], TYPED | {"license_key": f"SL{number}_{CANARY}"})
    mine = bearer(*SCOPES, shops=(made["shop_ids"][0],))
    listed = (await bench.public.get("/v1/account/operations", headers=mine)).json()["items"]
    assert [one["account_id"] for one in listed] == [made["id"]]


async def test_every_route_asks_who_calls_and_names_the_scope_that_is_missing(bench: Bench) -> None:
    document = describe(SERVICE)
    asked = 0
    for path, operations in document["paths"].items():
        for method in operations:
            if path in {"/v1/account/openapi.json", "/v1/account/docs"}:
                continue
            url = path.replace("{", "").replace("}", "")
            nobody = await bench.public.request(method, url, headers={"Authorization": ""})
            assert (nobody.status_code, nobody.headers["content-type"]) == (401, "application/problem+json"), path
            stranger = await bench.public.request(method, url, headers=bearer("nothing:read"))
            assert (stranger.status_code, stranger.json()["code"]) == (403, "scope-missing"), path
            assert 'scope="' in stranger.headers["www-authenticate"]
            asked += 1
    assert asked > 15


def test_the_committed_openapi_document_is_the_code_s() -> None:
    committed = json.loads((MIGRATIONS.parent / "openapi.json").read_text())
    assert committed == json.loads(json.dumps(describe(SERVICE)))
    assert committed["openapi"].startswith("3.1")


async def test_a_key_encryption_key_that_is_not_mounted_stops_vending_and_names_itself(
    bench: Bench, urls: SchemaUrls
) -> None:
    made = await bench.link()
    await bench.store(made["id"], TYPED)
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = 'active' where id = $1", made["id"])
    assert (await bench.vend(made["id"])).status_code == 200
    other = Keyring({"other": bytes(32)}, current_id="other", index_key=bytes(range(32, 64)))
    async with open_bench(urls, keyring=other) as blind:
        answer = await blind.vend(made["id"])
        assert (answer.status_code, answer.json()["retryable"]) == (503, True)
        assert "test-1" in answer.json()["detail"]
        await blind.store(made["id"], TYPED)
        assert (await blind.vend(made["id"])).json()["version"] == 2


async def test_sealed_credentials_that_were_moved_to_another_account_stay_closed(bench: Bench) -> None:
    mine, other = await bench.link(), await bench.link()
    for one in (mine, other):
        await bench.store(one["id"], TYPED | {"license_key": one["id"]})
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = 'active'")
        await tx.execute(
            "update credentials set sealed = other.sealed from credentials other"
            " where other.account_id = $1 and credentials.account_id = $2",
            other["id"],
            mine["id"],
        )
    answer = await bench.vend(mine["id"])
    assert (answer.status_code, answer.json()["code"]) == (502, "unreadable")
    assert other["id"] not in answer.text
    assert await bench.fetch("select 1 from credential_uses") == []


async def test_uses_and_preflights_are_forgotten_once_they_are_old(bench: Bench) -> None:
    account_id = (await bench.link())["id"]
    ages = "select interval '1 day' * age from unnest($1::int[]) t (age)"
    async with bench.db.begin() as tx:
        await tx.execute(
            f"""
            insert into credential_uses (account_id, credential_version, caller, service, purpose, used_at)
            select 'acc_1', 1, 'x', 'x', 'x', {tx.now_sql} - age from ({ages}) ages (age)
            """,  # noqa: S608  texts of this test
            [364, 366, 700],
        )
        await tx.execute(
            f"""
            insert into preflights (id, account_id, credential_version, standing, started_at, finished_at, found)
            select age::text, $2, 1, 'whole', {tx.now_sql} - age, {tx.now_sql} - age, '[]' from ({ages}) ages (age)
            """,  # noqa: S608  texts of this test
            [89, 91],
            account_id,
        )
        pruned = [await bench.built.prunings[kind](tx) for kind in ("uses", "preflights", "uses", "preflights")]
    assert pruned == [2, 1, 0, 0]


def prepare_ahead(urls: SchemaUrls) -> None:
    prepare(urls)
    move_ahead(urls)


@pytest.mark.schema("account", prepare_ahead)
async def test_a_schema_that_is_a_version_ahead_serves(urls: SchemaUrls) -> None:
    async with open_bench(urls) as bench:
        account_id = (await bench.link())["id"]
        await bench.store(account_id, TYPED)
        await bench.check_due("preflight")
        shown = await bench.show(account_id)
    assert shown["credentials"]["version"] == 1
    assert shown["last_preflight_id"]
