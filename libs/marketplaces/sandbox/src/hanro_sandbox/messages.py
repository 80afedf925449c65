"""Writes to buyers and reads what they ask: the port's `Messages`."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC

from hanro.errors import ContractBroken, InDoubt, Rejected, Retryable
from hanro.marketplace import fit
from hanro.marketplace.port import Session
from hanro.marketplace.types import Inquiry, MessageRequest, OrderRef, Outcome, OutcomeStatus, Party, Window
from hanro_sandbox.client import Client, Reply
from hanro_sandbox.declared.keys import BODY, SUBJECT
from hanro_sandbox.fields import Misread, Tree, children, moment, optional_text, text
from hanro_sandbox.functions import SEARCH_MESSAGES, SEND_MESSAGE


def message_body(request: MessageRequest) -> dict[str, object]:
    """Write a message.

    Raises:
        Rejected: subject or body is not what may be sent.
    """
    return {
        "reference": request.id,
        "order": None if request.order is None else request.order.external_id,
        "line": request.line_id,
        "subject": None if request.subject is None else fit(request.subject, SUBJECT, "subject"),
        "body": fit(request.body, BODY, "body"),
        "reply_to": request.reply_to,
    }


class SandboxMessages:
    """Be the door to one shop's messages."""

    def __init__(self, session: Session) -> None:
        self._client = Client(session)

    async def send(self, request: MessageRequest) -> Outcome[str]:
        """Hand one message over, once; its reference finds it again.

        Raises:
            Retryable, NeedsSeller: nothing was sent.

        Source: README, Messages.
        """
        try:
            reply = await self._client.ask(SEND_MESSAGE, message_body(request), has_effect=True)
        except Rejected as failure:
            return Outcome(key=request.id, status=OutcomeStatus.REJECTED, failure=failure)
        except InDoubt as failure:
            return Outcome(key=request.id, status=OutcomeStatus.IN_DOUBT, failure=failure)
        except ContractBroken as failure:
            doubt = InDoubt("the answer cannot be read", code="answer-unreadable", refusal=failure.refusal)
            return Outcome(key=request.id, status=OutcomeStatus.IN_DOUBT, failure=doubt)
        made = reply.members.get("id")
        return Outcome(
            key=request.id,
            status=OutcomeStatus.APPLIED,
            is_repeat=reply.members.get("result") == "repeat",
            external_id=made if isinstance(made, str) else None,
        )

    async def verify(self, request: MessageRequest) -> Outcome[str]:
        """Look for the message by its reference.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
        """
        reply = await self._client.read(SEARCH_MESSAGES, {"reference": request.id})
        found = _messages(reply)
        if not found:
            absent = Retryable("the message is not there", code="unavailable")
            return Outcome(key=request.id, status=OutcomeStatus.NOT_SENT, failure=absent)
        return Outcome(key=request.id, status=OutcomeStatus.APPLIED, external_id=str(found[0].get("id")))

    def inquiries(self, window: Window, orders: Sequence[OrderRef] = ()) -> AsyncIterator[tuple[Inquiry, ...]]:
        """Yield what buyers wrote in the window, and all of `orders`, oldest first; reading marks nothing.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
        """
        return self._walk(window, [one.external_id for one in orders])

    async def _walk(self, window: Window, orders: Sequence[str]) -> AsyncIterator[tuple[Inquiry, ...]]:
        after: object = None
        while True:
            bounds = {"from": window.start.astimezone(UTC).isoformat(), "to": window.end.astimezone(UTC).isoformat()}
            reply = await self._client.read(SEARCH_MESSAGES, {**bounds, "orders": list(orders), "after": after})
            try:
                found = tuple(_inquiry(tree) for tree in _messages(reply))
            except Misread as error:
                raise ContractBroken(f"a message is not as documented: {error}", code="unreadable") from None
            if found:
                yield found
            before, after = after, reply.members.get("next")
            if after is None:
                return
            if after == before:
                raise ContractBroken("the search shows the same page again", code="pagination-stuck")


def _messages(reply: Reply) -> Sequence[Tree]:
    try:
        return children(reply.members, "messages")
    except Misread:
        raise ContractBroken("the answer has no list of messages", code="unreadable", field="/messages") from None


def _inquiry(tree: Tree) -> Inquiry:
    return Inquiry(
        external_id=text(tree, "id"),
        thread_id=text(tree, "thread"),
        author=Party.BUYER,
        sent=moment(tree, "sent_at"),
        subject=text(tree, "subject"),
        body=text(tree, "body"),
        is_answered=tree.get("is_answered") is True,
        is_claim=False,
        order_id=optional_text(tree, "order"),
        line_id=optional_text(tree, "line"),
        listing_id=None,
    )
