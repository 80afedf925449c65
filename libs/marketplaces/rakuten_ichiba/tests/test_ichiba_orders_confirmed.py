"""What confirmOrder says of each order is read to the letter; what it does not say stays in doubt."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from ichiba_decided import failure_code
from ichiba_mapped import full_tree
from ichiba_samples import NOT_ENABLED, UNAUTHORISED
from ichiba_session import CannedHttp, answered, open_session

from hanro.errors import NeedsSeller, Rejected, Retryable
from hanro.marketplace.types import HttpAnswer, HttpRequest, LineKey, Outcome, OutcomeStatus
from hanro.testing.conformance.asked import decision as accept
from hanro_rakuten_ichiba.declared.limits import LIMITS
from hanro_rakuten_ichiba.orders import IchibaOrders

PREFIX = "ORDER_EXT_API_CONFIRM_ORDER_"


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
        said = {"messageType": "INFO", "messageCode": "ORDER_EXT_API_GET_ORDER_INFO_102", "orderNumber": "1"}
        unknown = [] if tree["orderNumber"] == "1" else [said]
        return answered(json.dumps({"MessageModelList": unknown, "OrderModelList": [tree]}).encode())

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


async def test_orders_that_left_the_new_state_are_read_back_all_at_once() -> None:
    def confirm(asked: list[str]) -> HttpAnswer:
        if len(asked) > 1:
            return answered(messages(("ERROR_011", None)), 400)
        return answered(messages(("ERROR_103", asked[0])))

    outcomes, http = await decide_scripted(list("1234"), confirm)
    assert {failure_code(outcome) for outcome in outcomes.values()} == {"refused"}
    paths = [request.path.rsplit("/", 2)[1] for request in http.sent]
    assert paths == ["getOrder", *["confirmOrder"] * 7, "getOrder"]
    batch = LIMITS.batches["orders.decide"]
    assert len(paths) == batch.call_count + batch.call_count_each * 4


async def test_one_decision_id_for_two_orders_tells_each_order_apart() -> None:
    http = CannedHttp(scripted(["1", "2"], lambda asked: answered(messages(*(("INFO_101", one) for one in asked)))))
    whole, part = accept("1", "90010001", "90010002"), replace(accept("2", "other"), id="op_1_90010001_90010002")
    receipt = await IchibaOrders(open_session(http).session).decide([whole, part])
    assert [outcome.status for outcome in receipt.outcomes] == [
        OutcomeStatus.APPLIED,
        OutcomeStatus.APPLIED,
        OutcomeStatus.REJECTED,
    ]
