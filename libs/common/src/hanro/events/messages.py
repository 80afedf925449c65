"""Facts of notifier-svc: what became of a message to a buyer. No address, no text."""

from typing import ClassVar, Literal

from hanro.events.fact import Fact


class MessageFact(Fact):
    """Restate a message; its id (`msg_…`) is the aggregate."""

    topic: ClassVar[str] = "hanro.messages"

    order_id: str
    """The order it speaks of."""
    trigger: str
    """The milestone that asked for it, for example `new_order`."""
    occurrence: int
    """1 for the first time that the milestone was reached; a milestone that can recur counts on."""
    channel: Literal["api", "relay"]
    """How it goes out."""
    template: str
    """Name of the template; its text is rendered when it is sent."""
    state: Literal["planned", "sending", "handed_over", "refused", "in_doubt", "suppressed"]
    """`in_doubt`: it may or may not have left; a person decides."""
    reason_code: str | None = None
    """Why it was refused, suppressed or is in doubt."""


class MessageHandedOver(MessageFact):
    """The relay or the marketplace took the message."""

    type: ClassVar[str] = "hanro.message.handed_over.v1"


class MessageRefused(MessageFact):
    """The message was refused for good and surely did not leave."""

    type: ClassVar[str] = "hanro.message.refused.v1"


class MessageInDoubt(MessageFact):
    """The answer to the hand-over was lost: the message may have left. It is never sent again blindly."""

    type: ClassVar[str] = "hanro.message.in_doubt.v1"


class MessageSuppressed(MessageFact):
    """The message was not sent on purpose, for example because the milestone is too old."""

    type: ClassVar[str] = "hanro.message.suppressed.v1"
