"""Changes of an order by the shop: sums by hand, what is required, state 400 and the way back, history."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ichiba_full_order import FULL_ORDER
from ichiba_restated import restated
from ichiba_wire import Shop, Simulator, open_shop, place_order, running_simulator, set_clock

NUMBER = FULL_ORDER["orderNumber"]
UNDECIDED = -9999
SUMS = ("goodsPrice", "postagePrice", "totalPrice", "requestPrice", "couponAllTotalPrice", "couponShopPrice")
ROW = ("taxRate", "reqPrice", "reqPriceTax", "totalPrice", "couponPrice")


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("change")) as running:
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Shop:
    simulator.control("POST", "/reset")
    set_clock(simulator, "2026-05-11T12:00:00+09:00")
    return open_shop(simulator, "999001")


def place(shop: Shop, progress: int = 300) -> dict[str, Any]:
    """Place the full order of 15.2 in that state and give the request that restates it."""
    place_order(shop, NUMBER, FULL_ORDER["orderDatetime"], progress=progress, raw=FULL_ORDER)
    shop.control("POST", f"/orders/{NUMBER}/set", {"progress": progress})
    return restated(tree(shop))


def tree(shop: Shop, number: str = NUMBER) -> Any:
    return shop.control("GET", f"/orders/{number}")["tree"]


def change(shop: Shop, body: dict[str, Any], *, after: bool = False) -> tuple[int, list[str]]:
    function = "updateOrderSenderAfterShipping/" if after else "updateOrderSender/"
    answer = shop.post(function, json.dumps(body, ensure_ascii=False).encode())
    entries = answer.json()["MessageModelList"]
    return answer.status, ["_".join(entry["messageCode"].split("_")[-2:]) for entry in entries]


def lines(body: dict[str, Any]) -> Any:
    return body["PackageModelList"][0]["ItemModelList"]


def sums(order: Any) -> tuple[int, ...]:
    return tuple(order[key] for key in SUMS)


def tax_rows(order: Any) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in ROW) for row in order["TaxSummaryModelList"]]


def test_an_order_restated_as_it_is_keeps_all_but_its_history(shop: Shop) -> None:
    body = place(shop)
    before = tree(shop)
    answer = shop.post("updateOrderSender/", json.dumps(body).encode())
    assert (
        answer.body
        == (
            '{"MessageModelList":[{"messageType":"INFO","messageCode":"ORDER_EXT_API_UPDATE_ORDERSENDER_INFO_101",'
            f'"message":"送付先情報の更新設定が完了しました。","orderNumber":"{NUMBER}"}}]}}'
        ).encode()
    )
    after = tree(shop)
    entry = after.pop("ChangeReasonModelList")[-1]
    before.pop("ChangeReasonModelList")
    assert after == before
    assert [entry[key] for key in ("changeType", "changeTypeDetail", "changeReason")] == [6, 2, 0]


def test_one_towel_less_shrinks_its_coupon_and_waits_in_400(shop: Shop) -> None:
    body = place(shop)
    lines(body)[0]["units"] = 1
    assert change(shop, body) == (400, ["ERROR_009"])
    assert change(shop, body | {"reductionReason": 1}) == (200, ["INFO_101"])
    order = tree(shop)
    # 3980 + 1080 + 150 + 200; + 660; - 250 - 100 - 300 points.
    assert sums(order) == (5410, 660, 6070, 5420, 350, 250)
    # 100 yen over 4990 and 1080: 82 and 18.
    assert tax_rows(order) == [(0.1, 4658, 423, 4990, 332), (0.08, 1062, 78, 1080, 18)]
    assert (order["CouponModelList"][0]["couponUnit"], order["CouponModelList"][0]["couponTotalPrice"]) == (1, 250)
    assert (order["orderProgress"], order["subStatusId"]) == (400, None)
    entry = order["ChangeReasonModelList"][-1]
    assert list(entry.values())[1:5] == [4, 0, 1, 1]
    assert entry["changeCmplDatetime"] is None
    shop.simulator.control("PUT", "/clock", {"advance_seconds": 61})
    settled = tree(shop)
    assert settled["orderProgress"] == 300
    assert settled["ChangeReasonModelList"][-1]["changeType"] == 6
    assert len(settled["ChangeReasonModelList"]) == len(order["ChangeReasonModelList"])


def test_a_deleted_line_takes_its_tax_rate_with_it(shop: Shop) -> None:
    body = place(shop)
    lines(body)[1] |= {"deleteItemFlag": 1, "restoreInventoryFlag": 1}
    assert change(shop, body | {"reductionReason": 8}) == (200, ["INFO_101"])
    order = tree(shop)
    assert sums(order) == (8310, 660, 8970, 8070, 600, 500)
    assert tax_rows(order) == [(0.1, 8370, 760, 8970, 600)]
    deleted = order["PackageModelList"][0]["ItemModelList"][1]
    assert (deleted["deleteItemFlag"], deleted["restoreInventoryFlag"]) == (1, 1)
    assert order["ChangeReasonModelList"][-1]["changeReason"] == 0


def test_a_higher_price_needs_no_reason(shop: Shop) -> None:
    body = place(shop)
    lines(body)[0]["price"] = 4000
    assert change(shop, body) == (200, ["INFO_101"])
    order = tree(shop)
    assert sums(order) == (9430, 660, 10090, 9190, 600, 500)
    assert tax_rows(order) == [(0.1, 8421, 765, 9010, 589), (0.08, 1069, 79, 1080, 11)]
    assert order["ChangeReasonModelList"][-1]["changeTypeDetail"] == 1


def test_undecided_postage_leaves_the_sums_undecided_until_it_is_decided(shop: Shop) -> None:
    body = place(shop, 100)
    body["PackageModelList"][0]["postagePrice"] = UNDECIDED
    assert change(shop, body) == (200, ["INFO_101"])
    order = tree(shop)
    assert sums(order) == (9390, UNDECIDED, UNDECIDED, UNDECIDED, 600, 500)
    assert tax_rows(order) == [
        (0.1, UNDECIDED, UNDECIDED, UNDECIDED, 588),
        (0.08, UNDECIDED, UNDECIDED, UNDECIDED, 12),
    ]
    assert order["orderProgress"] == 100
    confirm = json.dumps({"orderNumberList": [NUMBER]}).encode()
    assert b"CONFIRM_ORDER_ERROR_105" in shop.post("confirmOrder", confirm).body
    body["PackageModelList"][0]["postagePrice"] = 660
    assert change(shop, body) == (200, ["INFO_101"])
    decided = tree(shop)
    assert sums(decided) == (9390, 660, 10050, 9150, 600, 500)
    assert decided["TaxSummaryModelList"] == FULL_ORDER["TaxSummaryModelList"]
    assert b"CONFIRM_ORDER_INFO_101" in shop.post("confirmOrder", confirm).body


def test_the_official_sample_without_tax_in_its_price_adds_up(shop: Shop) -> None:
    wish = {"is_plain": True, "lines": [{"manageNumber": "cup-01", "price": 1400}]}
    number = shop.control("POST", "/orders", wish)["external_id"]
    body = restated(tree(shop, number))
    lines(body)[0] |= {"price": 1500, "includeTaxFlag": 0}
    body["PackageModelList"][0]["postagePrice"] = 500
    assert change(shop, body | {"reductionReason": 10})[0] == 200
    order = tree(shop, number)
    assert sums(order)[:3] == (1500, 500, 2150)
    assert order["PackageModelList"][0]["ItemModelList"][0]["priceTaxIncl"] == 1650
    assert tax_rows(order)[0][:3] == (0.1, 2150, 195)


def test_a_deleted_wrapping_and_a_lower_coupon_are_taken_off(shop: Shop) -> None:
    body = place(shop)
    body["WrappingModel2"]["deleteWrappingFlag"] = 1
    body["CouponModelList"][0] |= {"couponUnit": 1}
    body["CouponModelList"][1] |= {"couponPrice": 50}
    assert change(shop, body) == (200, ["INFO_101"])
    # 9390 - 200; + 660; - 250 - 50 - 300: more to pay than before.
    assert sums(tree(shop)) == (9190, 660, 9850, 9250, 300, 250)


def test_points_are_at_most_what_there_is_to_pay(shop: Shop) -> None:
    body = place(shop)
    for line in lines(body):
        line["price"] = 0
    body["PackageModelList"][0]["postagePrice"] = 0
    for key in ("WrappingModel1", "WrappingModel2"):
        body[key]["price"] = 100
    assert change(shop, body | {"reductionReason": 6}) == (200, ["INFO_101"])
    order = tree(shop)
    # No goods, so no coupon; 200 of wrapping are paid by points.
    assert sums(order) == (200, 0, 200, 0, 0, 0)
    assert order["PointModel"]["usedPoint"] == 200


def test_a_destination_is_changed_and_told_by_the_flags(shop: Shop) -> None:
    body = place(shop)
    orderer = FULL_ORDER["OrdererModel"]
    package = body["PackageModelList"][0]
    package["SenderModel"] = {key: orderer[key] for key in package["SenderModel"]}
    package |= {"dropOffLocation": "玄関前", "noshi": ""}
    assert change(shop, body) == (200, ["INFO_101"])
    order = tree(shop)
    changed = order["PackageModelList"][0]
    assert changed["SenderModel"]["familyName"] == orderer["familyName"]
    assert (order["equalSenderFlag"], order["severalSenderFlag"]) == (1, 0)
    assert (changed["dropOffFlag"], changed["dropOffLocation"], changed["noshi"]) == (1, "玄関前", None)
    assert order["orderProgress"] == 300
    package["dropOffLocation"] = None
    assert change(shop, body) == (200, ["INFO_101"])
    assert tree(shop)["PackageModelList"][0]["dropOffFlag"] == 0


def drop(body: dict[str, Any], pointer: str) -> None:
    *way, last = pointer.split("/")
    holder: Any = body
    for name in way:
        holder = holder[int(name)] if name.isdecimal() else holder[name]
    del holder[int(last) if last.isdecimal() else last]


@pytest.mark.parametrize(
    ("pointer", "code"),
    [
        ("WrappingModel1", "ERROR_009"),
        ("CouponModelList", "ERROR_009"),
        ("PackageModelList/0/basketId", "ERROR_009"),
        ("PackageModelList/0/postageTaxRate", "ERROR_009"),
        ("PackageModelList/0/SenderModel/city", "ERROR_009"),
        ("PackageModelList/0/SenderModel/phoneNumber3", "ERROR_009"),
        ("PackageModelList/0/ItemModelList/0/itemDetailId", "ERROR_009"),
        ("PackageModelList/0/ItemModelList/1", "ERROR_999"),
        ("CouponModelList/1", "ERROR_999"),
        ("PackageModelList/0/ItemModelList/0/SkuModelList/0/skuInfo", "ERROR_139"),
    ],
)
def test_what_is_left_out_is_refused_and_nothing_changes(shop: Shop, pointer: str, code: str) -> None:
    body = place(shop)
    before = tree(shop)
    drop(body, pointer)
    status, codes = change(shop, body)
    assert (status, code in codes) == (400, True)
    assert tree(shop) == before


@pytest.mark.parametrize(
    ("target", "values", "code"),
    [
        ("item", {"taxRate": 0.05}, "ERROR_011"),
        ("item", {"units": -1}, "ERROR_011"),
        ("item", {"price": 10**9}, "ERROR_011"),
        ("item", {"itemName": "x" * 1001}, "ERROR_999"),
        ("item", {"SkuModelList": [{"variantId": "other", "skuInfo": "x"}]}, "ERROR_999"),
        ("package", {"basketId": 5}, "ERROR_999"),
        ("package", {"dropOffLocation": "屋根"}, "ERROR_011"),
        ("package", {"packageDeleteFlag": 1}, "ERROR_999"),
        ("sender", {"prefecture": "架空県"}, "ERROR_011"),
        ("sender", {"familyName": "x" * 128}, "ERROR_999"),
        ("coupon", {"couponUnit": 3}, "ERROR_999"),
        ("base", {"reductionReason": 7}, "ERROR_011"),
        ("base", {"afterSettlementMethodCode": 16}, "ERROR_011"),
        ("base", {"afterSettlementMethodCode": 9}, "ERROR_999"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    shop: Shop, target: str, values: dict[str, object], code: str
) -> None:
    body = place(shop)
    before = tree(shop)
    package = body["PackageModelList"][0]
    targets = {
        "item": package["ItemModelList"][0],
        "package": package,
        "sender": package["SenderModel"],
        "coupon": body["CouponModelList"][0],
        "base": body,
    }
    targets[target].update(values)
    status, codes = change(shop, body)
    assert (status, code in codes) == (400, True)
    assert tree(shop) == before


def test_another_settlement_is_taken_while_new_or_failed_and_cash_on_delivery_needs_its_fee(shop: Shop) -> None:
    body = place(shop)
    body["afterSettlementMethodCode"] = 2
    shop.control("POST", f"/orders/{NUMBER}/set", {"payment_status": 30400})
    fee = body["PackageModelList"][0].pop("deliveryPrice")
    assert change(shop, body) == (400, ["ERROR_136"])
    body["PackageModelList"][0]["deliveryPrice"] = fee + 330
    assert change(shop, body) == (200, ["INFO_101"])
    order = tree(shop)
    assert list(order["SettlementModel"].values()) == [2, "代金引換", 0, *[None] * 6]
    assert (order["deliveryPrice"], order["requestPrice"]) == (330, 9480)
    assert order["ChangeReasonModelList"][-1]["changeTypeDetail"] == 12
    # The fee stands in its rate's row beside the total: 8381 + 330.
    assert tax_rows(order)[0][:4] == (0.1, 8711, 791, 8970)


def test_after_shipping_a_change_waits_in_400_and_pay_later_always_says_why(shop: Shop) -> None:
    body = place(shop, 500)
    lines(body)[0]["units"] = 1
    assert change(shop, body) == (200, ["ERROR_999"])
    assert change(shop, body | {"reductionReason": 2}, after=True) == (200, ["INFO_101"])
    assert tree(shop)["orderProgress"] == 400
    shop.simulator.control("PUT", "/clock", {"advance_seconds": 61})
    assert tree(shop)["orderProgress"] == 500
    shop.control("POST", f"/orders/{NUMBER}/set", {"raw": {"/SettlementModel/settlementMethodCode": 21}})
    assert change(shop, restated(tree(shop)), after=True) == (400, ["ERROR_009"])


def test_the_sums_of_every_invented_order_stay_as_they_are(shop: Shop) -> None:
    numbers = shop.control("POST", "/orders", {"count": 60, "progress": 300})["external_ids"]
    for number in numbers:
        before = tree(shop, number)
        body = restated(before)
        for package, known in zip(body["PackageModelList"], before["PackageModelList"], strict=True):
            # Buyers write longer streets than a shop may.
            known["SenderModel"]["subAddress"] = package["SenderModel"]["subAddress"] = "見本町1-2-3"
        answer = shop.post("updateOrderSender", json.dumps(body).encode())
        assert answer.status == 200, answer.body.decode()
        after = tree(shop, number)
        told = {key: after[key] for key in ("ChangeReasonModelList", "equalSenderFlag")}
        assert before | told == after
