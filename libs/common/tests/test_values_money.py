"""Proves that money stays exact and never mixes currencies."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanro.money import DECIMAL_PLACES, Money

CURRENCIES = st.sampled_from(sorted(DECIMAL_PLACES))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Money, Money]:
    """Draw two amounts of one currency, of any sign, as large as marketplaces state them."""
    currency = draw(CURRENCIES)
    places = DECIMAL_PLACES[currency]
    amounts = st.integers(-(10**15), 10**15).map(lambda units: Decimal(units).scaleb(-places))
    return Money(draw(amounts), currency), Money(draw(amounts), currency)


@given(pairs())
def test_what_is_added_and_taken_away_again_leaves_the_amount(pair: tuple[Money, Money]) -> None:
    one, other = pair
    assert one + other - other == one
    assert one + other == other + one


@given(pairs(), st.integers(0, 1000))
def test_multiplying_is_adding_that_often(pair: tuple[Money, Money], count: int) -> None:
    one, other = pair
    assert (one + other) * count == one * count + other * count
    assert one * (count + 1) == one * count + one


@given(pairs())
def test_an_amount_survives_its_text(pair: tuple[Money, Money]) -> None:
    amount, currency = str(pair[0]).split()
    assert Money(Decimal(amount), currency) == pair[0]
    assert "E" not in amount


def test_trailing_zeros_are_no_decimal_places() -> None:
    assert Money(Decimal("1980.0000"), "JPY") == Money(Decimal(1980), "JPY")
    assert hash(Money(Decimal("1980.0000"), "JPY")) == hash(Money(Decimal(1980), "JPY"))


@pytest.mark.parametrize(
    ("text", "written"), [("-0", "0.00 EUR"), ("0E-99999999", "0.00 EUR"), ("1.5", "1.50 EUR"), ("1E+2", "100.00 EUR")]
)
def test_an_amount_is_written_in_one_form(text: str, written: str) -> None:
    assert str(Money(Decimal(text), "EUR")) == written


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0.5", "JPY"),
        ("1e-99999999", "JPY"),
        ("1980.01", "JPY"),
        ("0.001", "EUR"),
        ("NaN", "JPY"),
        ("Infinity", "EUR"),
        ("sNaN", "JPY"),
    ],
)
def test_an_amount_that_the_currency_cannot_hold_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match="decimal places"):
        Money(Decimal(amount), currency)


@pytest.mark.parametrize("amount", ["1e21", "-1e21", "1e999999", "1e99999999", "9" * 30])
def test_an_amount_that_could_not_be_counted_exactly_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="below"):
        Money(Decimal(amount), "JPY")


@pytest.mark.parametrize("currency", ["jpy", "", "XXX", "円"])
def test_a_currency_that_is_not_known_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="is not known"):
        Money(Decimal(1), currency)


def test_two_currencies_do_not_add_up() -> None:
    yen, euro = Money(Decimal(1), "JPY"), Money(Decimal(1), "EUR")
    with pytest.raises(ValueError, match="JPY and EUR"):
        yen + euro
    with pytest.raises(ValueError, match="EUR and JPY"):
        euro - yen
