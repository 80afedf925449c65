"""What a seller reads before anything is linked, over REST: forms with hints, guides step by step, early refusals."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from row_shops import Row
from running_stack import doors

from hanro_local.stack import Stack

MARKETPLACES = ("sandbox", "qoo10_japan", "rakuten_france", "rakuten_ichiba")
FORM_MENU = ["RMS", "店舗様向け情報・サービス", "6. WEB APIサービス"]
SENT_BY = "楽天市場"


def texts(shown: Any, path: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Give every text of both languages in a JSON answer, with its place."""
    if isinstance(shown, dict):
        if {"ja", "en"} <= set(shown):
            yield path, shown
        for key, inner in shown.items():
            yield from texts(inner, f"{path}/{key}")
    elif isinstance(shown, list):
        for place, inner in enumerate(shown):
            yield from texts(inner, f"{path}/{place}")


@pytest.mark.row("A2", kind="walks")
async def test_a_form_shows_labels_marks_help_and_guide_and_what_is_typed_by_it_is_used_there(working: Row) -> None:
    hanro = working.doors.hanro
    for marketplace_id in MARKETPLACES:
        detail = (await hanro.call("GET", f"/v1/marketplaces/{marketplace_id}")).json()
        assert detail["trouble"]["label"]["ja"] == "登録がうまくいかないときはこちら"
        assert (await hanro.call("GET", detail["trouble"]["href"])).json() == detail["guide"]
        for form in (one["form"] for one in detail["registrations"]):
            for name, field in form["properties"].items():
                hints = field["x-hanro"]
                assert all(hints[part][language] for part in ("label", "help") for language in ("ja", "en")), name
                is_marked = hints["mark"] == {"ja": "必須", "en": "Required", "colour": "blue"}
                assert is_marked == (name in form["required"]), name
                assert field.get("writeOnly", False) == hints["is_secret"], name
                assert field["pattern"], name
    form = detail["registrations"][0]["form"]
    assert form["required"] == ["service_secret", "license_key"]
    key = form["properties"]["license_key"]["x-hanro"]
    assert key["where"]["steps"][:3] == FORM_MENU
    assert key["note"]["en"] == "a newly issued key can end the old one at once"
    # The form's names are what is stored, and with those values the marketplace is called.
    stored = {one["name"] for one in (await working.seller.account())["credentials"]["fields"] if one["is_stored"]}
    assert {"service_secret", "license_key", "smtp_id", "smtp_password", "sender_address"} <= stored
    assert "/es/2.0/order/searchOrder" in {
        one["path"].rstrip("/") for one in await working.seller.requests() if one["status"] == 200
    }


@pytest.mark.row("A2", kind="refuses")
async def test_each_required_field_that_is_missing_is_named_and_nobody_is_called(draft: Row) -> None:
    for left_out in ({"license_key"}, {"service_secret", "license_key"}):
        values = {name: text for name, text in draft.seller.form()["values"].items() if name not in left_out}
        problem = await draft.ask("PUT", "/credentials", {"values": values}, expected=(422,))
        assert {(one["pointer"], one["code"]) for one in problem["errors"]} == {
            (f"/values/{name}", "field-missing") for name in left_out
        }
        assert all(" / " in one["detail"] for one in problem["errors"])
        assert problem["menu"]["steps"][:3] == FORM_MENU
    strange = await draft.ask("PUT", "/credentials", draft.seller.form(colour="red"), expected=(422,))
    assert [one["pointer"] for one in strange["errors"]] == ["/values/colour"]
    assert (await draft.seller.account())["credentials"]["version"] == 0
    assert await draft.seller.requests() == []


@pytest.mark.row("A3", kind="walks")
async def test_guides_lead_by_menu_path_cost_and_mail_in_both_languages(draft: Row) -> None:
    hanro = draft.doors.hanro
    guides = {}
    for marketplace_id in MARKETPLACES:
        guide = guides[marketplace_id] = (await hanro.call("GET", f"/v1/marketplaces/{marketplace_id}/guide")).json()
        found = list(texts(guide))
        assert [place for place, text in found if not text["ja"].strip() or not text["en"].strip()] == []
        assert guide["prerequisites"]
    steps = {step["id"]: step for step in guides["rakuten_ichiba"]["steps"]}
    functions = steps["functions"]
    assert functions["menu"]["steps"][:3] == FORM_MENU
    assert functions["menu"]["login_note"]["en"] == "login to RMS needed"
    assert functions["fallback"]["steps"][-3:] == ["WEB APIアクセス許可設定", "利用機能編集", "アプリ詳細情報"]
    assert "利用料金が発生" in steps["bulk_editing"]["cost"]["ja"]
    assert steps["order_download"]["cost"]["en"].endswith("free of charge")
    france = {step["id"]: step for step in guides["rakuten_france"]["steps"]}
    assert france["token"]["menu"]["steps"][-2:] == ["Mon compte", "Mes informations développeur"]
    assert "user banner" in france["account_name"]["text"]["en"]
    # The mail that the guide tells of is the one that the marketplace sends.
    told = steps["developer_access"]
    wish = {"company": told["entries"][0]["value"], "start_day": "2099-01-01"}
    await draft.simulator("POST", "/event-notification/apply", wish)
    (came,) = (await draft.simulator("GET", "/notices"))["notices"]
    assert (came["subject"], told["mail"]["sender"]) == (told["mail"]["subject"], SENT_BY)
    assert wish["company"] in came["body"]
    assert told["menu"]["url"] in came["body"]


@pytest.mark.row("A3", kind="refuses")
async def test_there_is_no_guide_of_a_marketplace_that_is_not_installed_nor_for_strangers(shared_stack: Stack) -> None:
    async with doors(shared_stack) as opened:
        for path in ("/v1/marketplaces/amazon_jp", "/v1/marketplaces/amazon_jp/guide"):
            problem = (await opened.hanro.call("GET", path, expected=(404,))).json()
            assert (problem["code"], problem["status"]) == ("not-found", 404)
        nobody = {"Authorization": "Bearer made-up"}
        path = "/v1/marketplaces/rakuten_ichiba/guide"
        assert (await opened.hanro.call("GET", path, expected=(401,), more=nobody)).json()["code"]


@pytest.mark.row("A19", kind="walks")
@pytest.mark.row("A19", kind="refuses")
async def test_what_is_of_the_wrong_kind_is_named_before_any_call_and_the_right_kind_is_taken(draft: Row) -> None:
    key = draft.seller.shop["license_key"]
    yesterday, tomorrow = ((datetime.now(UTC) + timedelta(days=days)).date().isoformat() for days in (-2, 2))
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in key)
    wrong = {
        "license_key": (wide, f" {key}", f"{key}\u3000", draft.seller.shop["service_secret"]),
        "license_expires_on": (yesterday, "noon"),
        "sender_address": (f"shop{draft.seller.shop['id']}@shop.rakuten.co.jp", "x@pc.fw.rakuten.ne.jp"),
        "masked_address": ("shop@example.invalid",),
    }
    for field, values in wrong.items():
        for value in values:
            body = draft.seller.form(**{field: value})
            problem = await draft.ask("PUT", "/credentials", body, expected=(422,))
            assert [one["pointer"] for one in problem["errors"]] == [f"/values/{field}"], value
            japanese = problem["errors"][0]["detail"].partition(" / ")[2]
            assert any(ord(letter) > 0x3000 for letter in japanese), value
            assert value not in str(problem)
    assert (await draft.seller.account())["credentials"]["version"] == 0
    assert await draft.seller.requests() == []
    await draft.seller.enter(license_expires_on=tomorrow)
    await draft.became(is_working=True)
    assert await draft.seller.requests()
