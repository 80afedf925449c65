"""Keeps what sellers and buyers write to each other."""

from hanro_sandbox.simulator.life import Market
from hanro_sandbox.simulator.shops import Shop
from hanro_sandbox.simulator.wire import Refused, Tree, read_moment, write_moment

PAGE = 100
SUBJECT_LIMIT = 100
BODY_LIMIT = 4000


def send_message(market: Market, shop: Shop, body: Tree) -> tuple[Tree, bool]:
    """Hand one message of the seller to a buyer; the same reference again is the same message."""
    reference, order_id, answered = body.get("reference"), body.get("order"), body.get("reply_to")
    if not reference or not body.get("body"):
        raise Refused(422, "missing", "reference と body が必要です。", field="reference")
    known = next((one for one in shop.messages if one["reference"] == reference), None)
    if known is not None:
        return {"id": known["id"], "result": "repeat"}, False
    asked = next((one for one in shop.messages if one["id"] == answered), None)
    if (answered is not None and asked is None) or (order_id is not None and order_id not in shop.orders):
        raise Refused(422, "unknown_order", "注文または問い合わせが見つかりません。", field="order")
    if len(str(body["body"])) > BODY_LIMIT or len(str(body.get("subject") or "")) > SUBJECT_LIMIT:
        raise Refused(422, "too_long", f"本文は {BODY_LIMIT} 文字までです。", field="body")
    if asked is not None:
        asked["is_answered"] = True
    made = add_message(market, shop, "seller", order_id, body)
    return {"id": made["id"], "result": "done", "message": "送信しました。"}, True


def add_message(market: Market, shop: Shop, author: str, order_id: str | None, body: Tree) -> Tree:
    """Keep a message."""
    number = market.number("message")
    made: Tree = {
        "id": number,
        "reference": body.get("reference"),
        "thread": body.get("reply_to") or number,
        "author": author,
        "order": order_id,
        "line": body.get("line"),
        "sent_at": write_moment(market.now()),
        "subject": body.get("subject") or "",
        "body": body["body"],
        "is_answered": False,
    }
    shop.messages.append(made)
    return made


def search_messages(market: Market, shop: Shop, body: Tree) -> Tree:
    """Show messages: those of a reference, or those of buyers in a time, oldest first, behind `after`."""
    del market
    if body.get("reference") is not None:
        return {"messages": [one for one in shop.messages if one["reference"] == body["reference"]], "next": None}
    start, end = (read_moment(body.get(name), name) for name in ("from", "to"))
    orders, after = body.get("orders") or [], body.get("after")
    found = [
        one
        for one in shop.messages
        if one["author"] == "buyer"
        and (one["order"] in orders or start <= read_moment(one["sent_at"], "sent_at") < end)
    ]
    ids = [one["id"] for one in found]
    rest = found[ids.index(after) + 1 :] if after in ids else found
    shown = rest[:PAGE]
    return {"messages": shown, "next": shown[-1]["id"] if len(rest) > len(shown) else None}
