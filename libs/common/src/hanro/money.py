"""Holds money that hanro computes and sends: a decimal amount and its currency, never a float."""

from dataclasses import dataclass
from decimal import Decimal

DECIMAL_PLACES = {"JPY": 0, "EUR": 2}


@dataclass(frozen=True, slots=True)
class Money:
    """Be an amount of one currency (ISO 4217): JPY whole, EUR at most two places.

    Raises:
        ValueError: a currency that is not known, or more places than it has.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        places = DECIMAL_PLACES.get(self.currency)
        if places is None:
            raise ValueError(f"currency {self.currency!r} is not known")
        if not self.amount.is_finite() or self.amount != round(self.amount, places):
            raise ValueError(f"an amount of {self.currency} has at most {places} decimal places")

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
