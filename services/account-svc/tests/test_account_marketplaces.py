"""Marketplaces over HTTP: forms with the hints of a screen, guides whose every text stands in both languages."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from account_bench import Bench, Json, open_bench, prepare
from jsonschema import Draft202012Validator

from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

MARKETPLACES = ("sandbox", "qoo10_japan", "rakuten_france", "rakuten_ichiba")
GOOD = {
    "shop": {"shop_id": "shop-1", "api_key": "sbx_shop-1_synthetic"},
    "own_application": {"service_secret": "SP999001_abc", "license_key": "SL999001_abc"},
    "developer_application": {"license_key": "SL999001_abc", "license_expires_on": "2099-01-01"},
    "api_key": {"user_id": "seller", "password": "synthetic-1", "api_key": "S5bnbfynQvM_g_1_"},
    "professional_account": {"login": "boutique-nord", "token": "0123456789abcdef", "ships_from_country": "249"},
}


@pytest.fixture
async def bench(urls: SchemaUrls) -> AsyncIterator[Bench]:
    async with open_bench(urls) as opened:
        yield opened


def texts(shown: Any, path: str = "") -> Iterator[tuple[str, Json]]:
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
async def test_a_form_holds_all_that_a_screen_shows_and_validates_what_is_typed(bench: Bench) -> None:
    for marketplace_id in MARKETPLACES:
        detail = (await bench.public.get(f"/v1/marketplaces/{marketplace_id}")).json()
        assert detail["trouble"]["href"] == f"/v1/marketplaces/{marketplace_id}/guide"
        assert (await bench.public.get(detail["trouble"]["href"])).json() == detail["guide"]
        for registration in detail["registrations"]:
            form = registration["form"]
            Draft202012Validator.check_schema(form)
            judge = Draft202012Validator(form)
            good = GOOD[registration["id"]]
            assert judge.is_valid(good)
            for name in form["required"]:
                assert not judge.is_valid({key: value for key, value in good.items() if key != name})
                assert not judge.is_valid(good | {name: ""})
            assert not judge.is_valid(good | {"colour": "red"})
            for name, field in form["properties"].items():
                hints = field["x-hanro"]
                assert hints["help"]["ja"], name
                is_marked = hints["mark"] == {"ja": "必須", "en": "Required", "colour": "blue"}
                assert is_marked == (name in form["required"]), name
                assert field.get("writeOnly", False) == hints["is_secret"], name
    labels = {name: field["title"] for name, field in detail["registrations"][0]["form"]["properties"].items()}
    assert "serviceSecret" in labels["service_secret"]
    assert "licenseKey" in labels["license_key"]
    assert (labels["smtp_id"], labels["smtp_password"]) == ("SMTP ID", "SMTP パスワード")


@pytest.mark.row("A5", kind="walks")
async def test_the_two_registrations_ask_for_different_things(bench: Bench) -> None:
    detail = (await bench.public.get("/v1/marketplaces/rakuten_ichiba")).json()
    asked = {one["id"]: one["form"]["required"] for one in detail["registrations"]}
    assert asked == {"own_application": ["service_secret", "license_key"], "developer_application": ["license_key"]}
    for one in detail["registrations"]:
        assert {"license_expires_on", "smtp_id", "smtp_password"} <= set(one["form"]["properties"])
    assert "service_secret" not in detail["registrations"][1]["form"]["properties"]


@pytest.mark.row("A5", kind="refuses")
async def test_a_field_of_the_other_registration_and_a_wrong_value_are_refused_by_name(bench: Bench) -> None:
    made = await bench.link()
    path = f"/v1/accounts/{made['id']}/credentials"
    developer = {"registration": "developer_application"}
    for body, pointers in (
        (developer | {"values": GOOD["own_application"]}, ["/values/service_secret"]),
        (
            developer | {"values": {"license_key": "SL1", "license_expires_on": "2020-01-01"}},
            ["/values/license_expires_on"],
        ),
        ({"registration": "colour", "values": {}}, ["/registration"]),
        (
            {"values": GOOD["own_application"] | {"license_key": "ＳＬ１", "smtp_id": " "}},
            ["/values/license_key", "/values/smtp_id"],
        ),
        ({"values": GOOD["own_application"] | {"sender_address": "a@SHOP.rakuten.co.jp"}}, ["/values/sender_address"]),
    ):
        answer = await bench.public.put(path, json=body)
        assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, pointers)
        assert " / " in answer.json()["errors"][0]["detail"]
    assert (await bench.show(made["id"]))["credentials"]["version"] == 0


@pytest.mark.row("A3", kind="walks")
async def test_guides_speak_both_languages_and_every_link_says_where_a_login_is_needed(bench: Bench) -> None:
    for marketplace_id in MARKETPLACES:
        detail = (await bench.public.get(f"/v1/marketplaces/{marketplace_id}")).json()
        found = list(texts(detail))
        assert len(found) > 40, marketplace_id
        assert [place for place, text in found if not text["ja"].strip() or not text["en"].strip()] == []
        assert [place for place, text in found if text["ja"] == text["en"]] == []
        steps = {one["id"] for one in detail["guide"]["steps"]}
        for prerequisite in detail["guide"]["prerequisites"]:
            assert set(prerequisite["step_ids"]) <= steps
            assert len(prerequisite["states"]) > 1
        for step in detail["guide"]["steps"]:
            menus = [step["menu"], step["fallback"], *(link["menu"] for link in step["links"])]
            for menu in filter(None, menus):
                assert (menu["login_note"] is not None) == menu["is_login_needed"]
    assert "login to RMS needed" in str(detail["guide"])


@pytest.mark.row("A3", kind="refuses")
async def test_a_guide_of_a_marketplace_that_is_not_installed_is_not_found(bench: Bench) -> None:
    for path in ("", "/guide"):
        answer = await bench.public.get(f"/v1/marketplaces/nowhere{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
