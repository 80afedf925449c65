"""Says in words why an order must not be accepted or shipped now."""

from collections.abc import Iterable, Mapping

from hanro.errors import LocalizedText
from hanro.marketplace.types import Hold

TEXTS: Mapping[Hold, LocalizedText] = {
    Hold.AMOUNT: LocalizedText(
        ja="金額(送料・手数料など)が確定していません。マーケットプレイスで確定するまで計上しません。",
        en="An amount (postage, a fee) is not fixed; nothing is booked until it is fixed at the marketplace.",
    ),
    Hold.PAYMENT: LocalizedText(
        ja="決済が完了していません(与信・入金待ち)。",
        en="The payment is open: the card is not authorised yet, or the money has not arrived.",
    ),
    Hold.PREORDER: LocalizedText(
        ja="予約商品の注文です。発売・入荷を待っています。", en="It is a pre-order: its goods are still to come."
    ),
    Hold.CHECK: LocalizedText(ja="マーケットプレイスが注文を確認中です。", en="The marketplace is checking the order."),
    Hold.ADDRESS: LocalizedText(
        ja="お届け先がまだ入力されていません。発送しないでください。",
        en="The receiver has not given the address yet: do not ship.",
    ),
    Hold.NEGOTIATION: LocalizedText(
        ja="購入者との交渉が続いています。", en="The price is still being negotiated with the buyer."
    ),
    Hold.CLAIM: LocalizedText(
        ja="キャンセルや返品などの申請に回答が必要です。", en="A claim of the buyer waits to be settled."
    ),
    Hold.CHANGE: LocalizedText(
        ja="変更した金額をマーケットプレイスが再決済しています。",
        en="The order was changed, and the marketplace settles the new amount.",
    ),
}


def text_of(hold: str) -> LocalizedText:
    """Say why an order is held, by the hold's code."""
    return TEXTS[Hold(hold)]


def way_out(holds: Iterable[str]) -> LocalizedText:
    """Say of what somebody cannot do meanwhile what it waits for."""
    texts = [text_of(hold) for hold in holds]
    return LocalizedText(
        ja="".join([*(one.ja for one in texts), "解消すると受注・出荷できます。"]),
        en=" ".join([*(one.en for one in texts), "Once that is over the order can be accepted and shipped."]),
    )
