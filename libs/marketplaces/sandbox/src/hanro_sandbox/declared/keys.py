"""Names the keys by which goods are found, the states of lines, carriers, and the limits of outward texts."""

from collections.abc import Mapping
from types import MappingProxyType

from hanro.marketplace.types import (
    Carrier,
    CarrierCatalogue,
    KeyField,
    LengthUnit,
    Level,
    OrderStatus,
    PolicyPack,
    TextRule,
)
from hanro_sandbox.declared.words import both

LISTING = "listing"
VARIANT = "variant"

STATUSES: Mapping[str, OrderStatus] = MappingProxyType(
    {
        "pending": OrderStatus.PENDING,
        "new": OrderStatus.NEW,
        "ready": OrderStatus.READY,
        "on_hold": OrderStatus.ON_HOLD,
        "shipped": OrderStatus.SHIPPED,
        "delivered": OrderStatus.COMPLETED,
        "cancelling": OrderStatus.CANCELLING,
        "cancelled": OrderStatus.CANCELLED,
        "refused": OrderStatus.CANCELLED,
        "expired": OrderStatus.CANCELLED,
    }
)


def _text(max_length: int) -> TextRule:
    return TextRule(
        max_length=max_length, unit=LengthUnit.CHARACTERS, charset="utf-8", refused=r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
    )


KEY_FIELDS = (
    KeyField(
        name=LISTING,
        label=both("商品管理番号", "listing key"),
        level=Level.LISTING,
        rule=_text(64),
        is_case_folded=False,
        is_unique=True,
        is_default=True,
    ),
    KeyField(
        name=VARIANT,
        label=both("SKU 管理番号", "variant key"),
        level=Level.VARIANT,
        rule=_text(64),
        is_case_folded=False,
        is_unique=False,
        is_default=True,
    ),
)
SUBJECT, BODY = _text(100), _text(4000)
TEXT_RULES: Mapping[str, TextRule] = MappingProxyType(
    {"title": _text(127), "description": _text(10_000), "message_subject": SUBJECT, "message_body": BODY}
)
POLICY = PolicyPack(version="2026.1", rules=())


def _carrier(code: str, ja: str, en: str, *, alias: str, url: str, pattern: str) -> Carrier:
    return Carrier(
        code=code,
        names=both(ja, en),
        aliases=(alias,),
        marketplace_value=code,
        tracking_url=url,
        number_pattern=pattern,
        is_url_required=False,
    )


CARRIERS = CarrierCatalogue(
    version="2026.1",
    carriers=(
        _carrier(
            "yamato",
            "ヤマト運輸",
            "Yamato Transport",
            alias="クロネコヤマト",
            url="https://jizen.kuronekoyamato.co.jp/jizen/servlet/crjz.b.NQ0010?id={tracking_number}",
            pattern=r"\d{12}",
        ),
        _carrier(
            "sagawa",
            "佐川急便",
            "Sagawa Express",
            alias="飛脚宅配便",
            url="https://k2k.sagawa-exp.co.jp/p/web/okurijosearch.do?okurijoNo={tracking_number}",
            pattern=r"\d{12}",
        ),
        _carrier(
            "japan_post",
            "日本郵便",
            "Japan Post",
            alias="ゆうパック",
            url="https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1={tracking_number}",
            pattern=r"\d{11,13}|[A-Z]{2}\d{9}[A-Z]{2}",
        ),
    ),
    other_value="other",
    is_other_url_required=False,
)
