"""What a shop agrees on with Rakuten: sub-users, contracts, functions that are saved, the event notification."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

NOON = "2026-06-01T12:00:00+09:00"
INVITED = {
    "last_name": "hanro",
    "first_name": "hanro",
    "mail": "operator@example.invalid",
    "mail_again": "operator@example.invalid",
    "registration_number": "000024",
    "affiliation": "hanro",
}
ITEM = "/es/2.0/items/manage-numbers/a"
CATEGORIES = "/es/2.0/categories"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("accounts")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    set_clock(simulator, NOON)
    return open_shop(simulator, "999001")


def refused(shop: Shop, method: str, path: str, value: object = None) -> tuple[int, str]:
    """Use a control of a shop that must refuse."""
    body = b"" if value is None else json.dumps(value).encode()
    headers = {"Content-Type": "application/json"}
    answer = shop.simulator.send(method, f"/_sim/shops/{shop.id}{path}", body, headers)
    return answer.status, str(answer.json()["detail"])


def call(shop: Shop, path: str) -> tuple[int, Any]:
    """Read a path as the shop's software does."""
    answer = shop.simulator.send("GET", path, b"", {"Authorization": shop.authorization})
    return answer.status, answer.json()


def is_off(answer: tuple[int, Any]) -> bool:
    """Tell whether the gateway refused as it does for a function that is off."""
    return answer == (400, {"Results": {"errorCode": "ES04-01", "message": "Bad Request"}})


def test_a_sub_user_is_invited_registers_waits_and_is_approved(shop: Shop) -> None:
    made = shop.control("POST", "/sub-users", INVITED)
    assert (made["state"], made["registration_number"], made["affiliation"]) == ("invited", "000024", "hanro")
    waiting = [shop.control("POST", f"/sub-users/{made['id']}/register") for _ in range(2)]
    assert [(one["state"], one["usage_status"]) for one in waiting] == [("registered", "承認待ち")] * 2
    assert refused(shop, "POST", "/sub-users/1/approve", {"permissions": []})[0] == 409
    done = shop.control("POST", "/sub-users/1/approve", {"permissions": ["受注管理"]})
    assert (done["state"], done["usage_status"], done["permissions"]) == ("available", "利用可能", ["受注管理"])
    mails = [(one["from"], one["to"], one["subject"]) for one in shop.control("GET", "/notices")["notices"]]
    assert mails == [
        ("rlogin-info@mail.rakuten.com", "operator@example.invalid", "【楽●天】利用者登録のご案内"),
        (
            "rlogin-info@mail.rakuten.com",
            "owner999001@example.invalid",
            "【楽●天】利用者登録(スタッフ申請)のご連絡(2026/06/01)",
        ),
    ]


def test_what_cannot_be_with_sub_users_is_refused(shop: Shop) -> None:
    assert refused(shop, "POST", "/sub-users", INVITED | {"mail_again": "x@example.invalid"})[0] == 422
    shop.control("POST", "/sub-users", INVITED)
    assert refused(shop, "POST", "/sub-users", INVITED)[0] == 409
    status, why = refused(shop, "POST", "/sub-users/1/approve", {"permissions": ["受注管理"]})
    assert (status, "承認待ち" in why) == (409, True)
    assert refused(shop, "POST", "/sub-users/9/register")[0] == 404
    shop.control("DELETE", "/sub-users/1")
    assert shop.control("GET", "/sub-users") == {"sub_users": []}


def test_without_the_bulk_editing_option_items_are_refused_and_orders_are_not(shop: Shop) -> None:
    assert call(shop, ITEM)[0] == 404
    for state in ("not_contracted", "applied"):
        shop.control("PUT", "/contracts/csv_item_edit", {"state": state})
        assert is_off(call(shop, ITEM))
        assert shop.get("shop/shopMaster").status == 200
    shop.control("PUT", "/contracts/csv_item_edit", {"state": "contracted"})
    assert call(shop, ITEM)[0] == 404


def test_without_the_terms_nothing_may_be_called(shop: Shop) -> None:
    shop.control("PUT", "/contracts/web_api_terms", {"state": "applied"})
    assert is_off(call(shop, ITEM))
    assert shop.get("shop/shopMaster").status == 400
    assert shop.control("GET", "/contracts")["web_api_terms"]["state"] == "applied"
    assert refused(shop, "PUT", "/contracts/none", {"state": "applied"})[0] == 422


def test_a_function_that_is_chosen_does_nothing_until_it_is_saved(shop: Shop) -> None:
    grant = "shop.shopMaster"
    shop.control("PUT", f"/grants/{grant}", {"enabled": False})
    assert shop.get("shop/shopMaster").status == 400
    in_use = [one["grant"] for one in shop.control("GET", "/functions")["functions"]]
    assert grant not in in_use
    editing = {one["grant"]: one for one in shop.control("GET", "/functions?editing=true")["functions"]}
    assert (editing[grant]["usage"], editing[grant]["chosen"]) == ("未利用", "利用しない")
    shop.control("PUT", f"/grants/{grant}", {"enabled": True, "is_saved": False})
    assert shop.get("shop/shopMaster").status == 400
    editing = {one["grant"]: one for one in shop.control("GET", "/functions?editing=true")["functions"]}
    assert (editing[grant]["chosen"], editing[grant]["is_saved"]) == ("利用する", False)
    shop.control("POST", "/functions/leave")
    shop.control("POST", "/functions/save")
    assert shop.get("shop/shopMaster").status == 400
    shop.control("PUT", f"/grants/{grant}", {"enabled": True, "is_saved": False})
    shop.control("POST", "/functions/save")
    assert shop.get("shop/shopMaster").status == 200
    assert grant in [one["grant"] for one in shop.control("GET", "/functions")["functions"]]


def test_the_event_notification_is_approved_in_two_steps_with_a_check_between(shop: Shop) -> None:
    path = "/event-notification"
    assert refused(shop, "GET", path)[0] == 409
    shop.control("POST", f"{path}/apply", {"company": "見本開発株式会社", "start_day": "2026-06-03"})
    assert refused(shop, "POST", f"{path}/check")[0] == 409
    assert shop.control("POST", f"{path}/approve-access")["state"] == "access_approved"
    assert refused(shop, "POST", f"{path}/approve")[0] == 409
    shop.control("POST", "/keys/revoke")
    assert "API接続失敗" in refused(shop, "POST", f"{path}/check")[1]
    assert len(shop.control("GET", "/notices")["notices"]) == 1
    shop.control("POST", "/keys/issue")
    assert [shop.control("POST", f"{path}/check")["state"] for _ in range(2)] == ["checked", "checked"]
    subjects = [one["subject"] for one in shop.control("GET", "/notices")["notices"]]
    assert subjects == [
        "【楽天市場】開発企業様からのAPI利用申請 追加承認のお願い",
        "【楽天市場】開発企業様からのシステムイベント通知サービス利用申請 承認のお願い",
    ]
    assert "2026/06/03" in shop.control("GET", "/notices")["notices"][1]["body"]
    done = shop.control("POST", f"{path}/approve")
    assert (done["effective_at"], done["is_delivering"]) == ("2026-06-03T09:00:00+09:00", False)
    assert shop.control("GET", "/contracts")["event_notification"]["state"] == "contracted"
    set_clock(shop.simulator, "2026-06-03T08:59:59+09:00")
    assert shop.control("GET", path)["is_delivering"] is False
    set_clock(shop.simulator, "2026-06-03T09:00:00+09:00")
    assert shop.control("GET", path)["is_delivering"] is True


@pytest.mark.parametrize(
    ("approved_at", "effective_at"),
    [
        ("2026-06-03T09:00:00+09:00", "2026-06-03T09:00:00+09:00"),
        ("2026-06-03T09:00:01+09:00", "2026-06-04T09:00:00+09:00"),
        ("2026-06-05T23:59:59+09:00", "2026-06-06T09:00:00+09:00"),
    ],
)
def test_an_approval_after_nine_counts_from_the_next_day(shop: Shop, approved_at: str, effective_at: str) -> None:
    path = "/event-notification"
    shop.control("POST", f"{path}/apply", {"company": "見本開発株式会社", "start_day": "2026-06-03"})
    for step in ("approve-access", "check"):
        shop.control("POST", f"{path}/{step}")
    set_clock(shop.simulator, approved_at)
    assert shop.control("POST", f"{path}/approve")["effective_at"] == effective_at


def test_category_sets_and_trees_show_ids_alone_until_fields_are_asked_for(shop: Shop) -> None:
    assert call(shop, f"{CATEGORIES}/shop-category-set-lists") == (200, {"categorySetKeyList": ["0"]})
    status, sets = call(shop, f"{CATEGORIES}/shop-category-set-lists?categorysetfields=TITLE")
    assert (status, sets) == (200, {"categorySetList": [{"categorySetId": "0", "title": "通常"}]})
    tree = f"{CATEGORIES}/shop-category-trees/category-set-ids/0"
    assert call(shop, tree)[1]["rootNode"] == {
        "children": [{"categoryId": "1234567891", "children": [{"categoryId": "1234567892"}]}]
    }
    shop.control("PATCH", "/categories/1234567892", {"title": "半袖"})
    assert call(shop, f"{tree}?categoryfields=TITLE")[1]["rootNode"] == {
        "children": [
            {
                "category": {"categoryId": "1234567891", "title": "トップス"},
                "children": [{"category": {"categoryId": "1234567892", "title": "半袖"}}],
            }
        ]
    }
    assert call(shop, f"{tree}?categoryfields=COLOUR")[1]["errors"][0]["code"] == "IE0007"
    assert call(shop, f"{CATEGORIES}/shop-category-trees/category-set-ids/9")[0] == 404
    shop.control("PUT", "/categories", {"sets": [{"set_id": "7", "title": "季節"}]})
    assert call(shop, f"{CATEGORIES}/shop-category-set-lists") == (200, {"categorySetKeyList": ["7"]})


def test_a_shipping_group_and_an_address_change_by_controls(shop: Shop) -> None:
    shop.control(
        "PATCH",
        "/resources/deliverySetInfo",
        {"match": {"deliverySetId": "2"}, "set": {"deliverySetName": "冷凍便"}},
    )
    shop.control("PATCH", "/resources/shopMaster", {"set": {"addressCity": "別区"}})
    assert "<deliverySetName>冷凍便</deliverySetName>" in shop.get("shop/deliverySetInfo").body.decode()
    assert "<addressCity>別区</addressCity>" in shop.get("shop/shopMaster").body.decode()
    assert refused(shop, "PATCH", "/resources/shipFrom", {"match": {"shipFromId": "9"}, "set": {"name": "x"}})[0] == 404


def test_reading_controls_changes_no_state_and_changing_ones_do(simulator: Simulator, shop: Shop) -> None:
    before = simulator.control("GET", "/digest")["digest"]
    for path in ("/contracts", "/functions", "/sub-users", "/notices", "/categories"):
        shop.control("GET", path)
    assert simulator.control("GET", "/digest")["digest"] == before
    shop.control("PATCH", "/categories/1234567892", {"title": "半袖"})
    assert simulator.control("GET", "/digest")["digest"] != before


def test_the_controls_are_described(simulator: Simulator) -> None:
    told = simulator.control("GET", "/openapi.json")["paths"]
    for path in (
        "sub-users/{user_id}/approve",
        "contracts/{option}",
        "functions/save",
        "event-notification/check",
        "mail-login/{action}",
        "categories/{category_id}",
    ):
        assert all(one.get("description") for one in told[f"/_sim/shops/{{number}}/{path}"].values())
