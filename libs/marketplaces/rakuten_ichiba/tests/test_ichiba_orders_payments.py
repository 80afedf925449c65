"""Payment records are read where they are asked for, and leave what an order lacks."""

import json
from typing import Any

import pytest
from ichiba_mapped import full_tree
from ichiba_session import CannedHttp, answered, open_session

from hanro.marketplace.types import (
    Detail,
    HttpAnswer,
    HttpRequest,
    OrderRef,
    PaymentStatus,
    RefundStatus,
    SeenOrder,
    UnreadableOrder,
)
from hanro_rakuten_ichiba.mapping.payments import REFUND_STATUSES, STATUSES
from hanro_rakuten_ichiba.orders import IchibaOrders

NUMBER = "999001-20260511-0123456789"


async def fetch(*records: dict[str, Any], details: frozenset[Detail] = frozenset({Detail.PAYMENT})) -> Any:
    def answer(request: HttpRequest) -> HttpAnswer:
        told: dict[str, Any] = {"MessageModelList": [], "OrderModelList": [full_tree()]}
        if "getPayment" in request.path:
            assert json.loads(request.body) == {"orderNumber": NUMBER, "version": 4}
            told = {"MessageModelList": [], "OrderModel": {"orderNumber": NUMBER, "PaymentModelList": list(records)}}
        return answered(json.dumps(told, ensure_ascii=False).encode())

    orders = IchibaOrders(open_session(CannedHttp(answer)).session)
    (sighting,) = (await orders.fetch([OrderRef(external_id=NUMBER)], details)).sightings
    return sighting


def record(**members: Any) -> dict[str, Any]:
    return {
        "orderPaymentNumber": f"{NUMBER}-1",
        "paymentMethod": 1,
        "paymentAmount": 9150,
        "paymentStatus": 30600,
        "paymentFixDatetime": "2026-05-13T03:00:00+0900",
        "PaymentCardModel": {"cardNumber": "XXXX-XXXX-XXXX-0000", "cardOwner": "HANAKO MIHON"},
        **members,
    }


async def test_a_record_tells_amount_and_status_and_keeps_what_the_order_said() -> None:
    order = await fetch(record())
    assert isinstance(order, SeenOrder)
    (payment,) = order.payments
    assert (payment.method, payment.status) == ("クレジットカード", PaymentStatus.PAID)
    assert payment.amount is not None
    assert payment.amount.text == "9150"
    assert payment.details["cardPayType"] == "2"
    assert Detail.PAYMENT not in order.lacks
    assert "HANAKO" not in "".join(payment.details.values())


def refund(**members: Any) -> dict[str, Any]:
    return {
        "paymentAmount": 1200,
        "paymentStatus": 30600,
        "paymentProcCmplDatetime": "2026-05-20T10:00:01+0900",
        "paymentReqDatetime": "2026-05-20T10:00:02+0900",
        "paymentFixDatetime": "2026-05-20T10:00:03+0900",
        "payExpectDate": "2026-05-31",
        **members,
    }


@pytest.mark.row("O22", kind="walks")
async def test_every_member_of_a_refund_is_told_with_its_payment() -> None:
    second = refund(paymentAmount="-9999", paymentStatus=30500, paymentFixDatetime=None, payExpectDate=None)
    order = await fetch(record(RefundModelList=[refund(), second]))
    (payment,) = order.payments
    assert payment.external_id == f"{NUMBER}-1"
    first, other = payment.refunds
    assert first.amount.text == "1200"
    assert (str(first.amount.money.amount), first.amount.money.currency) == ("1200", "JPY")
    assert (first.status, first.status_text) == (RefundStatus.DONE, "30600")
    assert first.requested.local == "2026-05-20T10:00:02+0900"
    assert (first.completed.at.isoformat(), first.completed.local) == (
        "2026-05-20T01:00:03+00:00",
        "2026-05-20T10:00:03+0900",
    )
    assert first.details == {"paymentProcCmplDatetime": "2026-05-20T10:00:01+0900", "payExpectDate": "2026-05-31"}
    assert (other.amount.text, other.amount.money, other.status, other.completed) == (
        "-9999",
        None,
        RefundStatus.OPEN,
        None,
    )
    assert "payExpectDate" not in other.details


@pytest.mark.parametrize("empty", [[], None])
async def test_a_record_without_refunds_has_none(empty: Any) -> None:
    assert (await fetch(record(RefundModelList=empty))).payments[0].refunds == ()


@pytest.mark.parametrize(
    "members", [{"paymentStatus": 39999}, {"paymentAmount": "much"}, {"paymentFixDatetime": "soon"}]
)
async def test_a_refund_that_is_not_as_documented_makes_the_order_unreadable(members: dict[str, Any]) -> None:
    sighting = await fetch(record(RefundModelList=[refund(), refund(**members)]))
    assert isinstance(sighting, UnreadableOrder)
    (name,) = members
    assert sighting.failure.field == f"/PaymentModelList/0/RefundModelList/1/{name}"


async def test_without_the_detail_nothing_is_asked_and_it_stays_lacking() -> None:
    order = await fetch(details=frozenset())
    assert Detail.PAYMENT in order.lacks
    assert order.payments[0].amount is None


async def test_without_records_the_order_keeps_its_own_word() -> None:
    order = await fetch()
    assert [payment.method for payment in order.payments] == ["クレジットカード"]
    assert Detail.PAYMENT not in order.lacks


@pytest.mark.parametrize("members", [{"paymentStatus": 39999}, {"paymentMethod": None}, {"paymentAmount": "much"}])
async def test_a_record_that_is_not_as_documented_makes_the_order_unreadable(members: dict[str, Any]) -> None:
    sighting = await fetch(record(**members))
    assert isinstance(sighting, UnreadableOrder)
    assert (sighting.failure.code, sighting.external_id) == ("unreadable", NUMBER)


def test_every_documented_status_is_known() -> None:
    assert len(STATUSES) == 21
    assert set(STATUSES.values()) == set(PaymentStatus)


def test_a_refund_is_done_or_failed_by_its_own_codes_alone_and_the_rest_is_not_guessed() -> None:
    assert REFUND_STATUSES.keys() == STATUSES.keys()
    assert {code for code, status in REFUND_STATUSES.items() if status is RefundStatus.DONE} == {"30600", "30610"}
    guessed = {code for code, status in REFUND_STATUSES.items() if status is RefundStatus.UNKNOWN}
    assert guessed == {"30000", *(code for code in STATUSES if code.startswith("31"))}
