"""What a failed attempt and a person's decision mean. Values alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.events.messages import MessageHandedOver, MessageInDoubt
from hanro.marketplace.types import Channel, Trigger
from notifier_svc.domain.decisions import resolve
from notifier_svc.domain.messages import Decision, Message, State, restate
from notifier_svc.domain.outcomes import MESSAGE_PAUSES, judge, pause_after

NOON = datetime(2026, 5, 11, 3, 0, tzinfo=UTC)
MESSAGE = Message(
    id="msg_1",
    account_id="acc_1",
    account_epoch=0,
    marketplace_id="rakuten_ichiba",
    order_id="ord_1",
    order_external_id="999001-20260511-0000000001",
    trigger=Trigger.NEW_ORDER,
    occurrence=1,
    channel=Channel.RELAY,
    template="thanks",
    state=State.IN_DOUBT,
    reason_code="answer-lost",
    milestone_at=NOON,
    planned_at=NOON,
    expires_at=NOON + timedelta(hours=72),
    changed_at=NOON,
    next_at=None,
    version=1,
    attempt=2,
)
LATER = NOON + timedelta(days=5)


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (Retryable("later", code="unavailable"), State.PLANNED),
        (NeedsSeller("login", code="credential-refused"), State.PLANNED),
        (ContractBroken("odd", code="unreadable"), State.PLANNED),
        (Rejected("no", code="recipient-refused"), State.REFUSED),
        (Unsupported("no way", code="absent"), State.REFUSED),
        (InDoubt("lost", code="answer-lost"), State.IN_DOUBT),
    ],
)
def test_only_a_lost_answer_leaves_a_message_in_doubt(failure: Failure, state: State) -> None:
    verdict = judge(failure, failure_count=0, at=NOON)
    assert (verdict.state, verdict.reason_code) == (state, failure.code)
    assert (verdict.next_at is not None) is (state is State.PLANNED)


def test_the_schedule_of_retries_is_kept_and_ends_in_half_hours() -> None:
    failure = Retryable("later", code="unavailable")
    waits = [judge(failure, failure_count=count, at=NOON).next_at for count in range(9)]
    seconds = [(wait - NOON).total_seconds() for wait in waits if wait is not None]
    assert seconds == [10, 30, 60, 120, 300, 600, 1800, 1800, 1800]


def test_what_the_other_side_asks_for_is_waited_at_least() -> None:
    patient = Retryable("later", code="unavailable", after=timedelta(hours=1))
    assert judge(patient, failure_count=0, at=NOON).next_at == NOON + timedelta(hours=1)
    hasty = Retryable("later", code="unavailable", after=timedelta(seconds=1))
    assert judge(hasty, failure_count=1, at=NOON).next_at == NOON + MESSAGE_PAUSES[1]


def test_an_account_whose_login_is_refused_waits_for_its_seller() -> None:
    refused = NeedsSeller("login", code="credential-refused")
    assert pause_after(refused, pause_count=0, at=NOON) == NOON + timedelta(minutes=15)
    away = Retryable("away", code="unavailable")
    assert pause_after(away, pause_count=0, at=NOON) == NOON + timedelta(seconds=2)
    assert pause_after(away, pause_count=99, at=NOON) == NOON + timedelta(minutes=5)
    assert pause_after(away, pause_count=99, at=NOON, is_own=True) == NOON + timedelta(seconds=10)


def test_a_person_says_that_it_arrived() -> None:
    decided = resolve(MESSAGE, Decision.SENT_THERE, by="見本 太郎", at=LATER)
    assert (decided.state, decided.version, decided.decided_by) == (State.HANDED_OVER, 2, "見本 太郎")
    assert isinstance(restate(decided), MessageHandedOver)


def test_a_person_gives_it_up() -> None:
    decided = resolve(MESSAGE, Decision.GIVE_UP, by="見本 太郎", at=LATER)
    assert (decided.state, decided.reason_code) == (State.SUPPRESSED, "given-up")


def test_a_person_has_it_sent_once_more_with_time_to_do_so() -> None:
    decided = resolve(replace(MESSAGE, mail_id="<m@x.invalid>"), Decision.SEND_AGAIN, by="見本 太郎", at=LATER)
    assert (decided.state, decided.next_at, decided.mail_id) == (State.PLANNED, LATER, "<m@x.invalid>")
    assert (decided.expires_at, decided.version) == (LATER + timedelta(hours=72), 1)


def test_the_same_decision_again_changes_nothing_and_another_is_refused() -> None:
    decided = resolve(MESSAGE, Decision.SENT_THERE, by="見本 太郎", at=LATER)
    assert resolve(decided, Decision.SENT_THERE, by="見本 次郎", at=LATER) is decided
    with pytest.raises(Rejected) as refused:
        resolve(decided, Decision.SEND_AGAIN, by="見本 次郎", at=LATER)
    assert refused.value.code == "already-decided"


@pytest.mark.parametrize("state", [State.PLANNED, State.SENDING, State.HANDED_OVER, State.REFUSED, State.SUPPRESSED])
def test_a_message_that_is_not_in_doubt_cannot_be_decided_about(state: State) -> None:
    with pytest.raises(Rejected):
        resolve(replace(MESSAGE, state=state), Decision.SEND_AGAIN, by="見本 太郎", at=LATER)


def test_a_fact_restates_the_fate_without_address_or_text() -> None:
    fact = restate(replace(MESSAGE, answer="250 ok"))
    assert isinstance(fact, MessageInDoubt)
    assert (fact.id, fact.version, fact.trigger, fact.state) == ("msg_1", 1, "new_order", "in_doubt")
    with pytest.raises(KeyError):
        restate(replace(MESSAGE, state=State.SENDING))
