"""Proves that ids sort by birth and say what they name."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanro.ids import born_at, is_id, least_id, new_id


def test_an_id_says_what_it_names() -> None:
    made = new_id("ord")
    assert made.startswith("ord_")
    assert is_id(made, "ord")
    assert not is_id(made, "acc")


def test_ids_sort_by_birth() -> None:
    born = []
    for _ in range(5):
        born.append(new_id("ord"))
        time.sleep(0.002)
    assert born == sorted(born)


def test_ids_never_repeat() -> None:
    assert len({new_id("ord") for _ in range(10_000)}) == 10_000


@given(st.text())
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_id(text, "ord")


def test_a_lower_case_a_longer_and_a_padded_id_are_none() -> None:
    made = new_id("ord")
    assert not is_id(made.lower(), "ord")
    assert not is_id(made + "0", "ord")
    assert not is_id(made + "\n", "ord")
    assert not is_id("", "")


def test_an_id_tells_when_it_was_made_and_lies_behind_the_least_of_that_time() -> None:
    before = datetime.now(UTC)
    made = new_id("ord")
    at = born_at(made)
    assert abs(at - before) < timedelta(minutes=1)
    assert least_id("ord", at) <= made < least_id("ord", at + timedelta(milliseconds=1))
    assert [least_id("ord", datetime(year, 1, 1, tzinfo=UTC))[:14] for year in (1, 1970)] == ["ord_0000000000"] * 2


def test_what_is_no_id_tells_no_time() -> None:
    with pytest.raises(ValueError, match="substring not found"):
        born_at("ord_nothing at all")
