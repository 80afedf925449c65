"""Reads what the functions of the order family say: MessageModelList, whatever the HTTP status."""

from collections.abc import Callable, Mapping

from hanro.errors import Refusal
from hanro.value import value

_ERROR = "ERROR"


@value
class Message:
    """Hold one entry of MessageModelList; `order_number` None where the key is missing or null."""

    type: str
    code: str
    text: str
    order_number: str | None

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
    entries = members.get("MessageModelList")
    return tuple(
        Message(
            type=str(entry.get("messageType") or ""),
            code=hide(str(entry.get("messageCode") or "")),
            text=hide(str(entry.get("message") or "")),
            order_number=number if isinstance(number := entry.get("orderNumber"), str) else None,
        )
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    )
