"""A plan names the requests that a write then sends, and what would be refused, without any I/O."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from ichiba_session import SocketHttp, open_shop_session
from ichiba_wire import Shop, open_shop, running_simulator

from hanro.marketplace.types import (
    Answer,
    Asked,
    Decision,
    ImageFile,
    ListingRef,
    MessageRequest,
    Money,
    OfferRef,
    OfferTerms,
    OrderRef,
    SeenOrder,
    StockTarget,
    Trigger,
)
from hanro_rakuten_ichiba.plugin import plugin


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield open_shop(running, "999001")


def decision(number: str, *line_ids: str, answer: Answer = Answer.ACCEPT, ships_on: date | None = None) -> Decision:
    return Decision(
        id=f"op_{number}",
        order=OrderRef(external_id=number),
        answer=answer,
        line_ids=line_ids,
        claim_id=None,
        ships_on=ships_on,
        delay=None,
        note="canary" if ships_on else None,
        ships_from=None,
        return_to=None,
    )


async def test_the_plan_equals_what_the_write_then_sends(shop: Shop) -> None:
    numbers = shop.control("POST", "/orders", {"count": 3, "is_plain": True})["external_ids"]
    opened = open_shop_session(shop)
    orders = plugin.orders(opened.session)
    seen = (await orders.fetch([OrderRef(external_id=n) for n in numbers])).sightings
    decisions = [
        decision(one.external_id, *(line.external_id for line in one.lines))
        for one in seen
        if isinstance(one, SeenOrder)
    ]
    plan = plugin.plan(decisions)
    assert isinstance(opened.http, SocketHttp)
    opened.http.sent.clear()
    opened.pacer.groups.clear()
    await orders.decide(decisions)
    assert [(call.method, urlsplit(call.url).path, call.body.encode()) for call in plan.calls] == [
        (request.method, request.path, request.body) for request in opened.http.sent
    ]
    assert [call.groups for call in plan.calls] == opened.pacer.groups
    assert plan.problems == ()


def test_more_than_a_hundred_orders_are_planned_in_hundreds() -> None:
    calls = plugin.plan([decision(str(number), "1") for number in range(250)]).calls
    sizes = [len(json.loads(call.body)["orderNumberList"]) for call in calls if "confirmOrder" in call.url]
    assert sizes == [100, 100, 50]


def test_a_field_without_a_place_is_told_and_does_not_block() -> None:
    plan = plugin.plan([decision("1", "2", ships_on=date(2026, 6, 1))])
    assert [(one.key, one.pointer, one.code, one.is_blocking) for one in plan.problems] == [
        ("op_1", "/ships_on", "left-out", False),
        ("op_1", "/note", "left-out", False),
    ]
    assert len(plan.calls) == 2
    assert "canary" not in repr(plan) + "".join(call.body for call in plan.calls)


MONEY = Money(Decimal(1), "JPY")
OFFER = OfferRef(listing=ListingRef(seller_key="towel-01"))


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (decision("1", "2", answer=Answer.REFUSE), "op_1"),
        (ImageFile(sha256="ab", media_type="image/png", content=b"", name="a.png"), "ab"),
        (
            StockTarget(
                offer=OFFER,
                quantity=1,
                version=1,
                terms=OfferTerms(price=MONEY, listing_price=MONEY, sale_ends_on=None, tax_rate=None),
            ),
            "towel-01",
        ),
        (
            MessageRequest(
                id="msg_1", order=None, line_id=None, trigger=Trigger.MANUAL, subject=None, body="", reply_to=None
            ),
            "msg_1",
        ),
    ],
)
def test_what_is_absent_blocks_with_its_reason_and_plans_nothing(asked: Asked, key: str) -> None:
    plan = plugin.plan([asked])
    assert plan.calls == ()
    (problem,) = plan.problems
    assert (problem.key, problem.code, problem.is_blocking) == (key, "absent", True)
    assert problem.message.ja


def test_an_empty_plan_is_empty() -> None:
    assert plugin.plan([]).calls == ()
