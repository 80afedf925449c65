"""Accounts of marketplaces whose functions are still to come: saved as drafts, checked field by field, never called."""

from collections.abc import AsyncIterator

import pytest
from account_bench import Bench, open_bench, prepare

from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

QOO10 = {"user_id": "seller-999001", "password": "synthetic-1", "api_key": "S5bnbfynQvMsynthetic_g_1_key_g_3_"}
FRANCE = {"login": "boutique-nord", "token": "0123456789abcdef" * 2, "ships_from_country": "249"}
DRAFTS = [("qoo10_japan", QOO10), ("rakuten_france", FRANCE)]


@pytest.fixture
async def bench(urls: SchemaUrls) -> AsyncIterator[Bench]:
    async with open_bench(urls) as opened:
        yield opened


@pytest.mark.parametrize(
    ("marketplace_id", "values"),
    [
        pytest.param("qoo10_japan", QOO10, marks=pytest.mark.row("A6", kind="walks")),
        pytest.param("rakuten_france", FRANCE, marks=pytest.mark.row("A7", kind="walks")),
    ],
)
async def test_a_draft_is_saved_and_says_that_it_cannot_work_yet(
    bench: Bench, marketplace_id: str, values: dict[str, str]
) -> None:
    made = await bench.link(marketplace_id=marketplace_id)
    for _ in range(2):
        operation = await bench.store(made["id"], values)
        assert (operation["status"], operation["failure"]["code"]) == ("rejected", "absent")
        assert "not in this version" in operation["failure"]["why"]
    shown = await bench.show(made["id"])
    assert (shown["state"], shown["label"]["ja"], shown["reason"]["code"]) == ("draft", "無効", "absent")
    assert shown["next_step"]["text"]["ja"]
    assert shown["next_step"]["menu"]["steps"]
    assert shown["credentials"]["version"] == 1
    assert {one["name"] for one in shown["credentials"]["fields"] if one["is_stored"]} == set(values)


@pytest.mark.parametrize(
    ("marketplace_id", "values"),
    [
        pytest.param("qoo10_japan", QOO10, marks=pytest.mark.row("A6", kind="refuses")),
        pytest.param("rakuten_france", FRANCE, marks=pytest.mark.row("A7", kind="refuses")),
    ],
)
async def test_whatever_would_reach_their_marketplace_is_refused_with_reason_and_path(
    bench: Bench, marketplace_id: str, values: dict[str, str]
) -> None:
    made = await bench.link(marketplace_id=marketplace_id)
    await bench.store(made["id"], values)
    for _ in range(2):
        answer = await bench.public.post(f"/v1/accounts/{made['id']}:preflight")
        assert (answer.status_code, answer.json()["code"]) == (501, "absent")
        assert "not in this version" in answer.json()["detail"]
        assert answer.json()["remedy"]["ja"]
        assert answer.json()["menu"]["steps"]
    for verb in ("disable", "enable"):
        assert (await bench.public.post(f"/v1/accounts/{made['id']}:{verb}")).status_code == 200
    assert (await bench.vend(made["id"])).json()["code"] == "account-draft"
    # A job that was planned all the same, by an enabling or by another version, comes to rest at its first turn.
    assert await bench.check_due() <= 1
    assert await bench.check_due() == 0
    assert (await bench.show(made["id"]))["last_preflight_id"] is None
    assert await bench.fetch("select 1 from credential_uses where purpose not in ('preflight')") == []


async def test_the_authorisation_key_is_minted_and_asked_of_nobody(bench: Bench) -> None:
    made = await bench.link(marketplace_id="qoo10_japan")
    typed = QOO10 | {"seller_authorisation_key": "S5bnbfynQvMsynthetic"}
    answer = await bench.public.put(f"/v1/accounts/{made['id']}/credentials", json={"values": typed})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/values/seller_authorisation_key")
    detail = (await bench.public.get("/v1/marketplaces/qoo10_japan")).json()
    assert list(detail["registrations"][0]["form"]["properties"]) == [*QOO10, "api_key_expires_on"]


@pytest.mark.row("A7", kind="refuses")
@pytest.mark.row("A19", kind="refuses")
@pytest.mark.parametrize(
    "login", ["seller@example.invalid", "seller＠example.invalid", "@", " boutique-nord", "ｂoutique"]
)
async def test_an_email_as_login_is_refused_and_explained(bench: Bench, login: str) -> None:
    made = await bench.link(marketplace_id="rakuten_france")
    path = f"/v1/accounts/{made['id']}/credentials"
    answer = await bench.public.put(path, json={"values": FRANCE | {"login": login}})
    assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, ["/values/login"])
    if "seller" in login:
        assert "account name" in answer.json()["detail"]
        assert "アカウント名" in answer.json()["errors"][0]["detail"]
    assert login not in answer.text.replace("@", "") or login == "@"
    assert (await bench.show(made["id"]))["credentials"]["version"] == 0


@pytest.mark.row("A1", kind="walks")
async def test_accounts_of_several_marketplaces_stand_side_by_side(bench: Bench) -> None:
    made = [await bench.link(marketplace_id=marketplace_id) for marketplace_id, _ in DRAFTS for _ in range(2)]
    listed = (await bench.public.get("/v1/accounts")).json()["items"]
    assert [one["id"] for one in listed] == sorted(one["id"] for one in made)
    for marketplace_id, _ in DRAFTS:
        some = (await bench.public.get(f"/v1/accounts?marketplace_id={marketplace_id}")).json()["items"]
        assert [one["marketplace_id"] for one in some] == [marketplace_id] * 2


@pytest.mark.row("A1", kind="refuses")
async def test_a_marketplace_that_is_not_installed_cannot_be_linked(bench: Bench) -> None:
    shop = (await bench.public.post("/v1/shops", json={"display_name": "見本"})).json()
    wish = {"marketplace_id": "amazon_jp", "display_name": "見本", "shop_ids": [shop["id"]]}
    answer = await bench.public.post("/v1/accounts", json=wish)
    assert (answer.status_code, answer.json()["code"]) == (409, "marketplace-unknown")
    for marketplace_id, _ in DRAFTS:
        assert marketplace_id in answer.json()["detail"]
    assert (await bench.public.get("/v1/accounts")).json()["items"] == []
