"""Proves which orders may be accepted, and what the marketplace's answers amount to."""

from dataclasses import replace

import pytest
from order_sightings import NOON, account, line, seen, unreadable

from hanro.errors import InDoubt, Rejected
from hanro.marketplace.types import Hold, LineKey, OrderStatus, Outcome, OutcomeStatus, Receipt, Sighting
from order_svc.domain import verdicts as answers
from order_svc.domain.answers import decision
from order_svc.domain.decisions import check_acceptable
from order_svc.domain.orders import Order
from order_svc.domain.reconcile import reconcile
from order_svc.domain.verdicts import Verdict


def stored(sighting: Sighting) -> Order:
    change = reconcile(None, sighting, account=account(), route="placed", at=NOON)
    assert change is not None
    return change.order


def test_a_new_order_may_be_accepted_with_all_its_lines() -> None:
    order = stored(seen(lines=(line("1"), line("2"), line("3", status=OrderStatus.CANCELLED))))
    check_acceptable(order)
    said = decision("opr_1", order, "accept", {}, None)
    assert said.line_ids == ("1", "2")
    assert said.order.external_id == order.external_id


@pytest.mark.parametrize(
    ("sighting", "code"),
    [
        (seen(status=OrderStatus.CANCELLED), "order-cancelled"),
        (seen(status=OrderStatus.CANCELLING), "order-cancelled"),
        (seen(holds=frozenset({Hold.AMOUNT})), "order-held"),
        (seen(status=OrderStatus.ACCEPTED), "already-decided"),
        (seen(status=OrderStatus.SHIPPED), "already-decided"),
        (seen(status=OrderStatus.PENDING), "not-waiting"),
        (unreadable(), "order-quarantined"),
    ],
)
def test_an_order_that_cannot_be_accepted_says_why(sighting: Sighting, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_acceptable(stored(sighting))
    assert refused.value.code == code


def outcome(line_id: str, status: OutcomeStatus, failure: Rejected | InDoubt | None = None) -> Outcome[LineKey]:
    return Outcome(key=LineKey(id="opr_1", line_id=line_id), status=status, failure=failure)


def verdicts(outcomes: list[Outcome[LineKey]]) -> dict[str, Verdict]:
    return answers.verdicts(Receipt(outcomes=tuple(outcomes)), ["opr_1"])


def test_what_an_answer_does_not_name_is_in_doubt() -> None:
    assert verdicts([])["opr_1"].status is OutcomeStatus.IN_DOUBT


def test_one_line_in_doubt_leaves_the_whole_order_in_doubt() -> None:
    lost = InDoubt("no answer came", code="answer-lost")
    found = verdicts([outcome("1", OutcomeStatus.APPLIED), outcome("2", OutcomeStatus.IN_DOUBT, lost)])
    assert found["opr_1"].status is OutcomeStatus.IN_DOUBT
    assert found["opr_1"].failure is lost


def test_an_order_is_repeated_only_when_every_line_is() -> None:
    again = replace(outcome("1", OutcomeStatus.APPLIED), is_repeat=True)
    assert verdicts([again])["opr_1"].is_repeat
    assert not verdicts([again, outcome("2", OutcomeStatus.APPLIED)])["opr_1"].is_repeat
