"""Accepting tells each line's outcome in the order asked, is harmless twice, and is never blind after a lost answer."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from ichiba_mapped import full_tree
from ichiba_samples import NOT_ENABLED, UNAUTHORISED
from ichiba_session import CannedHttp, answered, open_session, open_shop_session
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

from hanro.errors import InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.marketplace.types import (
    Answer,
    Cancellation,
    CancelReason,
    Decision,
    DelayReason,
    HttpAnswer,
    HttpRequest,
    LineKey,
    LinePart,
    OrderRef,
    Outcome,
    OutcomeStatus,
    Party,
    Receipt,
    SeenOrder,
)
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


def accept(
    number: str,
    *line_ids: str,
    answer: Answer = Answer.ACCEPT,
    claim_id: str | None = None,
    delay: DelayReason | None = None,
) -> Decision:
    return Decision(
        id=f"op_{number}_{'_'.join(line_ids)}",
        order=OrderRef(external_id=number),
        answer=answer,
        line_ids=line_ids,
        claim_id=claim_id,
        ships_on=None,
        delay=delay,
        note=None,
        ships_from=None,
        return_to=None,
    )


async def accept_all(shop: Shop, *numbers: str) -> list[Decision]:
    fetched = await orders_of(shop).fetch([OrderRef(external_id=number) for number in numbers])
    lines = {s.external_id: [one.external_id for one in s.lines] for s in fetched.sightings if isinstance(s, SeenOrder)}
    return [accept(number, *lines.get(number, ["1"])) for number in numbers]


def place(shop: Shop, progress: int = 100, **wish: Any) -> str:
    return str(shop.control("POST", "/orders", {"progress": progress, "kind": "ordinary", **wish})["external_id"])


def progress_of(shop: Shop, number: str) -> int:
    return int(shop.control("GET", f"/orders/{number}")["tree"]["orderProgress"])


def statuses(receipt: Receipt[LineKey]) -> list[OutcomeStatus]:
    return [outcome.status for outcome in receipt.outcomes]


def writes(shop: Shop) -> int:
    """Count what reached confirmOrder and had an effect."""
    entries = shop.simulator.control("GET", "/journal?after=0")["entries"]
    return sum(1 for entry in entries if entry.get("function") == "confirmOrder" and entry["has_effect"])


def calls(shop: Shop) -> int:
    """Count what reached confirmOrder at all."""
    entries = shop.simulator.control("GET", "/journal?after=0")["entries"]
    return sum(1 for entry in entries if entry.get("function") == "confirmOrder")


def failure_code(outcome: Outcome[LineKey]) -> str | None:
    return None if outcome.failure is None else outcome.failure.code


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


def scripted(
    numbers: Sequence[str], confirm: Callable[[list[str]], HttpAnswer], progress: int = 100
) -> Callable[[HttpRequest], HttpAnswer]:
    """Answer reads with plain orders in one state, and confirmations by a script."""

    def answer(request: HttpRequest) -> HttpAnswer:
        asked = json.loads(request.body)["orderNumberList"]
        if "confirmOrder" in request.path:
            return confirm(asked)
        trees = [
            full_tree() | {"orderNumber": one, "orderProgress": progress, "shopOrderCfmDatetime": None}
            for one in asked
            if one in numbers
        ]
        return answered(json.dumps({"MessageModelList": [], "OrderModelList": trees}).encode())

    return answer


def messages(*entries: tuple[str, str | None], kind: str = "") -> bytes:
    said = [
        {"messageType": kind or code.partition("_")[0], "messageCode": PREFIX + code, "message": "x"}
        | ({} if number is None else {"orderNumber": number})
        for code, number in entries
    ]
    return json.dumps({"MessageModelList": said}).encode()


async def decide_scripted(
    numbers: Sequence[str], confirm: Callable[[list[str]], HttpAnswer], progress: int = 100
) -> tuple[dict[str, Outcome[LineKey]], CannedHttp]:
    http = CannedHttp(scripted(numbers, confirm, progress))
    decisions = [accept(number, "90010001", "90010002") for number in numbers]
    receipt = await IchibaOrders(open_session(http).session).decide(decisions)
    firsts = receipt.outcomes[::2]
    return dict(zip(numbers, firsts, strict=True)), http


async def read_back(state: dict[str, object]) -> Outcome[LineKey]:
    """Decide on an order that is new when it is read first and stands as `state` says behind the confirmation."""
    tree = full_tree() | {"orderNumber": "1", "orderProgress": 100, "shopOrderCfmDatetime": None}

    def answer(request: HttpRequest) -> HttpAnswer:
        if "confirmOrder" in request.path:
            tree.update(state)
            return answered(messages(("ERROR_103", "1")))
        return answered(json.dumps({"MessageModelList": [], "OrderModelList": [tree]}).encode())

    http = CannedHttp(answer)
    receipt = await IchibaOrders(open_session(http).session).decide([accept("1", "90010001", "90010002")])
    assert [request.path.rsplit("/", 2)[1] for request in http.sent] == ["getOrder", "confirmOrder", "getOrder"]
    return receipt.outcomes[0]


@pytest.mark.parametrize("progress", [200, 300, 700])
async def test_an_order_that_someone_confirmed_meanwhile_is_a_repeat(progress: int) -> None:
    outcome = await read_back({"orderProgress": progress})
    assert (outcome.status, outcome.is_repeat) == (OutcomeStatus.APPLIED, True)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"orderProgress": 900}, "order-cancelled"),
        ({"orderProgress": 800}, "order-cancelled"),
        ({"orderProgress": 100}, "refused"),
        ({"orderProgress": 350}, "answer-unreadable"),
        ({"orderNumber": "2"}, "not-found"),
    ],
)
async def test_an_order_that_left_the_new_state_otherwise_is_told_apart(state: dict[str, object], code: str) -> None:
    assert failure_code(await read_back(state)) == code


async def test_a_message_without_a_number_belongs_to_the_only_order() -> None:
    outcomes, _ = await decide_scripted(["1"], lambda _: answered(messages(("INFO_101", None))))
    assert outcomes["1"].status is OutcomeStatus.APPLIED


async def test_an_order_without_a_message_is_in_doubt_and_the_others_are_not() -> None:
    outcomes, _ = await decide_scripted(["1", "2"], lambda _: answered(messages(("INFO_101", "2"))))
    assert outcomes["1"].status is OutcomeStatus.IN_DOUBT
    assert outcomes["2"].status is OutcomeStatus.APPLIED


async def test_a_message_of_a_new_type_is_not_taken_for_success() -> None:
    outcomes, _ = await decide_scripted(["1"], lambda _: answered(messages(("WARNING_101", "1"))))
    assert outcomes["1"].status is OutcomeStatus.IN_DOUBT


async def test_an_unknown_refusal_is_kept_verbatim() -> None:
    outcomes, _ = await decide_scripted(["1"], lambda _: answered(messages(("ERROR_777", "1"))))
    failure = outcomes["1"].failure
    assert isinstance(failure, Rejected)
    assert failure.refusal is not None
    assert (failure.refusal.code, failure.refusal.message) == (f"{PREFIX}ERROR_777", "x")


async def test_a_list_refused_whole_is_sent_again_without_the_order_that_it_names() -> None:
    def confirm(asked: list[str]) -> HttpAnswer:
        if "2" in asked:
            return answered(messages(("ERROR_016", "2")), 400)
        return answered(messages(*(("INFO_101", number) for number in asked)))

    outcomes, http = await decide_scripted(["1", "2", "3"], confirm)
    assert [outcomes[number].status for number in ("1", "2", "3")] == [
        OutcomeStatus.APPLIED,
        OutcomeStatus.REJECTED,
        OutcomeStatus.APPLIED,
    ]
    assert len(http.sent) == 3


async def test_a_list_refused_whole_without_a_name_is_halved() -> None:
    sent: list[list[str]] = []

    def confirm(asked: list[str]) -> HttpAnswer:
        sent.append(asked)
        if "3" in asked:
            return answered(messages(("ERROR_011", None)), 400)
        return answered(messages(*(("INFO_101", number) for number in asked)))

    outcomes, _ = await decide_scripted(["1", "2", "3", "4"], confirm)
    assert [number for number, outcome in outcomes.items() if outcome.status is OutcomeStatus.REJECTED] == ["3"]
    assert sent == [["1", "2", "3", "4"], ["1", "2"], ["3", "4"], ["3"], ["4"]]


@pytest.mark.parametrize(("body", "status"), [(UNAUTHORISED, 401), (NOT_ENABLED, 400), (b"", 429)])
async def test_a_key_that_dies_half_way_leaves_the_rest_not_sent(body: bytes, status: int) -> None:
    def confirm(asked: list[str]) -> HttpAnswer:
        if len(asked) == 4:
            return answered(messages(("ERROR_011", None)), 400)
        if asked == ["1", "2"]:
            return answered(messages(("INFO_101", "1"), ("INFO_101", "2")))
        return answered(body, status)

    outcomes, _ = await decide_scripted(["1", "2", "3", "4"], confirm)
    assert [outcomes[number].status for number in "1234"] == [
        OutcomeStatus.APPLIED,
        OutcomeStatus.APPLIED,
        OutcomeStatus.NOT_SENT,
        OutcomeStatus.NOT_SENT,
    ]
    assert isinstance(outcomes["3"].failure, NeedsSeller | Retryable)


async def test_cancelling_and_shipping_are_absent_in_this_version() -> None:
    http = CannedHttp(lambda _: answered(b"{}"))
    orders = IchibaOrders(open_session(http).session)
    cancellation = Cancellation(
        id="op_1",
        order=OrderRef(external_id="1"),
        lines=(LinePart(line_id="2", quantity=1),),
        is_whole=True,
        is_shipped=False,
        reason=CancelReason.OUT_OF_STOCK,
        by=Party.SELLER,
        comment=None,
        is_restocked=None,
    )
    with pytest.raises(Unsupported, match="not in this version"):
        await orders.cancel([cancellation])
    with pytest.raises(Unsupported, match="not in this version"):
        await orders.ship([])
    with pytest.raises(Unsupported, match="not in this version"):
        await orders.verify([cancellation])
    assert http.sent == []
