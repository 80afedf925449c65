"""Orders that are not plain: undecided, awaited, taken out, cancelled, picked up, adding up wrongly."""

import json
from datetime import date, time
from decimal import Decimal

import pytest
from ichiba_mapped import full_tree, seen
from ichiba_samples import BANK_TRANSFER, DELIVERY_STORE, DUE_DATES, SOCIAL_GIFT

from hanro.marketplace import status_of
from hanro.marketplace.types import AddressKind, Amount, ClaimKind, ClaimStage, Hold, OrderStatus, Party
from hanro.money import Money


def test_undecided_postage_is_no_money_and_holds_the_order() -> None:
    tree = full_tree() | {"postagePrice": -9999, "totalPrice": -9999, "requestPrice": -9999, "orderProgress": 100}
    tree["PackageModelList"][0]["postagePrice"] = -9999
    for row in tree["TaxSummaryModelList"]:
        row |= {"reqPrice": -9999, "reqPriceTax": -9999}
    order = seen(tree)
    assert order.totals.postage == Amount(text="-9999", money=None)
    assert order.packages[0].postage == Amount(text="-9999", money=None)
    assert order.holds == {Hold.AMOUNT}
    assert order.differences == ()


def test_a_decided_zero_is_money() -> None:
    assert seen(full_tree()).totals.cash_on_delivery_fee == Amount(text="0", money=Money(Decimal(0), "JPY"))


def test_null_lists_and_empty_lists_are_alike() -> None:
    lists = ("CouponModelList", "ChangeReasonModelList", "TaxSummaryModelList", "DueDateModelList")
    with_null, with_empty = full_tree(), full_tree()
    for key in lists:
        with_null[key], with_empty[key] = None, []
    with_null["PackageModelList"][0]["ShippingModelList"] = None
    with_empty["PackageModelList"][0]["ShippingModelList"] = []
    without = {key: value for key, value in with_null.items() if key not in lists}
    shown = [
        (order.discounts, order.claims, order.taxes, order.payments, order.packages[0].parcels)
        for order in map(seen, (with_null, with_empty, without))
    ]
    assert shown[0] == shown[1] == shown[2]


def test_a_gift_whose_receiver_has_not_answered_is_never_to_be_shipped() -> None:
    tree = full_tree() | {"socialGiftFlag": 1, "giftCheckFlag": 0}
    package = tree["PackageModelList"][0]
    package["SocialGiftModel"] = json.loads(SOCIAL_GIFT)
    order = seen(tree)
    assert order.packages[0].address is not None
    assert order.packages[0].address.kind is AddressKind.AWAITED
    assert order.holds == {Hold.ADDRESS}
    assert order.gift is not None
    assert order.gift.management_id == "999001-20260511-000000001-sg"
    assert order.gift.address_due_on == date(2026, 5, 21)


def test_the_awaited_text_alone_marks_an_address() -> None:
    tree = full_tree()
    tree["PackageModelList"][0]["SenderModel"] |= {"city": "入力待ち", "zipCode1": "999", "zipCode2": "9999"}
    assert seen(tree).holds == {Hold.ADDRESS}


def test_a_line_that_was_taken_out_is_cancelled_and_the_rest_goes_on() -> None:
    tree = full_tree() | {"orderProgress": 300}
    tree["PackageModelList"][0]["ItemModelList"][1]["deleteItemFlag"] = 1
    order = seen(tree)
    first, second = order.lines
    assert (second.status, second.status_text, second.quantity) == (OrderStatus.CANCELLED, "deleteItemFlag 1", 0)
    assert second.details["units"] == "1"
    assert first.status is OrderStatus.READY
    assert status_of(order.lines) is OrderStatus.READY


def test_a_destination_that_was_taken_out_takes_its_lines_along() -> None:
    tree = full_tree()
    tree["PackageModelList"][0]["packageDeleteFlag"] = 1
    assert {(line.status, line.quantity) for line in seen(tree).lines} == {(OrderStatus.CANCELLED, 0)}


def test_what_it_cost_to_send_there_is_in_no_sum_any_more() -> None:
    tree = full_tree()
    gone = tree["PackageModelList"][0] | {"basketId": 90010009, "postagePrice": 660, "packageDeleteFlag": 1}
    gone["ItemModelList"] = [item | {"itemDetailId": item["itemDetailId"] + 90} for item in gone["ItemModelList"]]
    tree["PackageModelList"].append(gone)
    assert [difference.rule for difference in seen(tree).differences] == []
    gone["packageDeleteFlag"] = 0
    assert "postagePrice" in [difference.rule for difference in seen(tree).differences]


def change(change_id: int, change_type: int, completed: str | None = None) -> dict[str, object]:
    return {
        "changeId": change_id,
        "changeType": change_type,
        "changeTypeDetail": None,
        "changeReason": 1,
        "changeReasonDetail": 1,
        "changeApplyDatetime": "2026-05-11T12:00:00+0900",
        "changeFixDatetime": None,
        "changeCmplDatetime": completed,
    }


def test_an_application_to_cancel_is_a_claim_of_the_buyer() -> None:
    (claim,) = seen(full_tree() | {"orderProgress": 800, "ChangeReasonModelList": [change(1, 0)]}).claims
    assert (claim.kind, claim.stage, claim.by, claim.line_id) == (
        ClaimKind.CANCEL,
        ClaimStage.REQUESTED,
        Party.BUYER,
        None,
    )
    assert claim.reason == "キャンセル"
    assert claim.requested is not None
    assert claim.completed is None


@pytest.mark.parametrize(
    ("progress", "types", "stages"),
    [
        (900, [2], [ClaimStage.DONE]),
        (900, [0], [ClaimStage.DONE]),
        (900, [0, 1, 2], [ClaimStage.DONE, ClaimStage.DONE, ClaimStage.DONE]),
        (300, [0, 3], [ClaimStage.WITHDRAWN, ClaimStage.WITHDRAWN]),
        (800, [0, 1], [ClaimStage.RUNNING, ClaimStage.RUNNING]),
        (300, [8, 9, 4], []),
    ],
)
def test_an_application_that_was_settled_is_no_longer_open(
    progress: int, types: list[int], stages: list[ClaimStage]
) -> None:
    reasons = [change(place, change_type) for place, change_type in enumerate(types)]
    order = seen(full_tree() | {"orderProgress": progress, "ChangeReasonModelList": reasons})
    assert [claim.stage for claim in order.claims] == stages


def test_a_cancelled_order_keeps_the_units_they_show() -> None:
    order = seen(full_tree() | {"orderProgress": 900})
    assert [(line.status, line.quantity) for line in order.lines] == [
        (OrderStatus.CANCELLED, 2),
        (OrderStatus.CANCELLED, 1),
    ]


def test_checks_and_pre_orders_are_held() -> None:
    assert seen(full_tree() | {"rakutenConfirmFlag": 1, "orderType": 6}).holds == {Hold.CHECK, Hold.PREORDER}


def test_a_pick_up_names_network_and_shop() -> None:
    tree = full_tree()
    tree["PackageModelList"][0]["DeliveryCvsModel"] = json.loads(DELIVERY_STORE)
    address = seen(tree).packages[0].address
    assert address is not None
    assert address.pickup is not None
    assert (address.pickup["network"], address.pickup["external_id"], address.pickup["name"]) == (
        "50",
        "00001",
        "見本店",
    )


def test_a_bank_transfer_is_due_on_the_last_day_that_was_set() -> None:
    due = [
        {"dueDateType": 0, "dueDate": "2026-05-18"},
        *json.loads(DUE_DATES),
        {"dueDateType": 2, "dueDate": "2026-06-01"},
    ]
    tree = full_tree() | {"SettlementModel": json.loads(BANK_TRANSFER), "DueDateModelList": due}
    (payment,) = seen(tree).payments
    assert (payment.code, payment.method, payment.due_on) == ("9", "銀行振込", date(2026, 5, 21))
    assert payment.is_run_by_marketplace


@pytest.mark.parametrize(
    ("key", "stated", "computed"),
    [
        ("requestPrice", 9151, 9150),
        ("totalPrice", 10049, 10050),
        ("goodsPrice", 9000, 9390),
        ("couponShopPrice", 1, 500),
    ],
)
def test_a_sum_that_does_not_add_up_is_reported_and_kept(key: str, stated: int, computed: int) -> None:
    order = seen(full_tree() | {key: stated})
    found = {one.rule: (one.stated, one.computed) for one in order.differences}
    assert found[key] == (Money(Decimal(stated), "JPY"), Money(Decimal(computed), "JPY"))


def test_tax_rounded_either_way_is_no_difference_but_a_whole_yen_is() -> None:
    tree = full_tree()
    tree["TaxSummaryModelList"][0]["reqPriceTax"] = 762
    assert seen(tree).differences == ()
    tree["TaxSummaryModelList"][0]["reqPriceTax"] = 763
    assert [one.rule for one in seen(tree).differences] == ["TaxSummaryModelList.reqPriceTax 0.1"]


def test_tax_exclusive_goods_add_up_with_their_tax() -> None:
    # The official sample: 1500 without tax, 10 %, postage 500 (rakuten-ichiba-orders 8.4).
    tree = full_tree() | {
        "goodsPrice": 1500, "postagePrice": 500, "totalPrice": 2150, "requestPrice": 2150, "couponAllTotalPrice": 0,
        "couponShopPrice": 0, "couponOtherPrice": 0, "CouponModelList": None, "WrappingModel1": None,
        "WrappingModel2": None, "PointModel": {"usedPoint": 0},
        "TaxSummaryModelList": [{"taxRate": 0.1, "reqPrice": 2150, "reqPriceTax": 195, "totalPrice": 2150}],
    }  # fmt: skip
    package = tree["PackageModelList"][0]
    package["postagePrice"] = 500
    package["ItemModelList"] = package["ItemModelList"][:1]
    package["ItemModelList"][0] |= {"price": 1500, "priceTaxIncl": 1650, "units": 1, "includeTaxFlag": 0}
    order = seen(tree)
    assert order.differences == ()
    assert order.totals.is_goods_tax_included is False
    assert order.discounts == ()


@pytest.mark.parametrize(
    ("term", "earliest", "latest"),
    [
        (None, None, None),
        (0, None, None),
        (1, None, time(12)),
        (2, time(12), None),
        (9, None, None),
        (708, time(7), time(8)),
        (2324, time(23), time.max),
        (9999, None, None),
    ],
)
def test_a_time_band_is_read_or_left_as_it_is(term: int | None, earliest: time | None, latest: time | None) -> None:
    wish = seen(full_tree() | {"shippingTerm": term}).wish
    assert wish is not None
    assert (wish.earliest, wish.latest) == (earliest, latest)
    assert wish.band_text == (str(term) if term else None)


def test_an_order_from_before_skus_has_the_keys_it_has() -> None:
    tree = full_tree()
    item = tree["PackageModelList"][0]["ItemModelList"][0]
    item["SkuModelList"], item["itemNumber"] = [], None
    assert seen(tree).lines[0].keys == {"manage_number": "towel-01"}


def test_an_address_abroad_claims_no_country() -> None:
    tree = full_tree()
    tree["PackageModelList"][0]["SenderModel"]["prefecture"] = "国外"
    address = seen(tree).packages[0].address
    assert address is not None
    assert address.country == "ZZ"
