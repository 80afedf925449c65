"""Names the keys by which a shop's goods are found, the statuses of its orders, and the limits of outward texts."""

from collections.abc import Mapping
from types import MappingProxyType

from hanro.marketplace.types import (
    KeyField,
    LengthUnit,
    Level,
    OrderStatus,
    TextRule,
)
from hanro_rakuten_ichiba.declared.words import both

MANAGE_NUMBER = "manage_number"
VARIANT_ID = "variant_id"
MERCHANT_DEFINED_SKU_ID = "merchant_defined_sku_id"
ITEM_NUMBER = "item_number"

LINE_DELETED = "deleteItemFlag 1"
PACKAGE_DELETED = "packageDeleteFlag 1"

STATUSES: Mapping[str, OrderStatus] = MappingProxyType(
    {
        "100": OrderStatus.NEW,
        "200": OrderStatus.ACCEPTED,
        "300": OrderStatus.READY,
        "400": OrderStatus.ON_HOLD,
        "500": OrderStatus.SHIPPED,
        "600": OrderStatus.SHIPPED,
        "700": OrderStatus.COMPLETED,
        "800": OrderStatus.CANCELLING,
        "900": OrderStatus.CANCELLED,
        LINE_DELETED: OrderStatus.CANCELLED,
        PACKAGE_DELETED: OrderStatus.CANCELLED,
    }
)
"""orderProgress and what takes a line out. Source: rakuten-ichiba-orders 5.6, 5.7, 7.1 [2+]."""


def _key_rule(max_length: int) -> TextRule:
    return TextRule(max_length=max_length, unit=LengthUnit.CHARACTERS, charset="cp932")


# manageNumber folds to lower case, variantId is exact and unique in its item alone: rakuten-ichiba-catalog 1.3.
KEY_FIELDS = (
    KeyField(
        name=MANAGE_NUMBER,
        label=both("商品管理番号", "item management number"),
        level=Level.LISTING,
        rule=_key_rule(32),
        is_case_folded=True,
        is_unique=True,
        is_default=True,
    ),
    KeyField(
        name=VARIANT_ID,
        label=both("SKU管理番号", "SKU management number"),
        level=Level.VARIANT,
        rule=_key_rule(32),
        is_case_folded=False,
        is_unique=False,
        is_default=True,
    ),
    KeyField(
        name=MERCHANT_DEFINED_SKU_ID,
        label=both("システム連携用SKU番号", "SKU number for other systems"),
        level=Level.VARIANT,
        rule=_key_rule(96),
        is_case_folded=False,
        is_unique=False,
        is_default=False,
    ),
    KeyField(
        name=ITEM_NUMBER,
        label=both("商品番号", "item number"),
        level=Level.LISTING,
        rule=_key_rule(32),
        is_case_folded=False,
        is_unique=False,
        is_default=False,
    ),
)

# Mail may be of any length and character; what could end a header or a line early is never sent.
MAIL_SUBJECT = TextRule(
    max_length=None, unit=LengthUnit.CHARACTERS, charset="utf-8", refused=r"[\x00-\x1f\x7f\u2028\u2029]"
)
MAIL_BODY = TextRule(
    max_length=None,
    unit=LengthUnit.CHARACTERS,
    charset="utf-8",
    refused=r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]",
)
TEXT_RULES: Mapping[str, TextRule] = MappingProxyType({"mail_subject": MAIL_SUBJECT, "mail_body": MAIL_BODY})
