"""What the sandbox can do with orders: single lines, parcels, cancellations, claims, as its buyers see it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pydantic import TypeAdapter
from sandbox_market import SandboxMarket, SandboxShop, running_simulator
from sandbox_session import cancelling, opened, parcel, seen, with_number

from hanro.errors import InDoubt, Rejected
from hanro.marketplace import status_of
from hanro.marketplace.port import Orders, Session
from hanro.marketplace.types import (
    Answer,
    Claim,
    ClaimKind,
    ClaimStage,
    DelayReason,
    Detail,
    Hold,
    LineKey,
    LinePart,
    OrderRef,
    OrderStatus,
    Outcome,
    OutcomeStatus,
    Receipt,
    RefundStatus,
    SeenOrder,
)
from hanro.money import Money
from hanro.testing.conformance.asked import code_of, decision, statuses

APPLIED, REJECTED, NOT_SENT = OutcomeStatus.APPLIED, OutcomeStatus.REJECTED, OutcomeStatus.NOT_SENT


@pytest.fixture(scope="module")
def market() -> Iterator[SandboxMarket]:
    with running_simulator() as port:
        yield SandboxMarket(port)


@pytest.fixture
def shop(market: SandboxMarket) -> SandboxShop:
    return market.open_shop()


@pytest.fixture
async def session(market: SandboxMarket, shop: SandboxShop) -> AsyncIterator[Session]:
    async with opened(market, shop) as made:
        yield made


@pytest.fixture
def orders(market: SandboxMarket, session: Session) -> Orders:
    return market.plugin.orders(session)


def only(receipt: Receipt[LineKey]) -> Outcome[LineKey]:
    (outcome,) = receipt.outcomes
    return outcome


def yen(amount: int) -> Money:
    return Money(Decimal(amount), "JPY")


async def test_one_line_is_accepted_and_another_refused_and_the_order_goes_on_with_what_is_left(
    shop: SandboxShop, orders: Orders
) -> None:
    (number,) = shop.place(line_count=3)
    asked = [decision(number, "1"), decision(number, "2", answer=Answer.REFUSE)]
    assert statuses(await orders.verify(asked)) == [NOT_SENT, NOT_SENT]
    assert statuses(await orders.decide(asked)) == [APPLIED, APPLIED]
    order = await seen(orders, number)
    assert [line.status for line in order.lines] == [OrderStatus.READY, OrderStatus.CANCELLED, OrderStatus.NEW]
    assert [line.decide_by is not None for line in order.lines] == [False, False, True]
    assert statuses(await orders.verify(asked)) == [APPLIED, APPLIED]
    assert order.is_test
    assert order.differences == ()


async def test_the_other_answer_and_an_unknown_line_are_refused_each_for_itself(
    shop: SandboxShop, orders: Orders
) -> None:
    (number,) = shop.place(line_count=2)
    await orders.decide([decision(number, "1", answer=Answer.REFUSE)])
    receipt = await orders.decide([decision(number, "1"), decision(number, "9"), decision(number, "2")])
    assert [code_of(outcome) for outcome in receipt.outcomes] == ["already-decided", "not-found", None]


async def test_a_delay_is_announced_for_an_accepted_line_alone(shop: SandboxShop, orders: Orders) -> None:
    (number,) = shop.place(line_count=2)
    await orders.decide([decision(number, "1")])
    day = date(2099, 1, 2)
    asked = [replace(decision(number, line, delay=DelayReason.PREPARING), ships_on=day) for line in ("1", "2")]
    assert statuses(await orders.decide(asked)) == [APPLIED, REJECTED]
    assert [line.ship_by == day for line in (await seen(orders, number)).lines] == [True, False]
    assert only(await orders.decide(asked[:1])).is_repeat


async def test_parcels_leave_one_by_one_and_the_last_one_ships_the_order(shop: SandboxShop, orders: Orders) -> None:
    (number,) = shop.place(status=OrderStatus.READY, line_count=2)
    first, last = parcel(number, ("1", 1), is_last=False), with_number(parcel(number, ("2", 1)), "210987654321")
    assert only(await orders.verify([first])).status is NOT_SENT
    made = only(await orders.ship([first]))
    assert made.external_id
    assert status_of((await seen(orders, number)).lines) is OrderStatus.READY
    again = only(await orders.ship([first]))
    assert (again.status, again.is_repeat) == (APPLIED, True)
    assert only(await orders.ship([last])).status is APPLIED
    order = await seen(orders, number)
    assert status_of(order.lines) is OrderStatus.SHIPPED
    assert [one.number for one in order.packages[0].parcels] == ["123456789012", "210987654321"]
    assert statuses(await orders.verify([first, last])) == [APPLIED, APPLIED]


async def test_a_correction_replaces_a_parcel(shop: SandboxShop, orders: Orders) -> None:
    (number,) = shop.place(status=OrderStatus.READY)
    made = only(await orders.ship([parcel(number, ("1", 1))]))
    better = replace(with_number(parcel(number), "999999999999"), id="op-better", replaces=made.external_id)
    assert only(await orders.ship([better])).status is APPLIED
    assert [one.number for one in (await seen(orders, number)).packages[0].parcels] == ["999999999999"]
    unknown = replace(better, id="op-unknown", replaces="parcel-0")
    assert code_of(only(await orders.ship([unknown]))) == "not-found"


async def test_what_the_catalogue_does_not_take_and_what_is_not_there_is_refused_beside_what_goes(
    shop: SandboxShop, orders: Orders
) -> None:
    cancelled, good = shop.place(status=OrderStatus.CANCELLED), shop.place(status=OrderStatus.READY)
    (new,) = shop.place()
    fine = parcel(good[0], ("1", 1))
    other = replace(fine.tracking, marketplace_value="pigeon")
    receipt = await orders.ship(
        [
            with_number(replace(fine, id="op-1"), "12"),
            replace(fine, id="op-2", tracking=other),
            replace(fine, id="op-3"),
        ]
    )
    codes = [code_of(outcome) for outcome in receipt.outcomes]
    assert codes == ["number-malformed", "carrier-unsupported", None]
    assert code_of(only(await orders.ship([parcel(cancelled[0], ("1", 1))]))) == "order-cancelled"
    assert code_of(only(await orders.ship([parcel(new, ("1", 1))]))) == "refused"
    before = shop.controls.sequence()
    await orders.ship([with_number(replace(fine, id="op-4"), "12")])
    assert shop.controls.requests(before) == []
    too_many = replace(parcel(good[0], ("1", 2)), id="op-5")
    assert code_of(only(await orders.ship([too_many]))) == "refused"


async def test_many_parcels_are_a_job_that_tells_later(shop: SandboxShop, orders: Orders) -> None:
    numbers = shop.place(12, status=OrderStatus.READY)
    asked = [parcel(number, ("1", 1)) for number in numbers]
    receipt = await orders.ship(asked)
    assert set(statuses(receipt)) == {OutcomeStatus.SENT}
    assert receipt.ticket is not None
    early = await orders.poll(receipt.ticket, asked)
    assert set(statuses(early)) == {OutcomeStatus.SENT}
    assert early.ticket is not None
    shop.controls.call("PUT", "/clock", {"advance_seconds": 3})
    done = [await orders.poll(early.ticket, asked), await orders.poll(early.ticket, asked)]
    shop.controls.call("PUT", "/clock", {"advance_seconds": -3})
    assert [set(statuses(one)) for one in done] == [{APPLIED}] * 2
    assert done[0].ticket is None
    lost = replace(receipt.ticket, external_id="job-0")
    assert set(statuses(await orders.poll(lost, asked))) == {OutcomeStatus.SENT}
    over = replace(lost, gives_up_at=receipt.ticket.sent_at - timedelta(minutes=1))
    outcome = (await orders.poll(over, asked)).outcomes[0]
    assert isinstance(outcome.failure, InDoubt)
    assert outcome.failure.code == "ticket-lost"


async def test_lines_units_and_prices_are_cancelled_and_read_back(shop: SandboxShop, orders: Orders) -> None:
    (number,) = shop.order({"state": "ready", "lines": [{"quantity": 5, "unit_price": 100}, {"unit_price": 50}]})
    units = cancelling(number, [LinePart(line_id="1", quantity=3)], called="op-units")
    assert only(await orders.verify([units])).status is NOT_SENT
    assert only(await orders.cancel([units])).status is APPLIED
    assert only(await orders.cancel([units])).is_repeat
    cut = cancelling(number, [LinePart(line_id="1", quantity=0, refund=yen(30))], called="op-cut")
    assert only(await orders.cancel([cut])).status is APPLIED
    line = cancelling(number, [LinePart(line_id="2", quantity=1)], called="op-line")
    assert only(await orders.cancel([line])).status is APPLIED
    order = await seen(orders, number)
    assert [(one.quantity, one.status.value) for one in order.lines] == [(2, "ready"), (0, "cancelled")]
    assert order.totals.goods is not None
    assert (order.totals.goods.text, order.differences) == ("200", ())
    assert [(one.amount.text, one.line_id) for one in order.discounts] == [("30", "1")]
    assert statuses(await orders.verify([units, cut, line])) == [APPLIED] * 3
    (told,) = (await orders.fetch([OrderRef(external_id=number)], frozenset({Detail.PAYMENT}))).sightings
    assert isinstance(told, SeenOrder)
    (refund,) = told.payments[0].refunds
    assert refund.amount is not None
    assert (refund.amount.text, refund.status, told.payments[0].external_id) == ("30", RefundStatus.DONE, f"{number}-1")
    assert refund.completed is not None
    whole = cancelling(number, called="op-whole")
    assert only(await orders.cancel([whole])).status is APPLIED
    assert status_of((await seen(orders, number)).lines) is OrderStatus.CANCELLED


async def test_what_is_gone_or_has_left_is_not_cancelled(shop: SandboxShop, orders: Orders) -> None:
    (gone,), (left,) = shop.place(status=OrderStatus.CANCELLED), shop.place(status=OrderStatus.SHIPPED)
    part = [LinePart(line_id="1", quantity=1)]
    asked = [
        cancelling(gone, part, called="op-1"),
        cancelling(left, part, called="op-2"),
        cancelling(left, [LinePart(line_id="1", quantity=2)], called="op-3"),
        cancelling("SBX-999999", part, called="op-4"),
    ]
    codes = [code_of(outcome) for outcome in (await orders.cancel(asked)).outcomes]
    assert codes == ["order-cancelled", "refused", "refused", "not-found"]
    later = cancelling(left, part, called="op-5", is_shipped=True)
    assert only(await orders.cancel([later])).status is APPLIED


async def test_a_return_is_agreed_to_and_done_when_the_goods_are_back(shop: SandboxShop, orders: Orders) -> None:
    (number,) = shop.place(status=OrderStatus.SHIPPED)
    shop.call("POST", f"/orders/{number}/request-return", {"line": "1", "quantity": 1})
    claim = await _claim(orders, number)
    assert (claim.kind, claim.stage, claim.quantity) == (ClaimKind.RETURN, ClaimStage.REQUESTED, 1)
    answer = decision(number, claim_id=claim.external_id)
    assert only(await orders.decide([answer])).status is APPLIED
    assert only(await orders.decide([answer])).is_repeat
    assert only(await orders.verify([answer])).status is APPLIED
    shop.call("POST", f"/orders/{number}/arrive", {"claim": claim.external_id})
    done = await _claim(orders, number)
    assert (done.stage, done.amount and done.amount.text) == (ClaimStage.DONE, "100")
    assert (await seen(orders, number)).holds == frozenset()


async def test_a_claim_has_one_answer(shop: SandboxShop, orders: Orders) -> None:
    (number,) = shop.place(status=OrderStatus.SHIPPED)
    shop.call("POST", f"/orders/{number}/request-return", {"line": "1"})
    claim = await _claim(orders, number)
    assert (await seen(orders, number)).holds == {Hold.CLAIM}
    refusing = decision(number, claim_id=claim.external_id, answer=Answer.REFUSE)
    assert only(await orders.decide([refusing])).status is APPLIED
    accepting = decision(number, claim_id=claim.external_id)
    assert code_of(only(await orders.decide([accepting]))) == "already-decided"
    assert code_of(only(await orders.verify([accepting]))) == "already-decided"
    assert code_of(only(await orders.decide([decision(number, claim_id="claim-0")]))) == "not-found"


async def test_a_wish_to_cancel_is_apart_from_the_cancellation(shop: SandboxShop, orders: Orders) -> None:
    (number,) = shop.place(status=OrderStatus.READY, line_count=2)
    shop.call("POST", f"/orders/{number}/request-cancel", {"line": "1"})
    claim = await _claim(orders, number)
    assert status_of((await seen(orders, number)).lines) is OrderStatus.READY
    await orders.decide([decision(number, claim_id=claim.external_id)])
    order = await seen(orders, number)
    assert [line.status.value for line in order.lines] == ["cancelled", "ready"]
    assert [(one.external_id, one.stage) for one in order.claims] == [(claim.external_id, ClaimStage.DONE)]


async def test_an_exchange_is_done_when_its_goods_leave(shop: SandboxShop, orders: Orders) -> None:
    (number,) = shop.place(status=OrderStatus.SHIPPED)
    shop.call("POST", f"/orders/{number}/request-exchange", {"line": "1"})
    claim = await _claim(orders, number)
    goods = replace(parcel(number, ("1", 1)), claim_id=claim.external_id)
    assert code_of(only(await orders.ship([goods]))) == "not-found"
    await orders.decide([decision(number, claim_id=claim.external_id)])
    assert only(await orders.ship([goods])).status is APPLIED
    assert (await _claim(orders, number)).stage is ClaimStage.DONE


async def test_an_order_that_cannot_be_read_is_not_written_to(shop: SandboxShop, orders: Orders) -> None:
    (number,) = shop.place(spoilt="unreadable")
    before = shop.controls.sequence()
    outcome = only(await orders.decide([decision(number, "1")]))
    assert isinstance(outcome.failure, Rejected)
    assert shop.controls.writes(before) == 0
    assert only(await orders.verify([decision(number, "1")])).status is OutcomeStatus.IN_DOUBT


async def test_an_order_can_be_stored_as_it_was_seen(shop: SandboxShop, orders: Orders) -> None:
    stored = TypeAdapter(SeenOrder)
    for number in shop.place_varied(20):
        order = await seen(orders, number)
        assert stored.validate_json(stored.dump_json(order)) == order


@pytest.mark.parametrize("bad", ["fuller", "doubled", "empty"])
async def test_what_is_our_bug_sends_nothing(shop: SandboxShop, orders: Orders, bad: str) -> None:
    one = decision("SBX-1", "1")
    asked = {"fuller": [decision("SBX-1", *map(str, range(101)))], "doubled": [one, one], "empty": [decision("SBX-1")]}
    before = shop.controls.sequence()
    with pytest.raises(ValueError):  # noqa: PT011  several causes, one kind
        await orders.decide(asked[bad])
    assert shop.controls.requests(before) == []


async def _claim(orders: Orders, number: str) -> Claim:
    (claim,) = (await seen(orders, number)).claims
    return claim
