"""Which marketplaces there are, which internal shops may use an account, and drafts where nothing can be called yet."""

from typing import Any

import pytest
from row_shops import Row
from sellers import Seller

QOO10 = {"user_id": "seller-999001", "password": "synthetic-1", "api_key": "S5bnbfynQvMsynthetic_g_1_key_g_3_"}
FRANCE = {"login": "boutique-nord", "token": "0123456789abcdef" * 2, "ships_from_country": "249"}
NAMES = {
    "qoo10_japan": "Qoo10",
    "rakuten_france": "Rakuten France",
    "rakuten_ichiba": "Rakuten Ichiba",
}


async def open_internal(row: Row, name: str) -> str:
    return str((await row.doors.hanro.call("POST", "/v1/shops", {"display_name": name})).json()["id"])


async def link(row: Row, marketplace_id: str, *shop_ids: str) -> Row:
    """Link another account; its shop at the simulator stays the row's."""
    wish = {"marketplace_id": marketplace_id, "display_name": "並ぶ店", "shop_ids": list(shop_ids)}
    made = (await row.doors.hanro.call("POST", "/v1/accounts", wish)).json()
    return Row(row.running, Seller(row.doors, row.seller.shop, made["id"]))


@pytest.mark.row("A1", kind="walks")
async def test_marketplaces_are_listed_and_accounts_of_one_stand_side_by_side(working: Row) -> None:
    hanro = working.doors.hanro
    listed = {one["id"]: one for one in (await hanro.call("GET", "/v1/marketplaces")).json()["items"]}
    for marketplace_id, name in NAMES.items():
        assert name in listed[marketplace_id]["name"]["en"]
        assert listed[marketplace_id]["name"]["ja"]
    assert (listed["rakuten_ichiba"]["currency"], listed["rakuten_ichiba"]["zone"]) == ("JPY", "Asia/Tokyo")
    internal = await open_internal(working, "並ぶ店")
    beside = [await link(working, "rakuten_ichiba", internal) for _ in range(2)]
    found = [one async for one in hanro.pages("/v1/accounts?marketplace_id=rakuten_ichiba&limit=200")]
    states = {one["id"]: one["state"] for one in found}
    assert [states[one.seller.account_id] for one in beside] == ["draft", "draft"]
    assert (await working.seller.account())["is_working"]


@pytest.mark.row("A1", kind="refuses")
async def test_a_marketplace_that_is_not_installed_cannot_be_linked(working: Row) -> None:
    wish = {"marketplace_id": "amazon_jp", "display_name": "x", "shop_ids": [await open_internal(working, "無い店")]}
    before = len([one async for one in working.doors.hanro.pages("/v1/accounts?limit=200")])
    problem = (await working.doors.hanro.call("POST", "/v1/accounts", wish, expected=(409,))).json()
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("marketplace-unknown", "/marketplace_id")
    assert all(marketplace_id in problem["detail"] for marketplace_id in NAMES)
    assert len([one async for one in working.doors.hanro.pages("/v1/accounts?limit=200")]) == before


@pytest.mark.row("A4", kind="walks")
async def test_an_account_is_named_and_bound_to_the_shops_that_may_use_it(draft: Row) -> None:
    hanro = draft.doors.hanro
    first, second = [await open_internal(draft, name) for name in ("一号店", "二号店")]
    await hanro.call("PATCH", f"/v1/shops/{first}", {"display_name": "本店"})
    shown = await draft.ask("PATCH", "", {"display_name": "楽天 本店", "shop_ids": [first, second]})
    assert (shown["display_name"], shown["shop_ids"]) == ("楽天 本店", [first, second])
    for shop_id in (first, second):
        caller = draft.caller(shop_id)
        assert (await caller.call("GET", draft.path)).json()["display_name"] == "楽天 本店"
        assert [one["id"] for one in (await caller.call("GET", "/v1/accounts")).json()["items"]] == [
            draft.seller.account_id
        ]
        assert [one["id"] for one in (await caller.call("GET", "/v1/shops")).json()["items"]] == [shop_id]
    await draft.ask("PATCH", "", {"shop_ids": [second]})
    assert (await draft.caller(first).call("GET", draft.path, expected=(403,))).json()["code"] == "shop-not-yours"
    assert (await draft.caller(second).call("GET", draft.path)).json()["shop_ids"] == [second]
    told = [fact["shop_ids"] for fact in await draft.facts("changed")]
    assert told == [[first, second], [second]]
    assert [action for action, _ in await draft.deeds()][:2] == ["describe", "describe"]


@pytest.mark.row("A4", kind="refuses")
async def test_callers_of_other_shops_are_turned_away_and_one_shop_at_least_is_bound(working: Row) -> None:
    stranger = working.caller(await open_internal(working, "他人の店"))
    for method, suffix, body in (
        ("GET", "", None),
        ("GET", "/checklist", None),
        ("PUT", "/credentials", {"values": {}}),
        ("POST", ":preflight", None),
        ("POST", ":disable", None),
        ("POST", ":plan-unlink", None),
        ("PATCH", "", {"display_name": "盗んだ店"}),
    ):
        problem = (await stranger.call(method, f"{working.path}{suffix}", body, expected=(403,))).json()
        assert problem["code"] == "shop-not-yours", suffix
    orders = f"/v1/orders?account_id={working.seller.account_id}"
    assert (await stranger.call("GET", orders)).json()["items"] == []
    for wish, status, pointer in (
        ({"shop_ids": []}, 422, "/shop_ids"),
        ({"shop_ids": None}, 422, "/shop_ids"),
        ({"shop_ids": ["shp_none"]}, 409, "/shop_ids"),
    ):
        problem = await working.ask("PATCH", "", wish, expected=(status,))
        assert problem["errors"][0]["pointer"].startswith(pointer), wish
    shown = await working.seller.account()
    assert (shown["is_working"], shown["display_name"]) == (True, "行の店")


def draft_rows(kind: str) -> list[Any]:
    """Give the marketplaces of which this version has form and guide alone."""
    return [
        pytest.param("qoo10_japan", QOO10, "QSM", marks=pytest.mark.row("A6", kind=kind)),
        pytest.param("rakuten_france", FRANCE, "Mon compte", marks=pytest.mark.row("A7", kind=kind)),
    ]


@pytest.mark.parametrize(("marketplace_id", "values", "place"), draft_rows("walks"))
async def test_form_and_guide_are_served_and_a_draft_is_saved_that_says_what_is_to_come(
    working: Row, marketplace_id: str, values: dict[str, str], place: str
) -> None:
    detail = (await working.doors.hanro.call("GET", f"/v1/marketplaces/{marketplace_id}")).json()
    form = detail["registrations"][0]["form"]
    assert form["required"] == list(values)
    assert place in str([step["menu"] for step in detail["guide"]["steps"]])
    made = await link(working, marketplace_id, await open_internal(working, "先の店"))
    operation = await made.ask("PUT", "/credentials", {"values": values}, expected=(202,))
    assert (operation["status"], operation["failure"]["code"]) == ("rejected", "absent")
    shown = await made.seller.account()
    assert (shown["state"], shown["label"]["ja"], shown["reason"]["code"]) == ("draft", "無効", "absent")
    assert {one["name"] for one in shown["credentials"]["fields"] if one["is_stored"]} == set(values)
    assert shown["next_step"]["text"]["ja"]
    assert shown["next_step"]["menu"]["steps"]
    assert not [text for text in values.values() if len(text) > 3 and text in str(shown)]
    first = detail["guide"]["prerequisites"][0]
    ticked = await made.tick(first["id"], first["states"][-1]["id"])
    assert ticked["is_done"]


@pytest.mark.parametrize(("marketplace_id", "values", "place"), draft_rows("refuses"))
async def test_activation_answers_not_in_this_version_and_no_call_leaves(
    working: Row, marketplace_id: str, values: dict[str, str], place: str
) -> None:
    del place
    made = await link(working, marketplace_id, await open_internal(working, "先の店"))
    for field in values:
        problem = await made.ask("PUT", "/credentials", {"values": values | {field: ""}}, expected=(422,))
        assert [one["pointer"] for one in problem["errors"]] == [f"/values/{field}"]
    if marketplace_id == "rakuten_france":
        body = {"values": values | {"login": "boutique@example.invalid"}}
        told = (await made.ask("PUT", "/credentials", body, expected=(422,)))["errors"][0]
        assert (told["pointer"], "account name" in told["detail"]) == ("/values/login", True)
        assert "アカウント名" in told["detail"]
    await made.ask("PUT", "/credentials", {"values": values}, expected=(202,))
    for _ in range(2):
        problem = await made.ask("POST", ":preflight", expected=(501,))
        assert (problem["code"], "not in this version" in problem["detail"]) == ("absent", True)
        assert problem["remedy"]["ja"]
        assert problem["menu"]["steps"]
    await made.ask("POST", ":disable")
    await made.ask("POST", ":enable")
    assert (await made.ask("POST", "/market-information:refresh", expected=(409,)))["code"] == "account-state"
    # Nothing was taken out to call with, nothing was looked at, no rate was used.
    quota = f"/v1/account/quota?account_id={made.seller.account_id}"
    assert (await made.doors.hanro.call("GET", quota)).json()["items"] == []
    assert (await made.ask("GET", "/preflights"))["items"] == []
    uses = (await made.ask("GET", "/credentials/uses"))["items"]
    assert [one for one in uses if one["service"] != "account-svc"] == []
    assert (await made.seller.account())["state"] == "draft"
