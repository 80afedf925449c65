"""Says what a message is, which states it has, and how a fact restates it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hanro.events.messages import (
    MessageFact,
    MessageHandedOver,
    MessageInDoubt,
    MessageRefused,
    MessageSuppressed,
)
from hanro.marketplace.types.enums.rules import Channel, Trigger

PREFIX = "msg"
OBSERVED = "observed"
"""Why a message was suppressed that would have gone: its account only observes."""
SWITCHED_OFF = "messages-off"
"""Why a message was suppressed while the account's messages were switched off."""

BUYER_ERASED = "buyer-erased"
"""Why a message was suppressed whose order's buyer was erased."""


class State(StrEnum):
    """Tell how far a message is.

    `planned` waits to be sent. `sending`: it may be on its way. `handed_over`: the relay took it. `refused`: surely not
    sent, for good. `in_doubt`: it may have left; a person decides. `suppressed`: not sent on purpose.
    """

    PLANNED = "planned"
    SENDING = "sending"
    HANDED_OVER = "handed_over"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    SUPPRESSED = "suppressed"


class Decision(StrEnum):
    """Say what a person decided about a message in doubt."""

    SENT_THERE = "sent_there"
    SEND_AGAIN = "send_again"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Be one message to one buyer, without address or text.

    `milestone_at` is when what it tells came true; after `expires_at` it is no longer sent. `next_at` is when a sender
    may look at it, None once its fate is known. `attempt` rises with each claim: only the newest claimer may settle it.
    `failure_count` counts known failures in a row. `version` is that of the last fact, 0 before the first. `mail_id` is
    the Message-ID, fixed at the first attempt. `answer` is what the relay said, without addresses. `plan` is what would
    have gone where the account only observes, without address or text. A test (`is_test`) goes to the shop itself, is
    about no order, and no fact tells of it.
    """

    id: str
    account_id: str
    account_epoch: int
    marketplace_id: str
    order_id: str | None
    order_external_id: str | None
    trigger: Trigger
    occurrence: int
    channel: Channel
    template: str
    state: State
    reason_code: str | None
    milestone_at: datetime
    planned_at: datetime
    expires_at: datetime
    changed_at: datetime
    next_at: datetime | None
    version: int = 0
    attempt: int = 0
    failure_count: int = 0
    template_version: int | None = None
    mail_id: str | None = None
    answer: str | None = None
    handed_over_at: datetime | None = None
    decision: Decision | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    plan: Mapping[str, str] | None = None
    is_test: bool = False


FACTS: dict[State, type[MessageFact]] = {
    State.HANDED_OVER: MessageHandedOver,
    State.REFUSED: MessageRefused,
    State.IN_DOUBT: MessageInDoubt,
    State.SUPPRESSED: MessageSuppressed,
}


def restate(message: Message) -> MessageFact:
    """Give the fact that tells a message's fate; its version is the message's own.

    Raises:
        KeyError: it has none yet (planned, sending).
        ValueError: it is a test, of which no fact tells.
    """
    if message.order_id is None:
        raise ValueError("no fact tells of a test")
    return FACTS[message.state](
        id=message.id,
        version=message.version,
        at=message.changed_at,
        account_id=message.account_id,
        account_epoch=message.account_epoch,
        order_id=message.order_id,
        trigger=message.trigger.value,
        occurrence=message.occurrence,
        channel=message.channel.value,
        template=message.template,
        state=message.state.value,
        reason_code=message.reason_code,
    )


def restate_all(messages: Iterable[Message]) -> list[MessageFact]:
    """Give the facts that tell of these messages; tests are left out."""
    return [restate(message) for message in messages if not message.is_test]
