"""Proves that the port's values are frozen, show no personal data, and name their choices as the port says."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

import pytest

from hanro.errors import ContractBroken
from hanro.marketplace import port, types
from hanro.marketplace.port import Secrets
from hanro.marketplace.types import (
    Address,
    Amount,
    Buyer,
    Claim,
    ClaimKind,
    ClaimStage,
    CsvRow,
    Gift,
    HttpAnswer,
    HttpRequest,
    Inquiry,
    Label,
    LengthUnit,
    MailRelay,
    MessageRequest,
    Moment,
    Money,
    OrderRef,
    Outcome,
    OutcomeStatus,
    Party,
    Payment,
    PaymentStatus,
    PersonName,
    Receipt,
    Renewed,
    TextRule,
    Trigger,
    UnreadableOrder,
)

CANARY = "canary-29f1"
AT = datetime(2026, 3, 1, tzinfo=UTC)
MOMENT = Moment(at=AT, local="2026-03-01T09:00:00+0900")
RULE = TextRule(max_length=10, unit=LengthUnit.CHARACTERS, charset="cp932")
NAME = PersonName(full=CANARY, family=CANARY, kana=CANARY)
ADDRESS = Address(lines=(CANARY,), country="JP", name=NAME, phones=(CANARY,))

PERSONAL = (
    NAME,
    ADDRESS,
    Buyer(name=NAME, address=ADDRESS, email=CANARY, is_email_masked=False),
    Gift(is_wished=True, note=CANARY, giver=ADDRESS),
    Label(url=CANARY, number=CANARY, tracking_url=CANARY),
    Payment(
        method=CANARY,
        code=None,
        status=PaymentStatus.PAID,
        is_run_by_marketplace=True,
        details={"card": CANARY},
    ),
    Claim(
        external_id="1",
        kind=ClaimKind.CANCEL,
        stage=ClaimStage.REQUESTED,
        status_text="",
        order=OrderRef(external_id="1"),
        line_id=None,
        quantity=None,
        by=None,
        reason=CANARY,
    ),
    Inquiry(
        external_id="1",
        thread_id="1",
        author=Party.BUYER,
        sent=MOMENT,
        subject=CANARY,
        body=CANARY,
        is_answered=False,
        is_claim=False,
        order_id=None,
        line_id=None,
        listing_id=None,
    ),
    MessageRequest(
        id="msg_1", order=None, line_id=None, trigger=Trigger.MANUAL, subject=CANARY, body=CANARY, reply_to=None
    ),
    MailRelay(
        host="relay.example.invalid",
        port=587,
        username=CANARY,
        password=CANARY,
        sender=CANARY,
        recipients=".*",
        subject=RULE,
        body=RULE,
        max_bytes=None,
    ),
    Secrets(values={"license_key": CANARY}, version=1, stored_at=AT),
    Renewed(values={"seller_authorisation_key": CANARY}, expiries=()),
    HttpRequest(
        method="GET",
        path="/order",
        query=(("key", CANARY),),
        headers={"Authorization": CANARY},
        body=CANARY.encode(),
        has_effect=False,
    ),
    HttpAnswer(status=200, headers={"Set-Cookie": CANARY}, body=CANARY.encode(), sent_at=AT),
    UnreadableOrder(
        external_id="1", seen_at=AT, failure=ContractBroken("no number", code="unreadable"), raw=CANARY.encode()
    ),
    CsvRow(number=2, cells={"氏名": CANARY}),
)


def values_of_the_port() -> Iterator[type]:
    """Give all value classes that the port exports."""
    for found in (*vars(types).values(), *vars(port).values()):
        if isinstance(found, type) and dataclasses.is_dataclass(found):
            yield found


@pytest.mark.parametrize("personal", PERSONAL, ids=lambda one: type(one).__name__)
def test_a_repr_shows_no_personal_data_and_no_secret(personal: object) -> None:
    assert CANARY not in repr(personal)
    assert CANARY not in f"{personal}"
    assert type(personal).__name__ in repr(personal)


def test_fields_that_hold_raw_bytes_or_notes_never_show() -> None:
    for kind in values_of_the_port():
        for field in dataclasses.fields(kind):
            if field.name in {"raw", "notes", "password"}:
                assert not field.repr or kind is MailRelay, kind


def test_every_value_is_frozen_without_a_dictionary() -> None:
    kinds = set(values_of_the_port())
    assert len(kinds) > 90
    for kind in kinds:
        assert "__dict__" not in vars(kind), kind
        assert "__slots__" in vars(kind), kind


def test_a_value_refuses_to_change() -> None:
    amount = Amount(text="-9999", money=None)
    for name in ("text", "money", "unheard_of"):
        with pytest.raises(dataclasses.FrozenInstanceError, match=name):
            setattr(amount, name, "0")
        with pytest.raises(dataclasses.FrozenInstanceError, match=name):
            delattr(amount, name)


def test_a_value_is_replaced_copied_and_pickled_whole() -> None:
    buyer = Buyer(name=NAME, address=ADDRESS, email="hanako@example.invalid", is_email_masked=True)
    assert dataclasses.replace(buyer, email=None) != buyer
    assert copy.deepcopy(buyer) == buyer
    assert pickle.loads(pickle.dumps(buyer)) == buyer  # noqa: S301  our own bytes


def test_an_outcome_may_name_its_key_and_keeps_its_failure_in_a_dictionary() -> None:
    outcome = Outcome[str](
        key="lch_1", status=OutcomeStatus.IN_DOUBT, failure=ContractBroken("cut short", code="unreadable")
    )
    failure = dataclasses.asdict(Receipt[str](outcomes=(outcome,)))["outcomes"][0]["failure"]
    assert isinstance(failure, ContractBroken)
    assert failure.code == "unreadable"


def test_values_take_keywords_alone() -> None:
    for kind in set(values_of_the_port()) - {Money}:
        assert all(field.kw_only for field in dataclasses.fields(kind)) or kind.__module__ == "hanro.money", kind


def test_a_value_names_what_is_missing_or_not_known_and_takes_its_defaults() -> None:
    assert PersonName(full="見本") == PersonName(full="見本", family=None, given=None, kana=None)
    for wrong, why in (({}, "PersonName.*'full'"), ({"full": "見本", "age": "9"}, "PersonName.*'age'")):
        with pytest.raises(TypeError, match=why):
            PersonName(**wrong)
    assert list(inspect.signature(PersonName).parameters) == [field.name for field in dataclasses.fields(PersonName)]
    assert type(NAME) is PersonName


def test_choices_have_the_value_of_their_name_in_lower_case() -> None:
    enums = [found for found in vars(types).values() if isinstance(found, type) and issubclass(found, StrEnum)]
    assert len(enums) == 38
    for enum in enums:
        for choice in enum:
            assert choice.value == choice.name.lower()


def test_a_due_date_and_a_rate_stay_what_they_are() -> None:
    gift = Gift(is_wished=True, address_due_on=date(2026, 3, 2))
    assert gift.address_due_on == date(2026, 3, 2)
    assert types.Amount(text="0", money=Money(Decimal(0), "JPY")) != types.Amount(text="0", money=None)
