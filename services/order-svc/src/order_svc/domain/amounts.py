"""Writes amounts as facts tell them."""

from functools import lru_cache

from hanro.events.orders import StatedAmount
from hanro.marketplace.types import Amount


# Amounts come again and again (0, postage, the price of an offer), and both kinds are immutable.
@lru_cache(maxsize=4096)
def stated(amount: Amount) -> StatedAmount:
    """Give an amount as facts tell it: verbatim, and as a decimal string where it is decided."""
    money = amount.money
    return StatedAmount(
        text=amount.text, amount=f"{money.amount:f}" if money else None, currency=money.currency if money else None
    )
