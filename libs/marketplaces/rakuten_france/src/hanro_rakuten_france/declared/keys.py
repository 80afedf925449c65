"""Names the keys by which a shop's goods are found and the statuses of its sales."""

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
from hanro_rakuten_france.declared.words import both

STATUSES: Mapping[str, OrderStatus] = MappingProxyType(
    {
        "PENDING": OrderStatus.PENDING,
        "REQUESTED": OrderStatus.NEW,
        "REMINDED": OrderStatus.NEW,
        "TO_CONFIRM": OrderStatus.NEW,
        "COMMITTED": OrderStatus.READY,
        "COMMITED": OrderStatus.READY,
        "ACCEPTED": OrderStatus.READY,
        "ON_HOLD": OrderStatus.ON_HOLD,
        "PENDING_CLAIM": OrderStatus.ON_HOLD,
        "CLAIM": OrderStatus.ON_HOLD,
        "CANCELLED": OrderStatus.CANCELLED,
        "REFUSED": OrderStatus.CANCELLED,
        "CLOSED": OrderStatus.COMPLETED,
        "shipped 1": OrderStatus.SHIPPED,
    }
)
"""itemstatus, and the mark that getiteminfos sets. Source: rakuten-france 3.1 [2+]."""


def _key_rule(max_length: int, charset: str = "iso-8859-1") -> TextRule:
    return TextRule(max_length=max_length, unit=LengthUnit.CHARACTERS, charset=charset)


# A sku is the seller's own reference and may be empty: rakuten-france, vocabulary [2+]; seed 004.
KEY_FIELDS = (
    KeyField(
        name="sku",
        label=both("SKU（出品者の参照番号）", "SKU (the seller's reference)"),
        level=Level.LISTING,
        rule=_key_rule(100),
        is_case_folded=False,
        is_unique=True,
        is_default=True,
    ),
    KeyField(
        name="ean",
        label=both("EANコード", "EAN code"),
        level=Level.LISTING,
        rule=_key_rule(13, "ascii"),
        is_case_folded=False,
        is_unique=False,
        is_default=False,
    ),
    KeyField(
        name="advert_id",
        label=both("広告ID", "advert id"),
        level=Level.LISTING,
        rule=_key_rule(20, "ascii"),
        is_case_folded=False,
        is_unique=True,
        is_default=False,
    ),
)
TEXT_RULES: Mapping[str, TextRule] = MappingProxyType({})
POLICY = PolicyPack(version="2026.1", rules=())
CARRIERS = CarrierCatalogue(version="2026.1", carriers=(), other_value="Autre", is_other_url_required=True)
"""No carriers yet; "Autre" wants a tracking URL. Source: rakuten-france 5.2, 5.3."""
