"""Reads what the functions of the order family say: MessageModelList, whatever the HTTP status."""

from collections.abc import Callable, Mapping

from hanro.errors import Refusal
from hanro.value import value

_ERROR = "ERROR"


@value
class Message:
    """Hold one entry of MessageModelList; `order_number` None where the key is missing or null.

    Of shipping functions: `place` counts an order's rows from 1, `row_id` is shippingDetailId, `request_id` theirs of
    what they queued.
    """

    type: str
    code: str
    text: str
    order_number: str | None
    place: int | None = None
    row_id: str | None = None
    request_id: str | None = None

    @property
    def is_error(self) -> bool:
        """Tell whether it refuses: the type says so, not the HTTP status (rakuten-ichiba-orders 2.1 [2+])."""
        return self.type == _ERROR

    def refusal(self, http_status: int, request_id: str | None) -> Refusal:
        """Give it as a refusal, verbatim."""
        return Refusal(code=self.code, message=self.text, http_status=http_status, request_id=request_id)


def read_messages(members: Mapping[str, object], hide: Callable[[str], str]) -> tuple[Message, ...]:
    """Read MessageModelList; entries that are no objects are left out. `hide` takes secrets out of a text.

    Source: rakuten-ichiba-orders 2.1.
    """
    return tuple(
        Message(
            type=str(entry.get("messageType") or ""),
            code=hide(str(entry.get("messageCode") or "")),
            text=hide(str(entry.get("message") or "")),
            order_number=_text(entry, "orderNumber"),
            place=int(place) if (place := _text(entry, "dataNumber") or "").isdecimal() else None,
            row_id=_text(entry, "shippingDetailId"),
            request_id=_text(entry, "requestId"),
        )
        for entry in _entries(members, "MessageModelList")
    )


def read_results(members: Mapping[str, object], hide: Callable[[str], str]) -> Mapping[str | None, tuple[Message, ...]]:
    """Read ResultShippingModelList: what is said of each order; by None what names no order.

    Source: rakuten-ichiba-orders 4.6 [1].
    """
    return {
        _text(entry, "orderNumber"): read_messages(entry, hide)
        for entry in _entries(members, "ResultShippingModelList")
    }


def _entries(members: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    found = members.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _text(entry: Mapping[str, object], key: str) -> str | None:
    found = entry.get(key)
    return found if isinstance(found, str) else None
