"""Accepting tells each line's outcome in the order asked, is harmless twice, and is never blind after a lost answer."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from ichiba_decided import failure_code, statuses
from ichiba_session import CannedHttp, answered, open_session, open_shop_session
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

from hanro.errors import InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.marketplace.types import (
    Answer,
    Decision,
    DelayReason,
    LineKey,
    OrderRef,
    OutcomeStatus,
    Receipt,
    SeenOrder,
)
from hanro.testing.conformance.asked import decision as accept
from hanro_rakuten_ichiba.orders import IchibaOrders

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
PREFIX = "ORDER_EXT_API_CONFIRM_ORDER_"


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


async def accept_all(shop: Shop, *numbers: str) -> list[Decision]:
    fetched = await orders_of(shop).fetch([OrderRef(external_id=number) for number in numbers])
    lines = {s.external_id: [one.external_id for one in s.lines] for s in fetched.sightings if isinstance(s, SeenOrder)}
    return [accept(number, *lines.get(number, ["1"])) for number in numbers]


def place(shop: Shop, progress: int = 100, **wish: Any) -> str:
    return str(shop.control("POST", "/orders", {"progress": progress, "kind": "ordinary", **wish})["external_id"])


def progress_of(shop: Shop, number: str) -> int:
    return int(shop.control("GET", f"/orders/{number}")["tree"]["orderProgress"])


def writes(shop: Shop) -> int:
    """Count what reached confirmOrder and had an effect."""
    entries = shop.simulator.control("GET", "/journal?after=0")["entries"]
    return sum(1 for entry in entries if entry.get("function") == "confirmOrder" and entry["has_effect"])


def calls(shop: Shop) -> int:
    """Count what reached confirmOrder at all."""
    entries = shop.simulator.control("GET", "/journal?after=0")["entries"]
    return sum(1 for entry in entries if entry.get("function") == "confirmOrder")


async def test_accepting_confirms_each_order_and_answers_each_line_in_the_order_asked(shop: Shop) -> None:
    numbers = [place(shop) for _ in range(3)]
    decisions = await accept_all(shop, *reversed(numbers))
    receipt = await orders_of(shop).decide(decisions)
    assert [outcome.key for outcome in receipt.outcomes] == [
        LineKey(id=decision.id, line_id=line_id) for decision in decisions for line_id in decision.line_ids
    ]
    assert set(statuses(receipt)) == {OutcomeStatus.APPLIED}
    assert not any(outcome.is_repeat for outcome in receipt.outcomes)
    assert receipt.ticket is None
    assert {progress_of(shop, number) for number in numbers} == {200}


async def test_accepting_twice_is_a_repeat_without_a_second_write(shop: Shop) -> None:
    decisions = await accept_all(shop, place(shop))
    await orders_of(shop).decide(decisions)
    receipt = await orders_of(shop).decide(decisions)
    assert set(statuses(receipt)) == {OutcomeStatus.APPLIED}
    assert all(outcome.is_repeat for outcome in receipt.outcomes)
    assert (writes(shop), calls(shop)) == (1, 1)


async def test_one_refused_order_fails_no_other(shop: Shop) -> None:
    good, cancelled, undecided = place(shop), place(shop, 900), place(shop, kind="undecided-postage")
    unknown = "999001-20260101-0000000001"
    decisions = await accept_all(shop, cancelled, good, undecided, unknown)
    receipt = await orders_of(shop).decide(decisions)
    by_order = {
        decision.order.external_id: [o for o in receipt.outcomes if o.key.id == decision.id] for decision in decisions
    }
    assert {failure_code(outcome) for outcome in by_order[cancelled]} == {"order-cancelled"}
    assert {failure_code(outcome) for outcome in by_order[undecided]} == {"refused"}
    assert {failure_code(outcome) for outcome in by_order[unknown]} == {"not-found"}
    assert {outcome.status for outcome in by_order[good]} == {OutcomeStatus.APPLIED}
    (refused, *_) = by_order[undecided]
    assert isinstance(refused.failure, Rejected)
    assert refused.failure.refusal is not None
    assert refused.failure.refusal.code == f"{PREFIX}ERROR_105"
    assert progress_of(shop, good) == 200


@pytest.mark.parametrize("progress", [200, 300, 400, 500, 600, 700])
async def test_an_order_that_is_further_on_stands_accepted(shop: Shop, progress: int) -> None:
    receipt = await orders_of(shop).decide(await accept_all(shop, place(shop, progress)))
    assert {(outcome.status, outcome.is_repeat) for outcome in receipt.outcomes} == {(OutcomeStatus.APPLIED, True)}


async def test_single_lines_cannot_be_accepted(shop: Shop) -> None:
    lines = [{"manageNumber": "a", "units": 1, "price": 100}, {"manageNumber": "b", "units": 1, "price": 100}]
    number = place(shop, lines=lines, is_plain=True)
    (decision,) = await accept_all(shop, number)
    assert len(decision.line_ids) == 2
    receipt = await orders_of(shop).decide([accept(number, decision.line_ids[0])])
    (outcome,) = receipt.outcomes
    assert outcome.status is OutcomeStatus.REJECTED
    assert isinstance(outcome.failure, Unsupported)
    assert progress_of(shop, number) == 100


async def test_a_line_that_the_order_does_not_have_is_told_and_the_order_is_accepted(shop: Shop) -> None:
    number = place(shop)
    (decision,) = await accept_all(shop, number)
    receipt = await orders_of(shop).decide([accept(number, *decision.line_ids, "1")])
    assert statuses(receipt)[-1] is OutcomeStatus.REJECTED
    assert failure_code(receipt.outcomes[-1]) == "not-found"
    assert set(statuses(receipt)[:-1]) == {OutcomeStatus.APPLIED}


async def test_a_line_that_was_taken_out_need_not_be_named(shop: Shop) -> None:
    lines = [{"manageNumber": "a", "units": 1, "price": 100}, {"manageNumber": "b", "units": 1, "price": 100}]
    raw = {"/PackageModelList/0/ItemModelList/1/deleteItemFlag": 1}
    number = place(shop, lines=lines, is_plain=True, raw=raw)
    (decision,) = await accept_all(shop, number)
    first, second = decision.line_ids
    receipt = await orders_of(shop).decide([accept(number, first)])
    assert statuses(receipt) == [OutcomeStatus.APPLIED]
    again = await orders_of(shop).decide([accept(number, first, second)])
    assert [failure_code(outcome) for outcome in again.outcomes] == [None, "order-cancelled"]


@pytest.mark.parametrize(
    "decision",
    [
        accept("1", "2", answer=Answer.REFUSE),
        accept("1", "2", claim_id="3"),
        accept("1", claim_id="3"),
        accept("1", "2", delay=DelayReason.PREPARING),
    ],
)
async def test_what_is_absent_is_refused_before_any_request(decision: Decision) -> None:
    http = CannedHttp(lambda _: answered(b"{}"))
    orders = IchibaOrders(open_session(http).session)
    for call in (orders.decide, orders.verify):
        with pytest.raises(Unsupported) as caught:
            await call([decision])
        assert caught.value.code == "absent"
        assert caught.value.remedy is not None
    assert http.sent == []


async def test_beside_what_can_be_done_the_absent_is_rejected(shop: Shop) -> None:
    (decision,) = await accept_all(shop, place(shop))
    refusing = accept("999001-20260101-0000000001", "2", answer=Answer.REFUSE)
    receipt = await orders_of(shop).decide([refusing, decision])
    assert statuses(receipt)[0] is OutcomeStatus.REJECTED
    assert isinstance(receipt.outcomes[0].failure, Unsupported)
    assert set(statuses(receipt)[1:]) == {OutcomeStatus.APPLIED}


async def test_our_own_bugs_are_value_errors() -> None:
    http = CannedHttp(lambda _: answered(b"{}"))
    orders = IchibaOrders(open_session(http).session)
    for bad in ([accept(str(n), "1") for n in range(101)], [accept("1", "2"), accept("1", "2")], [accept("1")]):
        with pytest.raises(ValueError):  # noqa: PT011  three causes, one kind
            await orders.decide(bad)
    assert http.sent == []
    assert await orders.decide([]) == Receipt(outcomes=())


def fail(shop: Shop, kind: str, **fault: Any) -> None:
    shop.simulator.control("POST", "/faults", {"kind": kind, "match": {"path": "confirmOrder"}, "count": 1, **fault})


@pytest.mark.parametrize(
    ("kind", "fault", "stands"),
    [
        ("reset-after", {}, True),
        ("cut-body", {}, True),
        ("wrong-charset", {}, True),
        ("html", {"applied": True}, True),
        ("html", {}, False),
        ("garbage", {}, False),
        ("status", {"status": 503}, False),
        ("status", {"status": 500, "applied": True}, True),
        ("reset-before", {}, False),
    ],
)
async def test_after_a_lost_answer_nothing_is_guessed_and_verifying_tells_the_truth(
    shop: Shop, kind: str, fault: dict[str, Any], *, stands: bool
) -> None:
    number = place(shop)
    decisions = await accept_all(shop, number)
    fail(shop, kind, **fault)
    receipt = await orders_of(shop).decide(decisions)
    assert set(statuses(receipt)) == {OutcomeStatus.IN_DOUBT}
    assert all(isinstance(outcome.failure, InDoubt) for outcome in receipt.outcomes)
    assert progress_of(shop, number) == (200 if stands else 100)
    verified = await orders_of(shop).verify(decisions)
    assert set(statuses(verified)) == {OutcomeStatus.APPLIED if stands else OutcomeStatus.NOT_SENT}
    assert [outcome.key for outcome in verified.outcomes] == [outcome.key for outcome in receipt.outcomes]
    assert writes(shop) == int(stands)


async def test_throttled_before_anything_changed_is_raised_and_may_be_sent_again(shop: Shop) -> None:
    decisions = await accept_all(shop, place(shop))
    fail(shop, "throttle")
    with pytest.raises(Retryable) as caught:
        await orders_of(shop).decide(decisions)
    assert caught.value.code == "throttled"
    assert set(statuses(await orders_of(shop).decide(decisions))) == {OutcomeStatus.APPLIED}


async def test_a_marketplace_that_cannot_be_reached_raises_and_changes_nothing(shop: Shop) -> None:
    decisions = await accept_all(shop, place(shop))
    opened = open_shop_session(shop, now=NOW)
    opened.http.port = 1  # type: ignore[attr-defined]
    with pytest.raises(Retryable):
        await IchibaOrders(opened.session).decide(decisions)


@pytest.mark.parametrize("code", ["key", "grant"])
async def test_a_refused_key_or_grant_is_raised_while_nothing_changed(shop: Shop, code: str) -> None:
    number = place(shop)
    decisions = await accept_all(shop, number)
    if code == "key":
        shop.control("POST", "/keys/revoke")
    else:
        shop.control("PUT", "/grants/rpay.order.confirmOrder", {"enabled": False})
    with pytest.raises(NeedsSeller) as caught:
        await orders_of(shop).decide(decisions)
    assert caught.value.grant_id == ("rpay.order.getOrder" if code == "key" else "rpay.order.confirmOrder")
    assert progress_of(shop, number) == 100


async def test_verifying_a_cancelled_or_unknown_order_says_that_it_can_no_longer_happen(shop: Shop) -> None:
    decisions = await accept_all(
        shop, place(shop, 900, raw={"shopOrderCfmDatetime": None}), "999001-20260101-0000000001"
    )
    receipt = await orders_of(shop).verify(decisions)
    assert {failure_code(outcome) for outcome in receipt.outcomes} == {"order-cancelled", "not-found"}
    assert set(statuses(receipt)) == {OutcomeStatus.REJECTED}


async def test_an_acceptance_that_was_cancelled_later_did_stand(shop: Shop) -> None:
    raw = {"shopOrderCfmDatetime": "2026-05-31T12:00:00+0900"}
    receipt = await orders_of(shop).verify(await accept_all(shop, place(shop, 900, raw=raw)))
    assert set(statuses(receipt)) == {OutcomeStatus.APPLIED}
