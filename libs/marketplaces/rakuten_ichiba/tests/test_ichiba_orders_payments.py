"""Payment records are read where they are asked for, and leave what an order lacks."""

import json
from typing import Any

import pytest
from ichiba_mapped import full_tree
from ichiba_session import CannedHttp, answered, open_session

from hanro.marketplace.types import Detail, HttpAnswer, HttpRequest, OrderRef, PaymentStatus, SeenOrder, UnreadableOrder
from hanro_rakuten_ichiba.mapping.payments import STATUSES
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
