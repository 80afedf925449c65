"""Reads a pushed notice: it names the shop's key, and is a hint to fetch, never the truth."""

import hmac
import json

from hanro.marketplace.port import Secrets
from hanro.marketplace.types import HttpAnswer, Notice, NoticeKind, Notices
from hanro_sandbox.declared.credential_form import NOTICE_KEY
from hanro_sandbox.fields import moment, text

_KINDS = {
    "order_placed": NoticeKind.ORDER_PLACED,
    "order_changed": NoticeKind.ORDER_CHANGED,
    "order_released": NoticeKind.ORDER_RELEASED,
    "order_cancelled": NoticeKind.ORDER_CANCELLED,
}
_LONGEST = 65_536
_MOST_ORDERS = 100


def read_notice(body: bytes, secrets: Secrets) -> Notices:
    """Read a notice; one without the shop's key, or that makes no sense, yields nothing and is refused.

    Source: README, Notices.
    """
    read = _read(body) if len(body) <= _LONGEST else None
    if read is None:
        return _refused("malformed", secrets)
    said, notice = read
    key = secrets.values.get(NOTICE_KEY, "")
    if not key or not hmac.compare_digest(said.encode(), key.encode()):
        return _refused("wrong_key", secrets)
    return Notices(notices=(notice,), stored=_reply("stored", secrets), failed=_reply("failed", secrets))


def _read(body: bytes) -> tuple[str, Notice] | None:
    try:
        tree = json.loads(body)
        orders = tree["orders"]
        if (
            not isinstance(orders, list)
            or len(orders) > _MOST_ORDERS
            or not all(isinstance(one, str) for one in orders)
        ):
            return None
        kind = _KINDS.get(text(tree, "kind"), NoticeKind.OTHER)
        notice = Notice(external_id=text(tree, "id"), kind=kind, order_ids=tuple(orders), at=moment(tree, "at"))
        return text(tree, "key"), notice
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _refused(result: str, secrets: Secrets) -> Notices:
    reply = _reply(result, secrets)
    return Notices(notices=(), stored=reply, failed=reply)


def _reply(result: str, secrets: Secrets) -> HttpAnswer:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    # It was never sent by the transport: the time is one that does not change.
    return HttpAnswer(
        status=200, headers=headers, body=json.dumps({"result": result}).encode(), sent_at=secrets.stored_at
    )
