"""Holds money that hanro computes and sends: a decimal amount and its currency, never a float."""

from dataclasses import dataclass
from decimal import Decimal

DECIMAL_PLACES = {"JPY": 0, "EUR": 2}
TOO_LARGE = Decimal(10) ** 21  # with two places still within the 28 digits in which Decimal is exact


@dataclass(frozen=True, slots=True)
class Money:
    """Be an amount of one currency (ISO 4217): JPY whole, EUR with two places.

    Raises:
        ValueError: a currency that is not known, more places than it has, or an amount of 10^21 and more.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        places = DECIMAL_PLACES.get(self.currency)
        if places is None:
            raise ValueError(f"currency {self.currency!r} is not known")
        if self.amount.is_finite() and not -TOO_LARGE < self.amount < TOO_LARGE:
            raise ValueError(f"an amount of {self.currency} is below 10^21")
        if not self.amount.is_finite() or self.amount != round(self.amount, places):
            raise ValueError(f"an amount of {self.currency} has at most {places} decimal places")
        # One form for each amount, without "-0": a text like "0E-99999999" would else be written out in full.
        object.__setattr__(self, "amount", round(self.amount, places) + 0)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, count: int) -> "Money":
        return Money(self.amount * count, self.currency)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other.amount
