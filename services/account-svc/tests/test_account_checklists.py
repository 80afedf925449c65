"""Checklists over HTTP on a real Postgres: ticked by hand, proven by grants, two approvals, a start day."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from account_bench import Bench, Json, open_bench, prepare

from account_svc.settings import AccountSettings
from hanro.settings import SettingsRefused
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

TEXTS = {
    "rakuten_ichiba": {
        "application_name": "HANRO",
        "application_summary": "複数店舗の在庫状態をリアルタイムで確認・管理するためのアプリ",
        "sub_user_name": "見本 運用",
        "sub_user_last_name": "見本",
        "sub_user_first_name": "運用",
        "sub_user_mail": "operator@example.invalid",
        "sub_user_registration_number": "000024",
        "sub_user_affiliation": "見本運用株式会社",
        "developer_name": "見本運用株式会社",
    }
}
DEVELOPER = {"registration": "developer_application", "values": {"license_key": "SL999001_synthetic0000000"}}
OWN_ITEMS = ["bulk_editing", "terms", "application", "functions", "mail_login", "sub_user", "order_download"]
DEVELOPER_ITEMS = [
    *("bulk_editing", "developer_access", "developer_notices"),
    *("mail_login", "sub_user", "order_download"),
]


@pytest.fixture
async def bench(urls: SchemaUrls, tmp_path: Path) -> AsyncIterator[Bench]:
    (tmp_path / "texts.json").write_text(json.dumps(TEXTS))
    secrets = {"rakuten_ichiba": {"service_secret": "SP999001_synthetic0000000"}}
    (tmp_path / "secrets.json").write_text(json.dumps(secrets))
    async with open_bench(urls, folder=tmp_path) as opened:
        yield opened


async def checklist(bench: Bench, account_id: str, query: str = "") -> dict[str, Json]:
    answer = await bench.public.get(f"/v1/accounts/{account_id}/checklist{query}")
    assert answer.status_code == 200, answer.text
    return {one["prerequisite"]["id"]: one for one in answer.json()["items"]}


async def tick(bench: Bench, account_id: str, prerequisite_id: str, **said: object) -> Json:
    answer = await bench.public.put(f"/v1/accounts/{account_id}/checklist/{prerequisite_id}", json=said)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def refused(bench: Bench, account_id: str, prerequisite_id: str, **said: object) -> tuple[int, Json]:
    answer = await bench.public.put(f"/v1/accounts/{account_id}/checklist/{prerequisite_id}", json=said)
    return answer.status_code, answer.json()


async def let_work(bench: Bench, account_id: str) -> None:
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = 'active' where id = $1", account_id)


@pytest.mark.row("A8", kind="walks")
async def test_items_are_ticked_step_by_step_with_who_and_when_and_back(bench: Bench) -> None:
    account_id = (await bench.link())["id"]
    assert list(await checklist(bench, account_id, "?registration=own_application")) == OWN_ITEMS
    assert (await bench.show(account_id))["checklist"]["open_count"] == 6
    applied_at = "2026-06-01T00:00:00Z"
    first = await tick(bench, account_id, "bulk_editing", state="applied", at="2026-06-01T09:00:00+09:00")
    assert (first["label"]["ja"], first["is_done"], first["reached"][0]["at"]) == ("申込済み", False, applied_at)
    assert first["reached"][0]["ticked_by"]
    done = await tick(bench, account_id, "bulk_editing", state="contracted")
    assert (done["is_done"], [one["state"] for one in done["reached"]]) == (True, ["applied", "contracted"])
    # The same again changes nothing, going back is allowed and stays in the history.
    again = await tick(bench, account_id, "bulk_editing", state="contracted")
    assert again == done
    back = await tick(bench, account_id, "bulk_editing", state="applied", at=applied_at)
    assert (back["state"], back["is_done"]) == ("applied", False)
    assert [one["state"] for one in back["history"]] == ["applied", "contracted", "applied"]
    shown = (await checklist(bench, account_id))["bulk_editing"]
    assert {key: value for key, value in shown.items() if key != "history"} == {
        key: value for key, value in back.items() if key != "history"
    }
    assert (await tick(bench, account_id, "order_download", state="applied"))["steps"][0]["cost"]["en"]
    assert (await tick(bench, account_id, "terms", state="accepted"))["is_done"]
    entries = (await tick(bench, account_id, "application", state="registered"))["steps"][0]["entries"]
    assert [one["value"] for one in entries] == list(TEXTS["rakuten_ichiba"].values())[:2]


@pytest.mark.row("A8", kind="refuses")
async def test_what_grants_prove_is_ticked_by_nobody_and_what_is_not_there_not_at_all(bench: Bench) -> None:
    account_id = (await bench.link())["id"]
    for prerequisite_id, state in (("functions", "saved"), ("mail_login", "entered")):
        status, problem = await refused(bench, account_id, prerequisite_id, state=state)
        assert (status, problem["code"]) == (409, "proven-by-grants")
        assert ":preflight" in problem["detail"]
        assert problem["remedy"]["ja"]
    unproven = (await checklist(bench, account_id))["functions"]["unproven_grant_ids"]
    assert "rpay.order.searchOrder" in unproven
    told = (await refused(bench, account_id, "functions", state="saved"))[1]["detail"]
    assert [grant_id for grant_id in sorted(unproven) if grant_id in told][:3] == sorted(unproven)[:3]
    status, problem = await refused(bench, account_id, "colour", state="red")
    assert (status, problem["code"]) == (404, "not-found")
    future = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for said, pointer in (
        ({"state": "red"}, "/state"),
        ({"state": "accepted", "at": future}, "/at"),
        ({"state": "accepted", "at": "1900-01-01T00:00:00Z"}, "/at"),
        ({"state": "accepted", "start_day": "2099-01-01"}, "/start_day"),
    ):
        status, problem = await refused(bench, account_id, "terms", **said)
        assert (status, problem["code"], problem["errors"][0]["pointer"]) == (422, "tick-malformed", pointer)
    for said in ({}, {"state": ""}, {"state": "accepted", "colour": "red"}, {"state": "accepted", "at": "noon"}):
        assert (await refused(bench, account_id, "terms", **said))[0] == 422
    assert (await bench.public.get(f"/v1/accounts/{account_id}/checklist?registration=x")).status_code == 422
    assert await bench.fetch("select 1 from checklist_ticks") == []


async def test_grants_that_a_preflight_found_prove_their_item(bench: Bench) -> None:
    account_id = (await bench.link())["id"]
    before = (await checklist(bench, account_id))["functions"]
    assert (before["is_by_hand"], before["is_done"]) == (False, False)
    grants = json.dumps([[grant_id, "granted"] for grant_id in before["unproven_grant_ids"]])
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set grants = $2::jsonb where id = $1", account_id, grants)
    after = (await checklist(bench, account_id))["functions"]
    assert (after["state"], after["is_done"], after["unproven_grant_ids"]) == ("saved", True, [])


async def test_twins_that_tick_at_once_leave_one_trace_each(bench: Bench) -> None:
    account_id = (await bench.link())["id"]
    at = "2026-06-01T00:00:00Z"
    await asyncio.gather(*(tick(bench, account_id, "terms", state="accepted", at=at) for _ in range(5)))
    assert len(await bench.fetch("select 1 from checklist_ticks")) == 1
    await asyncio.gather(*(tick(bench, account_id, "sub_user", state=state) for state in ("invited", "registered")))
    assert len(await bench.fetch("select 1 from checklist_ticks where prerequisite_id = 'sub_user'")) == 2


@pytest.mark.row("A9", kind="walks")
async def test_a_sub_user_goes_from_invited_to_available_with_the_operator_s_own_values(bench: Bench) -> None:
    account_id = (await bench.link())["id"]
    item = (await checklist(bench, account_id))["sub_user"]
    invite, approve = item["steps"]
    assert {one["label"]: one["value"] for one in invite["entries"]} == {
        "利用者名": "見本 運用",
        "姓": "見本",
        "名": "運用",
        "メールアドレス": "operator@example.invalid",
        "メールアドレス(確認)": "operator@example.invalid",
        "登録番号": "000024",
        "所属": "見本運用株式会社",
    }
    assert invite["operator_note"] is None
    assert approve["mail"]["sender"] == "rlogin-info@mail.rakuten.com"
    labels = []
    for state in ("invited", "registered", "awaiting_approval", "available"):
        item = await tick(bench, account_id, "sub_user", state=state)
        labels.append(item["label"]["ja"])
    assert (item["is_done"], labels[-2:]) == (True, ["承認待ち", "利用可能"])
    assert [one["state"] for one in item["reached"]] == ["invited", "registered", "awaiting_approval", "available"]


@pytest.mark.row("A9", kind="walks")
@pytest.mark.row("A12", kind="walks")
async def test_two_approvals_are_two_items_and_the_second_starts_by_the_rule(bench: Bench) -> None:
    account_id = (await bench.link())["id"]
    answer = await bench.public.put(f"/v1/accounts/{account_id}/credentials", json=DEVELOPER)
    assert answer.status_code == 202, answer.text
    assert list(await checklist(bench, account_id)) == DEVELOPER_ITEMS
    first = await tick(bench, account_id, "developer_access", state="approved")
    assert first["is_done"]
    assert "enables stock, shipments and polling" in first["steps"][1]["text"]["en"]
    assert first["steps"][1]["entries"] == [{"label": "企業名", "value": "見本運用株式会社", "missing_settings": []}]
    assert "contact" in first["steps"][1]["traps"][0]["en"]
    await let_work(bench, account_id)
    tokyo = ZoneInfo("Asia/Tokyo")
    now = datetime.now(tokyo)
    start_day = (now + timedelta(days=3)).date()
    nine = datetime(start_day.year, start_day.month, start_day.day, 9, tzinfo=tokyo)
    waiting = await tick(
        bench, account_id, "developer_notices", state="awaiting_approval", start_day=start_day.isoformat()
    )
    assert (datetime.fromisoformat(waiting["effective_at"]), waiting["is_effective_final"]) == (nine, False)
    done = await tick(bench, account_id, "developer_notices", state="approved", start_day=start_day.isoformat())
    assert (datetime.fromisoformat(done["effective_at"]), done["is_effective_final"]) == (nine, True)
    shown = (await bench.show(account_id))["checklist"]
    assert datetime.fromisoformat(shown["effective_at"]) == nine
    # Without a day from the mail it is the day after the approval.
    late = await tick(bench, account_id, "developer_notices", state="approved", at=now.isoformat())
    following = (now + timedelta(days=1)).date()
    assert datetime.fromisoformat(late["effective_at"]).astimezone(tokyo).date() == following


@pytest.mark.row("A9", kind="refuses")
@pytest.mark.row("A12", kind="refuses")
async def test_the_second_approval_waits_for_a_passed_check_and_its_day_is_no_nonsense(bench: Bench) -> None:
    account_id = (await bench.link())["id"]
    status, problem = await refused(bench, account_id, "developer_notices", state="awaiting_approval")
    assert (status, problem["code"]) == (409, "check-first")
    assert "run the preflight" in problem["remedy"]["en"]
    await let_work(bench, account_id)
    today = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    for day, code in (
        ((today - timedelta(days=1)).isoformat(), "date-passed"),
        ((today + timedelta(days=400)).isoformat(), "date-too-far"),
        ("9999-12-31", "date-too-far"),
    ):
        status, problem = await refused(bench, account_id, "developer_notices", state="approved", start_day=day)
        assert (status, problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (422, "/start_day", code)
    assert await bench.fetch("select 1 from checklist_ticks") == []
    own = (await bench.link())["id"]
    await bench.store(own, {"service_secret": "SP1", "license_key": "SL1"})
    status, problem = await refused(bench, own, "developer_access", state="approved")
    assert (status, problem["code"]) == (404, "not-found")
    mine = (await bench.link())["id"]
    for path in ("checklist", "application-sheet"):
        assert (await bench.public.get(f"/v1/accounts/acc_none/{path}")).status_code == 404
    assert list(await checklist(bench, mine)) == list(dict.fromkeys([*OWN_ITEMS[:4], *DEVELOPER_ITEMS]))


@pytest.mark.row("A9", kind="refuses")
async def test_without_the_operator_s_values_a_step_says_who_must_set_what(urls: SchemaUrls, tmp_path: Path) -> None:
    async with open_bench(urls) as bare:
        step = (await checklist(bare, (await bare.link())["id"]))["sub_user"]["steps"][0]
        guide = (await bare.public.get("/v1/marketplaces/rakuten_ichiba/guide")).json()
    assert {one["value"] for one in step["entries"]} == {None}
    assert "sub_user_registration_number" in step["operator_note"]["ja"]
    assert "HANRO_INSTALLATION_TEXTS_FILE" in step["operator_note"]["en"]
    assert step in guide["steps"]
    wrong: tuple[object, ...] = (
        [],
        {"rakuten_ichiba": {"developer_name": ""}},
        {"rakuten_ichiba": {"x": "a\nb"}},
        {"x": 1},
    )
    for value in wrong:
        with pytest.raises(SettingsRefused) as caught:
            _settings(tmp_path, value).texts()
        assert "HANRO_INSTALLATION_TEXTS_FILE" in str(caught.value)
    assert _settings(tmp_path, TEXTS).texts() == TEXTS


def _settings(folder: Path, value: object) -> AccountSettings:
    (folder / "texts.json").write_text(json.dumps(value))
    return AccountSettings(
        database_url="postgresql://x.invalid/x",
        issuer="x",
        jwks_url="http://x.invalid/",
        keys_dir=folder,
        installation_texts_file=folder / "texts.json",
    )
