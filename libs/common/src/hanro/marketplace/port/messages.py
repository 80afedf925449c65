"""States how a plug-in speaks with buyers through the marketplace's API."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from hanro.marketplace.types.effects import Outcome
from hanro.marketplace.types.exchange import Inquiry, MessageRequest
from hanro.marketplace.types.orders import OrderRef
from hanro.marketplace.types.plain import Window


class Messages(Protocol):
    """Hand over messages by the API and read what buyers write. Caller: notifier-svc."""

    async def send(self, request: MessageRequest) -> Outcome[str]:
        """Hand one message over by the API, once; key: request id.

        Never repeatable: IN_DOUBT stays so until a person decides.

        Raises:
            Retryable: nothing left; send it again as it is.
            NeedsSeller: key refused or grant missing.
            Unsupported: MESSAGE_BUYER, or ANSWER_INQUIRY for a reply, is absent.
        """

    async def verify(self, request: MessageRequest) -> Outcome[str]:
        """Look for the message in what they show; IN_DOUBT where they show none.

        Raises:
            Retryable: throttled or unavailable.
            NeedsSeller: key refused or grant missing.
            ContractBroken: an unreadable answer.
        """

    def inquiries(self, window: Window, orders: Sequence[OrderRef] = ()) -> AsyncIterator[tuple[Inquiry, ...]]:
        """Yield messages of buyers and marketplace, also of `orders` from an `unread`.

        May mark them read there: store each page before the next.

        Raises:
            Retryable: throttled or unavailable; what was yielded stands.
            NeedsSeller: key refused or grant missing.
            ContractBroken: an unreadable answer.
            Unsupported: READ_INQUIRIES is absent.
        """
