"""Proves that the six errors carry what a handler needs and show no more."""

import copy
import pickle
from datetime import timedelta
from typing import assert_never, get_args

import pytest

from hanro.errors import (
    ContractBroken,
    Failure,
    InDoubt,
    LocalizedText,
    MenuPath,
    NeedsSeller,
    Refusal,
    Rejected,
    Retryable,
    Unsupported,
)

REFUSAL = Refusal(code="GA0001", message="ServiceSecret is wrong", http_status=401)


def who_acts(failure: Failure) -> str:
    """Answer exhaustively; mypy refuses this function when a seventh error appears."""
    match failure:
        case Retryable():
            return "a machine"
        case NeedsSeller():
            return "the seller"
        case Rejected():
            return "the data's owner"
        case ContractBroken():
            return "us"
        case InDoubt():
            return "a person"
        case Unsupported():
            return "nobody"
        case _:
            assert_never(failure)


def test_each_failure_says_who_acts() -> None:
    actors = {who_acts(kind("why", code="refused")) for kind in get_args(Failure)}
    assert len(actors) == 6


def test_a_failure_keeps_what_was_said_of_it() -> None:
    failure = NeedsSeller(
        "the licence key ended",
        code="credential-expired",
        refusal=REFUSAL,
        field="license_key",
        grant_id="orders",
        remedy=LocalizedText(ja="更新してください", en="Renew it"),
        menu=MenuPath(steps=("RMS", "6. WEB APIサービス")),
    )
    assert (failure.why, str(failure)) == ("the licence key ended", "the licence key ended")
    assert (failure.code, failure.field, failure.grant_id) == ("credential-expired", "license_key", "orders")
    assert failure.refusal == REFUSAL
    assert failure.remedy == LocalizedText(ja="更新してください", en="Renew it")
    assert failure.menu == MenuPath(steps=("RMS", "6. WEB APIサービス"))


def test_a_repr_shows_the_sentence_and_the_code_alone() -> None:
    failure = Rejected("their text is theirs", code="refused", refusal=REFUSAL)
    assert repr(failure) == "Rejected('their text is theirs', code='refused')"


def test_only_what_a_machine_mends_says_after_how_long() -> None:
    assert Retryable("busy", code="throttled", after=timedelta(seconds=3)).after == timedelta(seconds=3)
    assert Retryable("away", code="unavailable").after is None
    assert not hasattr(Rejected("no", code="refused"), "after")


@pytest.mark.parametrize("kind", get_args(Failure))
def test_a_failure_survives_a_copy_and_a_pickle(kind: type[Retryable]) -> None:
    failure = kind("why", code="unavailable", refusal=REFUSAL, field="name")
    for twin in (copy.copy(failure), pickle.loads(pickle.dumps(failure))):  # noqa: S301  our own bytes
        assert type(twin) is kind
        assert (twin.why, twin.code, twin.refusal, twin.field) == ("why", "unavailable", REFUSAL, "name")
