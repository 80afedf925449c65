"""The guide tells every path, mail, trap, cost and option that sellers are told of elsewhere; so does the letter."""

import re
from datetime import time

import pytest

from hanro.marketplace.types import Step
from hanro_rakuten_ichiba.declared.guide import GUIDE
from hanro_rakuten_ichiba.plugin import plugin

STEPS = {step.id: step for step in GUIDE.steps}
SERVICES = "店舗様向け情報・サービス"


def way(step: Step) -> tuple[str, ...]:
    assert step.menu is not None
    return step.menu.steps


@pytest.mark.parametrize(
    ("step_id", "stations"),
    [
        ("bulk_editing", (SERVICES, "3.オプション機能利用申込・解約")),
        ("terms", (SERVICES, "6. WEB APIサービス", "1-2 申込、利用規約確認")),
        ("application", (SERVICES, "6. WEB APIサービス", "アプリ登録")),
        ("functions", ("アプリ一覧", "詳細", "利用機能一覧", "利用機能編集")),
        ("mail_login", ("あんしんメルアドサービスメニュー", "メールサーバ設定情報")),
        ("new_key", (SERVICES, "6. WEB APIサービス", "アプリ一覧", "詳細")),
        (
            "order_download",
            ("受注・決済管理", "受注管理", "受注データのダウンロード", "通常購入データ", "全カラム用ダウンロード"),
        ),
        ("invite_sub_user", ("R-Login 利用者管理", "R-Login 管理", "利用者追加")),
        ("approve_sub_user", ("R-Login 利用者管理", "利用者管理")),
        ("developer_access", ("拡張サービス一覧", "各種申請・設定変更", "システム開発企業からのAPIアクセス許可設定")),
        ("developer_notices", ("拡張サービス一覧", "各種申請・設定変更", "システム開発企業からのAPIアクセス許可設定")),
    ],
)
def test_each_step_has_its_way(step_id: str, stations: tuple[str, ...]) -> None:
    rest = iter(way(STEPS[step_id]))
    assert all(station in rest for station in stations), way(STEPS[step_id])
    assert STEPS[step_id].menu is not None


def test_fallbacks_lead_there_by_another_way() -> None:
    for step_id in ("functions", "developer_access", "developer_notices", "application"):
        step = STEPS[step_id]
        assert step.fallback is not None
        assert step.menu is not None
        assert step.fallback.steps != step.menu.steps
    functions = STEPS["functions"].fallback
    assert functions is not None
    assert {"2. 利用設定", "2-1 アプリ一覧", "WEB APIアクセス許可設定", "利用機能編集"} <= set(functions.steps)
    access = STEPS["developer_access"].fallback
    assert access is not None
    assert access.steps[0] == "RMSメインメニュー"


def test_the_mails_to_expect_are_told_with_subject_sender_and_recipient() -> None:
    mails = {step_id: step.mail for step_id, step in STEPS.items() if step.mail is not None}
    assert set(mails) == {"approve_sub_user", "developer_access", "developer_notices"}
    assert mails["approve_sub_user"].sender == "rlogin-info@mail.rakuten.com"
    assert "スタッフ申請" in mails["approve_sub_user"].subject
    assert "R-Login" in mails["approve_sub_user"].recipient.en
    assert "追加承認のお願い" in mails["developer_access"].subject
    assert "システムイベント通知サービス利用申請 承認のお願い" in mails["developer_notices"].subject
    assert "start" in mails["developer_notices"].tells.en


def test_costs_and_traps_are_told_where_they_are_met() -> None:
    costs = {step_id: step.cost.en for step_id, step in STEPS.items() if step.cost is not None}
    assert set(costs) == {"bulk_editing", "order_download"}
    assert "separately" in costs["bulk_editing"]
    assert "free of charge" in costs["order_download"]
    traps = {step_id: " ".join(trap.ja for trap in step.traps) for step_id, step in STEPS.items()}
    assert "利用機能編集" in traps["functions"]
    assert "登録する" in traps["functions"]
    assert re.search("接続チェック", traps["developer_notices"])
    assert "心当たりがない" in traps["developer_access"]
    assert "マスクアドレス" in traps["apply_for_access"]
    assert "30 分" in traps["new_key"]
    links = [menu.url for _, menu in STEPS["developer_notices"].links]
    assert "https://ichiba-bs.rms.rakuten.co.jp/ask/?o=WEBAPI" in links
    manual = next(menu for _, menu in STEPS["developer_notices"].links if menu.url and "manual" in menu.url)
    assert manual.is_login_needed is False


def test_what_the_operator_says_of_himself_is_asked_for_by_name() -> None:
    named = {name for step in GUIDE.steps for _, value in step.entries for name in re.findall(r"\{(\w+)\}", value)}
    assert named == {
        "application_name",
        "application_summary",
        "sub_user_name",
        "sub_user_last_name",
        "sub_user_first_name",
        "sub_user_mail",
        "sub_user_registration_number",
        "sub_user_affiliation",
        "developer_name",
    }
    assert [label for label, _ in STEPS["invite_sub_user"].entries].count("メールアドレス(確認)") == 1
    assert sum(label == "権限" for label, _ in STEPS["approve_sub_user"].entries) > 1


def test_prerequisites_belong_to_their_registration_and_the_notices_start_at_nine() -> None:
    own = {one.id for one in GUIDE.prerequisites if one.registration_ids == {"own_application"}}
    developer = {one.id: one for one in GUIDE.prerequisites if one.registration_ids == {"developer_application"}}
    assert own == {"terms", "application", "functions"}
    assert list(developer) == ["developer_access", "developer_notices"]
    assert developer["developer_notices"].daily_start == time(9)
    assert [one.id for one in GUIDE.prerequisites if one.needs_check] == ["developer_notices"]
    functions = next(one for one in GUIDE.prerequisites if one.id == "functions")
    probed = {grant.id for grant in plugin.grants if grant.id.startswith("rpay.")}
    assert probed <= functions.grant_ids | {grant.id for grant in plugin.grants if grant.probe.value == "none"}


def test_the_letter_has_the_seven_lines_and_fills_them() -> None:
    sheet = GUIDE.sheet
    assert sheet is not None
    labels = [field.label.ja for field in sheet.fields]
    assert labels == [
        *("顧客社名", "店舗名", "楽天ペイ利用", "店舗URL"),
        *("店舗連絡先メールアドレス", "担当者連絡先電話番号", "店舗担当者名"),
    ]
    assert sheet.subject == "楽天API利用申請"
    assert re.findall(r"・(.+?):\{(\w+)\}", sheet.body) == [
        (label, field.name) for label, field in zip(labels, sheet.fields, strict=True)
    ]
