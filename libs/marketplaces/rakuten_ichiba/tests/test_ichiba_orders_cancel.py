"""Orders, lines, units and prices are cancelled as the order then stands, and read back."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from ichiba_decided import failure_code, statuses
from ichiba_mapped import full_tree, seen
from ichiba_session import open_shop_session
from ichiba_shipped import parcel, read_order
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

from hanro.errors import Retryable
from hanro.marketplace.types import (
    Cancellation,
    CancelReason,
    LinePart,
    OrderRef,
    OrderStatus,
    OutcomeStatus,
    Party,
    SeenOrder,
)
from hanro.money import Money
from hanro_rakuten_ichiba.cancelling.restating import reason_of, restate
from hanro_rakuten_ichiba.orders import IchibaOrders

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
APPLIED, REJECTED, NOT_SENT = OutcomeStatus.APPLIED, OutcomeStatus.REJECTED, OutcomeStatus.NOT_SENT
LINES = [
    {"units": 3, "price": 1000, "manageNumber": "item-1"},
    {"units": 1, "price": 500, "manageNumber": "item-2"},
]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        set_clock(running, NOW.isoformat())
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Iterator[Shop]:
    simulator.control("POST", "/reset")
    yield open_shop(simulator, "999001")
    simulator.control("DELETE", "/faults")


def orders_of(shop: Shop) -> IchibaOrders:
    return IchibaOrders(open_shop_session(shop, now=NOW).session)


async def place(shop: Shop, progress: int = 300, **wish: Any) -> SeenOrder:
    made = shop.control("POST", "/orders", {"progress": progress, "is_plain": True, "lines": LINES, **wish})
    return await read_order(orders_of(shop), str(made["external_ids"][0]))


def cancelling(
    order: SeenOrder,
    *parts: LinePart,
    is_shipped: bool = False,
    reason: CancelReason = CancelReason.OUT_OF_STOCK,
    by: Party = Party.SELLER,
) -> Cancellation:
    whole = tuple(LinePart(line_id=line.external_id, quantity=line.quantity) for line in order.lines)
    return Cancellation(
        id=f"can_{order.external_id}_{len(parts)}",
        order=OrderRef(external_id=order.external_id),
        lines=parts or whole,
        is_whole=not parts,
        is_shipped=is_shipped,
        reason=reason,
        by=by,
        comment=None,
        is_restocked=None,
    )


def part(
    order: SeenOrder, line: int, quantity: int, *, refund: int | None = None, left_price: int | None = None
) -> LinePart:
    known = order.lines[line]
    return LinePart(
        line_id=known.external_id,
        quantity=quantity,
        refund=None if refund is None else Money(Decimal(refund), "JPY"),
        left=known.quantity - quantity,
        left_price=None if left_price is None else Money(Decimal(left_price), "JPY"),
    )


def sent(shop: Shop, function: str) -> int:
    entries = shop.simulator.control("GET", "/journal?after=0")["entries"]
    return sum(1 for entry in entries if entry.get("function") == function)


def fault(shop: Shop, kind: str, function: str, **fields: object) -> None:
    shop.simulator.control("POST", "/faults", {"kind": kind, "match": {"path": function}, "count": 1, **fields})


@pytest.mark.parametrize(
    ("progress", "is_shipped", "function"),
    [
        (100, False, "cancelOrder"),
        (300, False, "cancelOrder"),
        (500, True, "cancelOrderAfterShipping"),
        (700, True, "cancelOrderAfterShipping"),
    ],
)
async def test_a_whole_order_is_cancelled_and_twice_is_a_repeat(
    shop: Shop, progress: int, *, is_shipped: bool, function: str
) -> None:
    order = await place(shop, progress)
    asked = cancelling(order, is_shipped=is_shipped)
    first = await orders_of(shop).cancel([asked])
    assert set(statuses(first)) == {APPLIED}
    assert len(first.outcomes) == 2
    assert set(statuses(await orders_of(shop).verify([asked]))) == {APPLIED}
    again = await orders_of(shop).cancel([asked])
    assert all(outcome.is_repeat for outcome in again.outcomes)
    assert sent(shop, function) == 1


async def test_units_are_taken_off_and_sums_follow(shop: Shop) -> None:
    order = await place(shop)
    asked = cancelling(order, part(order, 0, 2))
    assert set(statuses(await orders_of(shop).verify([asked]))) == {NOT_SENT}
    receipt = await orders_of(shop).cancel([asked])
    assert set(statuses(receipt)) == {APPLIED}
    again = await read_order(orders_of(shop), order.external_id)
    assert [line.quantity for line in again.lines] == [1, 1]
    assert again.differences == ()
    assert again.totals.goods is not None
    assert again.totals.goods.text == "1500"
    assert set(statuses(await orders_of(shop).verify([asked]))) == {APPLIED}
    untold = replace(asked, lines=(LinePart(line_id=asked.lines[0].line_id, quantity=2),))
    assert set(statuses(await orders_of(shop).verify([untold]))) == {OutcomeStatus.IN_DOUBT}


async def test_a_line_is_taken_out_and_the_other_stays(shop: Shop) -> None:
    order = await place(shop)
    asked = cancelling(order, part(order, 1, 1))
    assert set(statuses(await orders_of(shop).cancel([asked]))) == {APPLIED}
    again = await read_order(orders_of(shop), order.external_id)
    assert [line.status is OrderStatus.CANCELLED for line in again.lines] == [False, True]
    assert set(statuses(await orders_of(shop).verify([asked]))) == {APPLIED}
    twice = await orders_of(shop).cancel([asked])
    assert {failure_code(outcome) for outcome in twice.outcomes} == {"order-cancelled"}


async def test_a_price_is_cut_by_whole_yen_a_unit(shop: Shop) -> None:
    order = await place(shop, 500)
    asked = cancelling(order, part(order, 0, 0, refund=300, left_price=900), is_shipped=True)
    assert set(statuses(await orders_of(shop).cancel([asked]))) == {APPLIED}
    again = await read_order(orders_of(shop), order.external_id)
    assert (again.lines[0].unit_price.text, again.lines[0].quantity) == ("900", 3)
    assert sent(shop, "updateOrderSenderAfterShipping") == 1
    assert set(statuses(await orders_of(shop).verify([asked]))) == {APPLIED}


@pytest.mark.parametrize("refund", [100, 3001, 0])
async def test_a_price_that_cannot_be_cut_so_is_refused_before_a_write(shop: Shop, refund: int) -> None:
    order = await place(shop)
    receipt = await orders_of(shop).cancel([cancelling(order, part(order, 0, 0, refund=refund))])
    assert {failure_code(outcome) for outcome in receipt.outcomes} == {"refused"}
    assert sent(shop, "updateOrderSender") == 0


async def test_all_that_is_left_is_cancelled_whole(shop: Shop) -> None:
    order = await place(shop)
    receipt = await orders_of(shop).cancel([cancelling(order, part(order, 0, 3), part(order, 1, 1))])
    assert set(statuses(receipt)) == {APPLIED}
    assert (sent(shop, "cancelOrder"), sent(shop, "updateOrderSender")) == (1, 0)


async def test_a_dated_parcel_must_lose_its_day_first(shop: Shop) -> None:
    order = await place(shop)
    await orders_of(shop).ship([parcel(order)])
    refused = await orders_of(shop).cancel([cancelling(order)])
    assert {failure_code(outcome) for outcome in refused.outcomes} == {"parcel-dated"}
    assert refused.outcomes[0].failure is not None
    assert refused.outcomes[0].failure.remedy is not None
    assert sent(shop, "cancelOrder") == 0
    (known,) = (await read_order(orders_of(shop), order.external_id)).packages[0].parcels
    await orders_of(shop).ship([parcel(order, replaces=known.external_id, is_last=False, shipped_on=None)])
    assert set(statuses(await orders_of(shop).cancel([cancelling(order)]))) == {APPLIED}


async def test_a_refusal_keeps_their_words(shop: Shop) -> None:
    order = await place(shop, 400)
    receipt = await orders_of(shop).cancel([cancelling(order)])
    assert {failure_code(outcome) for outcome in receipt.outcomes} == {"refused"}
    failure = receipt.outcomes[0].failure
    assert failure is not None
    assert failure.refusal is not None
    assert failure.refusal.code.startswith("ORDER_EXT_API_CANCEL_ORDER_ERROR")


async def test_what_the_order_does_not_have_is_refused_before_a_write(shop: Shop) -> None:
    order = await place(shop)
    for wrong, code in (
        (LinePart(line_id="1", quantity=1), "not-found"),
        (part(order, 0, 4), "refused"),
    ):
        receipt = await orders_of(shop).cancel([cancelling(order, wrong)])
        assert {failure_code(outcome) for outcome in receipt.outcomes} == {code}
    unknown = replace(cancelling(order), order=OrderRef(external_id="999001-20260101-0000000001"))
    assert {failure_code(one) for one in (await orders_of(shop).cancel([unknown])).outcomes} == {"not-found"}
    assert (sent(shop, "updateOrderSender"), sent(shop, "cancelOrder")) == (0, 0)
    other = replace(unknown, id="can_2", order=OrderRef(external_id="2"))
    with pytest.raises(ValueError, match="at most 1"):
        await orders_of(shop).cancel([cancelling(order), other])


@pytest.mark.parametrize(
    ("kind", "fields", "stands"),
    [("reset-after", {}, True), ("html", {"applied": True}, True), ("reset-before", {}, False)],
)
async def test_a_lost_answer_is_in_doubt_and_verifying_tells(
    shop: Shop, kind: str, fields: dict[str, object], *, stands: bool
) -> None:
    order = await place(shop)
    for asked, function in (
        (cancelling(order, part(order, 0, 1)), "updateOrderSender"),
        (cancelling(order), "cancelOrder"),
    ):
        # A changed amount waits in 400 until it is settled again.
        shop.simulator.control("PUT", "/clock", {"advance_seconds": 120})
        fault(shop, kind, function, **fields)
        receipt = await orders_of(shop).cancel([asked])
        assert set(statuses(receipt)) == {OutcomeStatus.IN_DOUBT}
        assert set(statuses(await orders_of(shop).verify([asked]))) == {APPLIED if stands else NOT_SENT}
        assert sent(shop, function) == 1


async def test_a_refusal_for_rate_raises_and_nothing_is_cancelled(shop: Shop) -> None:
    order = await place(shop)
    fault(shop, "throttle", "cancelOrder")
    with pytest.raises(Retryable):
        await orders_of(shop).cancel([cancelling(order)])
    assert set(statuses(await orders_of(shop).verify([cancelling(order)]))) == {NOT_SENT}


def test_a_restatement_holds_all_that_the_order_has() -> None:
    order = seen(full_tree())
    body: Any = restate(cancelling(order, part(order, 0, 1)), order)
    assert (body["orderNumber"], body["reductionReason"]) == (order.external_id, 8)
    assert [body[key]["name"] for key in ("WrappingModel1", "WrappingModel2")] == ["花柄包装紙", "赤いリボン"]
    (package,) = body["PackageModelList"]
    assert [(item["itemDetailId"], item["units"]) for item in package["ItemModelList"]] == [
        (90010001, 1),
        (90010002, 1),
    ]
    assert package["SenderModel"]["phoneNumber3"] == "0002"
    assert [(one["couponCode"][-1], one["couponUnit"]) for one in body["CouponModelList"]] == [("1", 1), ("2", 1)]
    assert json.dumps(package["postageTaxRate"]) == "0.1"
    gone: Any = restate(cancelling(order, part(order, 1, 1)), order)
    assert [item["deleteItemFlag"] for item in gone["PackageModelList"][0]["ItemModelList"]] == [0, 1]


@pytest.mark.parametrize(
    ("reason", "by", "code"),
    [
        (CancelReason.OUT_OF_STOCK, Party.SELLER, 8),
        (CancelReason.BUYER_WISH, Party.BUYER, 1),
        (CancelReason.AREA, Party.SELLER, 10),
        (CancelReason.DELAY, Party.SELLER, 13),
        (CancelReason.UNPAID, Party.BUYER, 4),
        (CancelReason.UNDELIVERED, Party.BUYER, 3),
        (CancelReason.RETURNED, Party.BUYER, 2),
        (CancelReason.DAMAGED, Party.SELLER, 15),
        (CancelReason.OTHER, Party.SELLER, 10),
        (CancelReason.OTHER, Party.BUYER, 6),
    ],
)
def test_each_reason_has_its_code(reason: CancelReason, by: Party, code: int) -> None:
    assert reason_of(cancelling(seen(full_tree()), reason=reason, by=by)) == code
