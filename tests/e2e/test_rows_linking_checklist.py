"""What an account needs and how far it is: ticked, proven, awaited; sub-users, two approvals, the sheet for them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from row_shops import Row

from hanro_local.installation import TEXTS

NEEDED = "rpay.order.searchOrder"
TOKYO = ZoneInfo("Asia/Tokyo")
OWN = "?registration=own_application"
SHEET = {
    "company": "株式会社見本",
    "shop": "見本店",
    "uses_pay": "あり",
    "shop_url": "https://www.example.invalid/mihon/",
    "contact_mail": "contact@example.invalid",
    "phone": "03-0000-9999",
    "person": "見本 花子",
}


async def items(row: Row, query: str = "") -> dict[str, dict[str, Any]]:
    found = await row.ask("GET", f"/checklist{query}")
    return {one["prerequisite"]["id"]: one for one in found["items"]}


async def notices(row: Row) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await row.simulator("GET", "/notices"))["notices"]
    return found


def moment(shown: Any) -> datetime:
    return datetime.fromisoformat(str(shown))


@pytest.mark.row("A8", kind="walks")
@pytest.mark.row("A9", kind="walks")
async def test_prerequisites_are_done_there_with_the_guide_s_values_and_ticked_step_by_step(draft: Row) -> None:
    listed = await items(draft, OWN)
    before = (await draft.seller.account())["checklist"]["open_count"]
    await draft.simulator("PUT", "/contracts/csv_item_edit", {"state": "applied"})
    first = await draft.tick("bulk_editing", "applied", at="2026-06-01T09:00:00+09:00")
    assert (first["label"]["ja"], first["is_done"], first["reached"][0]["ticked_by"]) == ("申込済み", False, "demo")
    await draft.simulator("PUT", "/contracts/csv_item_edit", {"state": "contracted"})
    done = await draft.tick("bulk_editing", "contracted")
    assert (done["is_done"], [one["state"] for one in done["reached"]]) == (True, ["applied", "contracted"])
    assert (await draft.tick("order_download", "applied"))["steps"][0]["cost"]["en"].endswith("free of charge")
    assert (await draft.tick("terms", "accepted"))["is_done"]
    named = (await draft.tick("application", "registered"))["steps"][0]["entries"]
    said = TEXTS["rakuten_ichiba"]
    assert [one["value"] for one in named] == [said["application_name"], said["application_summary"]]
    assert (await draft.seller.account())["checklist"]["open_count"] == before - 3

    # The operator as a sub-user, with exactly the values that the guide names.
    invite, approve = listed["sub_user"]["steps"]
    values = {one["label"]: one["value"] for one in invite["entries"]}
    wish = {
        "last_name": values["姓"],
        "first_name": values["名"],
        "mail": values["メールアドレス"],
        "mail_again": values["メールアドレス(確認)"],
        "registration_number": values["登録番号"],
        "affiliation": values["所属"],
    }
    user = await draft.simulator("POST", "/sub-users", wish)
    assert (await draft.tick("sub_user", "invited"))["label"]["ja"] == "招待メール送信済み"
    user = await draft.simulator("POST", f"/sub-users/{user['id']}/register")
    await draft.tick("sub_user", "registered")
    came = (await notices(draft))[-1]
    mail = approve["mail"]
    assert came["from"] == mail["sender"]
    assert came["subject"].partition("(20")[0] == mail["subject"].partition("(YYYY")[0]
    assert "R-Login" in mail["recipient"]["ja"]
    waiting = await draft.tick("sub_user", "awaiting_approval")
    assert waiting["label"]["ja"] == user["usage_status"] == "承認待ち"
    permissions = [one["value"] for one in approve["entries"]]
    user = await draft.simulator("POST", f"/sub-users/{user['id']}/approve", {"permissions": permissions})
    available = await draft.tick("sub_user", "available")
    assert (available["label"]["ja"], available["is_done"]) == (user["usage_status"], True)
    assert ("tick-checklist", ["sub_user"]) in await draft.deeds()
    assert await draft.seller.requests() == []


@pytest.mark.row("A8", kind="refuses")
@pytest.mark.row("A9", kind="refuses")
@pytest.mark.row("A12", kind="refuses")
async def test_what_is_proven_comes_too_early_or_cannot_be_is_not_ticked(draft: Row) -> None:
    proven = await draft.ask("PUT", "/checklist/functions", {"state": "saved"}, expected=(409,))
    assert (proven["code"], ":preflight" in proven["detail"], bool(proven["remedy"]["ja"])) == (
        "proven-by-grants",
        True,
        True,
    )
    assert NEEDED in (await items(draft))["functions"]["unproven_grant_ids"]
    early = await draft.ask("PUT", "/checklist/developer_notices", {"state": "awaiting_approval"}, expected=(409,))
    assert (early["code"], "run the preflight" in early["remedy"]["en"]) == ("check-first", True)
    assert "接続チェック" in early["remedy"]["ja"]
    unknown = await draft.ask("PUT", "/checklist/colour", {"state": "red"}, expected=(404,))
    assert "bulk_editing" in unknown["detail"]
    passed = (datetime.now(TOKYO).date() - timedelta(days=2)).isoformat()
    future = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for item, said, pointer, code in (
        ("terms", {"state": "red"}, "/state", "state-unknown"),
        ("terms", {"state": "accepted", "at": future}, "/at", "time-impossible"),
        ("terms", {"state": "accepted", "start_day": "2099-01-01"}, "/start_day", "field-unknown"),
        ("developer_notices", {"state": "open", "start_day": passed}, "/start_day", "date-passed"),
        ("developer_notices", {"state": "open", "start_day": "9999-12-31"}, "/start_day", "date-too-far"),
    ):
        problem = await draft.ask("PUT", f"/checklist/{item}", said, expected=(422,))
        assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [(pointer, code)]
    shown = await items(draft)
    assert {item["state"] for item in shown.values()} == {"open"}
    assert [item["effective_at"] for item in shown.values() if item["effective_at"]] == []
    assert [action for action, _ in await draft.deeds()] == ["link"]


@pytest.mark.row("A8", kind="walks")
@pytest.mark.row("A10", kind="refuses")
@pytest.mark.row("A11", kind="walks")
async def test_a_draft_waits_for_what_it_applied_for_and_works_once_that_is_decided_and_saved(draft: Row) -> None:
    await draft.simulator("PUT", f"/grants/{NEEDED}", {"enabled": False})
    # A key that is dead at first ends the first check at once; those that follow begin with what is needed.
    await draft.simulator("POST", "/keys/revoke")
    await draft.seller.enter()
    await draft.reason_became("credential-refused")
    await draft.simulator("POST", "/keys/restore")
    await draft.age_key()
    await draft.tick("bulk_editing", "applied")
    waiting = await draft.reason_became("approval-awaited")
    assert (waiting["state"], waiting["label"]["ja"]) == ("pending_approval", "無効")
    assert waiting["reason"]["grant_id"] == NEEDED
    run = (await draft.seller.preflights())[0]
    denied = [row for row in run["rows"] if row["state"] == "denied"]
    assert [row["grant_id"] for row in denied] == [NEEDED]
    assert "CSV商品一括編集" in denied[0]["remedies"][0]["ja"]
    assert denied[0]["menu"]["steps"][-1] == "利用機能編集"
    assert "find_orders" in denied[0]["lost_capabilities"]
    # Probes changed nothing there: what writes was refused, or never asked.
    assert [one["path"] for one in await draft.seller.requests() if one["has_effect"]] == []
    step = waiting["next_step"]
    assert step["text"]["ja"].startswith("CSV商品一括編集の契約: ")
    assert (step["prerequisite_id"], step["menu"]["steps"][-1]) == ("bulk_editing", "3.オプション機能利用申込・解約")

    # Chosen and not saved: the list there shows it so, and it does not work.
    await draft.simulator("PUT", f"/grants/{NEEDED}", {"enabled": True, "is_saved": False})
    await draft.tick("bulk_editing", "contracted")
    assert (await draft.reason_became("grant-missing"))["state"] == "draft"
    await draft.simulator("POST", "/functions/save")
    await draft.ask("POST", ":preflight", expected=(202,))
    works = await draft.became(is_working=True)
    assert works["label"]["ja"] == "有効"
    assert NEEDED not in (await items(draft))["functions"]["unproven_grant_ids"]


@pytest.mark.row("A10", kind="refuses")
@pytest.mark.row("A11", kind="refuses")
async def test_what_a_state_does_not_allow_is_refused_with_the_state_and_what_is_possible(draft: Row) -> None:
    unchecked = await draft.ask("POST", ":preflight", expected=(409,))
    assert (unchecked["code"], bool(unchecked["menu"]["steps"])) == ("credentials-missing", True)
    shown = await draft.seller.account()
    assert "preflight" not in shown["possible"]
    for suffix in (":link-again", "/market-information:refresh"):
        problem = await draft.ask("POST", suffix, expected=(409,))
        assert (problem["code"], problem["state"]) == ("account-state", "draft")
        assert problem["possible"] == shown["possible"]
    off = await draft.ask("POST", ":disable")
    assert (off["label"]["ja"], off["reason"]["code"], bool(off["next_step"]["text"]["ja"])) == (
        "無効",
        "account-disabled",
        True,
    )
    assert (await draft.ask("POST", ":enable"))["reason"]["code"] == "credentials-missing"
    assert await draft.seller.requests() == []


@pytest.mark.row("A20", kind="walks")
async def test_an_application_sheet_makes_the_mail_to_send_and_keeps_when_it_was_sent(draft: Row) -> None:
    empty = await draft.ask("GET", "/application-sheet")
    assert (empty["form"]["required"], empty["mail"], empty["version"]) == (list(SHEET), None, 0)
    filled = await draft.ask("PUT", "/application-sheet", {"values": SHEET})
    mail = filled["mail"]
    assert (mail["recipient"], mail["subject"]) == (TEXTS["rakuten_ichiba"]["developer_mail"], "楽天API利用申請")
    assert mail["body"].splitlines()[0] == "・顧客社名:株式会社見本"
    assert all(value in mail["body"] for value in SHEET.values())
    at = datetime.now(UTC).isoformat()
    sent = await draft.ask("POST", "/application-sheet:sent", {"at": at})
    assert (moment(sent["sent_at"]), sent["is_changed_since"]) == (moment(at), False)
    assert (await draft.ask("POST", "/application-sheet:sent", {}))["sent_at"] == sent["sent_at"]
    changed = await draft.ask("PUT", "/application-sheet", {"values": SHEET | {"shop": "二号店"}})
    assert (changed["version"], changed["is_changed_since"], changed["sent_at"]) == (2, True, sent["sent_at"])
    assert [deed for deed in await draft.deeds() if "sheet" in deed[0]] == [
        ("fill-application-sheet", ["shop"]),
        ("send-application-sheet", []),
        ("fill-application-sheet", list(SHEET)),
    ]
    assert not [text for text in SHEET.values() if len(text) > 2 and text in str(await draft.facts("changed"))]


@pytest.mark.row("A20", kind="refuses")
async def test_a_sheet_with_a_masked_address_or_a_gap_is_refused_by_its_field_and_nothing_is_sent(draft: Row) -> None:
    before = (await draft.doors.simulator.call("GET", "/_sim/mails?limit=1")).json()["total"]
    missing = await draft.ask("POST", "/application-sheet:sent", {}, expected=(409,))
    assert (missing["code"], bool(missing["remedy"]["ja"])) == ("sheet-missing", True)
    for field, wrong in (
        ("contact_mail", "mihon@shop.rakuten.co.jp"),
        ("phone", "０３-0000-0000"),
        ("uses_pay", "yes"),
        ("shop_url", "ftp://example.invalid/"),
        ("person", ""),
        ("company", " 株式会社見本"),
    ):
        problem = await draft.ask("PUT", "/application-sheet", {"values": SHEET | {field: wrong}}, expected=(422,))
        assert [one["pointer"] for one in problem["errors"]] == [f"/values/{field}"], wrong
        assert re.search(r"[ぁ-ん]", problem["errors"][0]["detail"]), wrong
    assert (await draft.ask("GET", "/application-sheet"))["version"] == 0
    reader = draft.caller("*", scopes=("accounts:read",))
    await reader.call("GET", f"{draft.path}/application-sheet", expected=(403,))
    assert (await draft.doors.simulator.call("GET", "/_sim/mails?limit=1")).json()["total"] == before
