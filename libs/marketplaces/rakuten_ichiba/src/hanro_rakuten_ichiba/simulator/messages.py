"""Words what the order functions say: codes and texts of MessageModelList."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Message = dict[str, object]

SEARCH_ORDER = "SEARCH_ORDER"
GET_ORDER = "GET_ORDER"
CONFIRM_ORDER = "CONFIRM_ORDER"
GET_SUBSTATUS_LIST = "GET_SUBSTATUS_LIST"
CANCEL_ORDER = "CANCEL_ORDER"
# Names that the dossier gives to functions whose codes were not found (6 [?]).
CANCEL_ORDER_AFTER_SHIPPING = "CANCEL_ORDER_AFTER_SHIPPING"
UPDATE_ORDERSENDER = "UPDATE_ORDERSENDER"
UPDATE_ORDERSENDER_AFTER_SHIPPING = "UPDATE_ORDERSENDER_AFTER_SHIPPING"
UPDATE_ORDERSUBSTATUS = "UPDATE_ORDERSUBSTATUS"
UPDATE_ORDERMEMO = "UPDATE_ORDERMEMO"
UPDATE_ORDERREMARKS = "UPDATE_ORDERREMARKS"
UPDATE_ORDERORDERER = "UPDATE_ORDERORDERER"
UPDATE_ORDERDELIVERY = "UPDATE_ORDERDELIVERY"
GET_PAYMENT = "GET_PAYMENT"
_UNKNOWN = "(name and text of this code are not known)"

# Texts in brackets: the real ones were not found, and nobody may come to depend on ours.
TEXTS: Mapping[tuple[str, str], str] = {
    (SEARCH_ORDER, "INFO_101"): "注文検索に成功しました。",
    (SEARCH_ORDER, "INFO_102"): "注文検索に成功しました。(検索結果０件)",
    (GET_ORDER, "INFO_101"): "受注情報取得に成功しました。(取得件数{count}件)",
    (GET_ORDER, "INFO_102"): "受注情報が取得できませんでした。",
    (CONFIRM_ORDER, "INFO_101"): "注文確認に成功しました。",
    (CONFIRM_ORDER, "ERROR_102"): "(text unknown: already cancelled)",
    (CONFIRM_ORDER, "ERROR_103"): "(text unknown: already past confirmation)",
    (CONFIRM_ORDER, "ERROR_105"): "(text unknown: an amount is undecided)",
    (CONFIRM_ORDER, "ERROR_999"): "(text unknown: no such order)",
    (GET_SUBSTATUS_LIST, "INFO_101"): _UNKNOWN,
    (CANCEL_ORDER, "INFO_101"): "キャンセル申請に成功しました。",
    (CANCEL_ORDER_AFTER_SHIPPING, "INFO_101"): _UNKNOWN,
    (UPDATE_ORDERSENDER, "INFO_101"): "送付先情報の更新設定が完了しました。",
    (UPDATE_ORDERSENDER_AFTER_SHIPPING, "INFO_101"): _UNKNOWN,
    (UPDATE_ORDERSUBSTATUS, "INFO_101"): "サブステータスの更新設定が完了しました。",
    (UPDATE_ORDERSUBSTATUS, "ERROR_016"): "(text unknown: an order of another shop)",
    (UPDATE_ORDERSUBSTATUS, "ERROR_101"): "(text unknown: already cancelled)",
    (UPDATE_ORDERSUBSTATUS, "ERROR_102"): "指定された注文番号、サブステータスでは更新できません。",
    (UPDATE_ORDERMEMO, "INFO_101"): "ひとことメモ、担当者情報等の更新設定が完了しました。",
    (UPDATE_ORDERREMARKS, "INFO_101"): _UNKNOWN,
    (UPDATE_ORDERORDERER, "INFO_101"): _UNKNOWN,
    (UPDATE_ORDERDELIVERY, "INFO_101"): _UNKNOWN,
    (GET_PAYMENT, "INFO_101"): _UNKNOWN,
}


@dataclass(frozen=True)
class Answer:
    """State a function's answer before it is written: `value` is JSON, `has_effect` tells that an order changed."""

    status: int
    value: object
    has_effect: bool = False


def message(function: str, suffix: str, *, order_number: str | None = None, count: int | None = None) -> Message:
    """Make one entry; `orderNumber` is missing when None. Source: rakuten-ichiba-orders 2.1, 6."""
    text = TEXTS[function, suffix]
    return compose(function, suffix, text if count is None else text.format(count=count), order_number)


def compose(function: str, suffix: str, text: str, order_number: str | None = None) -> Message:
    """Make one entry with a text of its own; the type is the suffix's first word."""
    entry: Message = {
        "messageType": suffix.partition("_")[0],
        "messageCode": f"ORDER_EXT_API_{function}_{suffix}",
        "message": text,
    }
    return entry if order_number is None else {**entry, "orderNumber": order_number}


def missing(function: str, keys: Iterable[str]) -> list[Message]:
    """Word required keys that are missing. Source: rakuten-ichiba-orders 6 [2+]."""
    return [compose(function, "ERROR_009", f"{key}の項目を指定して下さい。") for key in keys]


def malformed(function: str, keys: Iterable[str]) -> list[Message]:
    """Word values of a bad format. Source: rakuten-ichiba-orders 6 [2+]."""
    return [compose(function, "ERROR_011", f"{key}の書式が不正です。") for key in keys]


def beyond(function: str, reasons: Iterable[str]) -> list[Message]:
    """Word values over a limit; their real codes are unknown. Source: rakuten-ichiba-orders 6, 14.5 [?]."""
    return [compose(function, "ERROR_999", f"(text unknown: {reason})") for reason in reasons]


def refusal(function: str, reason: str, order_number: str, status: int) -> Answer:
    """Refuse one order for a reason whose real code is unknown. Source: rakuten-ichiba-orders 6 [?]."""
    entry = compose(function, "ERROR_999", f"(text unknown: {reason})", order_number)
    return Answer(status, {"MessageModelList": [entry]})
