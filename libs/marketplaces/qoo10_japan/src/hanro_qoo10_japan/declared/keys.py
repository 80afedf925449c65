"""Names the keys by which a shop's goods are found and the statuses of its orders."""

from collections.abc import Mapping
from types import MappingProxyType

from hanro.marketplace.types import (
    CarrierCatalogue,
    KeyField,
    LengthUnit,
    Level,
    OrderStatus,
    PolicyPack,
    TextRule,
)
from hanro_qoo10_japan.declared.words import both

STATUSES: Mapping[str, OrderStatus] = MappingProxyType(
    {
        "1": OrderStatus.PENDING,
        "2": OrderStatus.NEW,
        "3": OrderStatus.READY,
        "4": OrderStatus.SHIPPED,
        "5": OrderStatus.COMPLETED,
        "claim 2": OrderStatus.CANCELLING,
        "claim 3": OrderStatus.CANCELLED,
        "claim 16": OrderStatus.CANCELLED,
    }
)
"""ShippingStatus, and the claimStatus that takes a line out. Source: qoo10-japan 6.1 [2+], 7.1 [2+]."""


def _key_rule(max_length: int) -> TextRule:
    return TextRule(max_length=max_length, unit=LengthUnit.CHARACTERS, charset="utf-8")


# qoo10-japan 5.1 [2+].
KEY_FIELDS = (
    KeyField(
        name="seller_code",
        label=both("販売者商品コード", "seller code"),
        level=Level.LISTING,
        rule=_key_rule(100),
        is_case_folded=False,
        is_unique=True,
        is_default=True,
    ),
    KeyField(
        name="option_code",
        label=both("オプションコード", "option code"),
        level=Level.VARIANT,
        rule=_key_rule(50),
        is_case_folded=False,
        is_unique=False,
        is_default=True,
    ),
    KeyField(
        name="item_code",
        label=both("Qoo10商品番号", "Qoo10 item code"),
        level=Level.LISTING,
        rule=_key_rule(20),
        is_case_folded=False,
        is_unique=True,
        is_default=False,
    ),
)
TEXT_RULES: Mapping[str, TextRule] = MappingProxyType({})
POLICY = PolicyPack(version="2026.1", rules=())
CARRIERS = CarrierCatalogue(version="2026.1", carriers=(), other_value=None, is_other_url_required=False)
