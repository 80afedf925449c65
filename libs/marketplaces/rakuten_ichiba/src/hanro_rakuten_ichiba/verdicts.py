"""Judges what becomes of a decision: from the order as it stands, and from what confirmOrder said."""

from collections.abc import Sequence

from hanro.errors import ContractBroken, Retryable
from hanro.marketplace import status_of
from hanro.marketplace.types import (
    Capability,
    Decision,
    OrderStatus,
    OrderTime,
    OutcomeStatus,
    SeenOrder,
)
from hanro_rakuten_ichiba.client import Reply
from hanro_rakuten_ichiba.declared.capabilities import unsupported
from hanro_rakuten_ichiba.effects import Verdict, in_doubt, rejected
from hanro_rakuten_ichiba.functions import CONFIRM_PREFIX
from hanro_rakuten_ichiba.messages import Message
from hanro_rakuten_ichiba.reading import Read

_CANCELLED, _ALREADY_CONFIRMED, _UNDECIDED = "ERROR_102", "ERROR_103", "ERROR_105"
_OVER = frozenset({OrderStatus.CANCELLING, OrderStatus.CANCELLED})


def judge_standing(decision: Decision, read: Read) -> Verdict | None:
    """Decide what needs no request; None: ask to confirm, also where they will refuse, for their own words."""
    number = decision.order.external_id
    sighting = read.sightings.get(number)
    if sighting is None:
        return rejected("the marketplace does not know the order", "not-found", read.not_found.get(number))
    if not isinstance(sighting, SeenOrder):
        return rejected("the order cannot be read, so its lines are not known", "refused")
    live = {line.external_id for line in sighting.lines if line.status is not OrderStatus.CANCELLED}
    if not live <= set(decision.line_ids):
        return Verdict(status=OutcomeStatus.REJECTED, failure=unsupported(Capability.ACCEPT_LINE))
    is_accepted = OrderTime.ACCEPTED in sighting.times and status_of(sighting.lines) not in _OVER
    return Verdict(status=OutcomeStatus.APPLIED, is_repeat=True) if is_accepted else None


def judge_acceptance(number: str, read: Read) -> Verdict:
    """Tell whether an order stands accepted; a cancellation after that does not undo the acceptance."""
    sighting = read.sightings.get(number)
    if sighting is None:
        return rejected("the marketplace does not know the order", "not-found", read.not_found.get(number))
    if not isinstance(sighting, SeenOrder):
        return in_doubt(sighting.failure)
    if OrderTime.ACCEPTED in sighting.times:
        return Verdict(status=OutcomeStatus.APPLIED)
    match status_of(sighting.lines):
        case OrderStatus.NEW:
            failure = Retryable("the order still waits for its confirmation", code="unavailable")
            return Verdict(status=OutcomeStatus.NOT_SENT, failure=failure)
        case OrderStatus.CANCELLING | OrderStatus.CANCELLED:
            return rejected("the order was cancelled", "order-cancelled")
        case _:
            return Verdict(status=OutcomeStatus.APPLIED)


def judge_read_back(number: str, read: Read, said: Verdict) -> Verdict:
    """Judge an order that was no longer new when it was to be confirmed. Source: rakuten-ichiba-orders 14.14."""
    verdict = judge_acceptance(number, read)
    if verdict.status is OutcomeStatus.APPLIED:
        return Verdict(status=OutcomeStatus.APPLIED, is_repeat=True)
    return said if verdict.status is OutcomeStatus.NOT_SENT else verdict


def is_already_confirmed(message: Message | None) -> bool:
    """Tell whether they say that the order has left state 100: it is read back to see where it stands."""
    return message is not None and message.code == CONFIRM_PREFIX + _ALREADY_CONFIRMED


def find_message(number: str, batch: Sequence[str], reply: Reply) -> Message | None:
    """Find an order's message: an error where there are several; a single one may lack the number (2.1 [wire])."""
    messages = reply.messages
    own = [message for message in messages if message.order_number == number]
    if not own and len(batch) == len(messages) == 1 and messages[0].order_number is None:
        own = list(messages)
    return next((message for message in own if message.is_error), own[0] if own else None)


def read_verdict(message: Message | None, reply: Reply) -> Verdict:
    """Read what confirmOrder said of one order; no message, or one of another type, leaves it in doubt."""
    if message is None or message.type not in ("INFO", "ERROR"):
        return in_doubt(ContractBroken("no message tells what became of the order", code="unreadable"))
    if message.type == "INFO":
        return Verdict(status=OutcomeStatus.APPLIED, details=((message.code, message.text),))
    refusal = reply.refusal_of(message)
    match message.code.removeprefix(CONFIRM_PREFIX):
        case code if code == _CANCELLED:
            return rejected("the order was cancelled", "order-cancelled", refusal)
        case code if code == _UNDECIDED:
            return rejected("an amount of the order is not decided yet; decide it in RMS", "refused", refusal)
        case _:
            return rejected("the marketplace refused to confirm the order", "refused", refusal)


def split_refused(batch: list[str], reply: Reply) -> tuple[dict[str, Verdict], list[list[str]]]:
    """Split a list that was refused whole: what its messages name, or is alone, is REJECTED; the rest is sent again."""
    errors = [message for message in reply.messages if message.is_error]
    named = {m.order_number: read_verdict(m, reply) for m in errors if m.order_number in batch}
    if not named and len(batch) == 1:
        refusal = reply.refusal_of(errors[0]) if errors else None
        return {batch[0]: rejected("the marketplace refused to confirm the order", "refused", refusal)}, []
    if not named:
        middle = len(batch) // 2
        # The last one is taken first.
        return {}, [batch[middle:], batch[:middle]]
    rest = [number for number in batch if number not in named]
    return {number: verdict for number, verdict in named.items() if number is not None}, [rest] if rest else []
