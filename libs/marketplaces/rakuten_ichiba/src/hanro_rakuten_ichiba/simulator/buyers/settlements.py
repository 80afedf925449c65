"""Knows how a synthetic buyer pays: the settlement methods with their names, charges and due dates.

Source: rakuten-ichiba-orders 5.4, 7.4 [2+], fragment of 15.2.
"""

import random
from dataclasses import dataclass
from datetime import date

CARD = 1
CASH_ON_DELIVERY = 2
POINTS = 8
BANK_TRANSFER = 9
CONVENIENCE_STORE = 14
PAY_LATER = 21

_NAMES = {
    CARD: "クレジットカード",
    CASH_ON_DELIVERY: "代金引換",
    POINTS: "ポイント",
    BANK_TRANSFER: "銀行振込",
    CONVENIENCE_STORE: "ファミリーマート、ローソン等（前払）",
    PAY_LATER: "後払い決済",
}
# Renamed on 2026-01-22 under the same code (7.4 [2+]).
_CONVENIENCE_STORE_RENAMED_ON = date(2026, 1, 22)
_CONVENIENCE_STORE_OLD_NAME = "ローソン、郵便局ATM等（前払）"

PREPAID = frozenset({BANK_TRANSFER, CONVENIENCE_STORE})
CASH_ON_DELIVERY_FEE_JPY = 330
_CHARGES_JPY = {PAY_LATER: 250}
_INSTALMENTS = ("103", "105", "106", "110", "112")
_ONCE, _REVOLVING, _IN_INSTALMENTS = 0, 1, 2


@dataclass(frozen=True)
class Settlement:
    """A SettlementModel with the charge that it brings, in JPY with tax at 10%."""

    method: int
    charge: int
    model: dict[str, object]


def choose_settlement(
    chance: random.Random, method: int, *, placed_on: date, card_owner: str, is_plain: bool
) -> Settlement:
    """Return the settlement of a method; card fields are null for all but cards, whose numbers are all zeros."""
    name = _NAMES[method]
    if method == CONVENIENCE_STORE and placed_on < _CONVENIENCE_STORE_RENAMED_ON:
        name = _CONVENIENCE_STORE_OLD_NAME
    model: dict[str, object] = {
        "settlementMethodCode": method,
        "settlementMethod": name,
        "rpaySettlementFlag": int(method != CASH_ON_DELIVERY),
        "cardName": None,
        "cardNumber": None,
        "cardOwner": None,
        "cardYm": None,
        "cardPayType": None,
        "cardInstallmentDesc": None,
    }
    if method == CARD:
        pay_type = _ONCE if is_plain else chance.choice((_ONCE, _ONCE, _ONCE, _ONCE, _REVOLVING, _IN_INSTALMENTS))
        model |= {
            "cardName": chance.choice(("VISA", "JCB", "Mastercard")),
            "cardNumber": "XXXX-XXXX-XXXX-0000",
            "cardOwner": card_owner,
            "cardYm": f"2030-{chance.randrange(1, 13):02d}",
            "cardPayType": pay_type,
            "cardInstallmentDesc": chance.choice(_INSTALMENTS) if pay_type == _IN_INSTALMENTS else None,
        }
    return Settlement(method=method, charge=_CHARGES_JPY.get(method, 0), model=model)
