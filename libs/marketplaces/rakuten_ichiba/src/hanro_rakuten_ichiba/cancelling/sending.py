"""Sends cancellations: reads the order, cancels it whole or restates it without the parts, and tells the outcome."""

from collections.abc import Sequence

from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Rejected, Retryable
from hanro.marketplace import status_of
from hanro.marketplace.types import (
    Cancellation,
    LineKey,
    OrderStatus,
    Outcome,
    OutcomeStatus,
    Receipt,
    SeenOrder,
)
from hanro_rakuten_ichiba.cancelling.restating import cancel_body, is_cancelled, judge_parts, leaves_nothing, restate
from hanro_rakuten_ichiba.client import Client, Reply
from hanro_rakuten_ichiba.declared.limits import CANCELLED_PER_CALL
from hanro_rakuten_ichiba.declared.words import ORDERS, both
from hanro_rakuten_ichiba.effects import Verdict, check_keys, in_doubt, keys_of, may_have_effect, rejected
from hanro_rakuten_ichiba.functions import CANCEL_ORDER, CANCEL_SHIPPED, CHANGE_ORDER, CHANGE_SHIPPED, Function
from hanro_rakuten_ichiba.reading import Read, read_orders

_OVER = frozenset({OrderStatus.CANCELLING, OrderStatus.CANCELLED})
_BEFORE_SHIPPING = frozenset({OrderStatus.NEW, OrderStatus.ACCEPTED, OrderStatus.READY})
_UNDATE = both(
    "発送日が登録されています。発送日を空にして発送情報を訂正してから、キャンセルしてください。",
    "a day of shipping is registered: correct the parcel without its day first, then cancel",
)


class Cancellations:
    """Cancel orders of one shop, and parts of them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def cancel(self, cancellations: Sequence[Cancellation]) -> Receipt[LineKey]:
        """Cancel an order whole, or restate it without lines, units, or a part of a price.

        The order is read before each of its cancellations: a part is taken from what stands then. One that stands
        cancelled already is APPLIED with `is_repeat`; parts cannot be told from those of before.

        Raises:
            Retryable, NeedsSeller, ContractBroken: nothing was changed.
            ValueError: more than one order, a key twice, a cancellation without a line.

        Source: rakuten-ichiba-orders 4.11 to 4.14, 8.3.
        """
        check_keys(cancellations, CANCELLED_PER_CALL)
        verdicts: dict[str, Verdict] = {}
        for one in cancellations:
            try:
                verdicts[one.id] = await self._cancel(one)
            except (Retryable, NeedsSeller, ContractBroken) as failure:
                if not any(may_have_effect(verdict) for verdict in verdicts.values()):
                    raise
                verdicts[one.id] = _not_sent(failure)
        return Receipt(outcomes=tuple(outcome for one in cancellations for outcome in outcomes(one, verdicts[one.id])))

    async def _cancel(self, cancellation: Cancellation) -> Verdict:
        number = cancellation.order.external_id
        order = judge_order(number, await read_orders(self._client, [number]))
        if isinstance(order, Verdict):
            return order
        if status_of(order.lines) in _OVER:
            return Verdict(status=OutcomeStatus.APPLIED, is_repeat=True)
        if not cancellation.is_whole and (refused := judge_parts(cancellation, order)) is not None:
            return refused
        is_whole = cancellation.is_whole or leaves_nothing(cancellation, order)
        if is_whole and not cancellation.is_shipped and _is_dated(order):
            failure = Rejected("a day of shipping is registered", code="parcel-dated", remedy=_UNDATE, menu=ORDERS)
            return Verdict(status=OutcomeStatus.REJECTED, failure=failure)
        body = cancel_body(cancellation) if is_whole else restate(cancellation, order)
        try:
            reply = await self._client.ask(function_of(cancellation, is_whole=is_whole), body, has_effect=True)
        except (InDoubt, ContractBroken) as failure:
            return in_doubt(failure)
        return _read(reply)


def function_of(cancellation: Cancellation, *, is_whole: bool) -> Function:
    """Give the function that carries a cancellation out."""
    if is_whole:
        return CANCEL_SHIPPED if cancellation.is_shipped else CANCEL_ORDER
    return CHANGE_SHIPPED if cancellation.is_shipped else CHANGE_ORDER


def judge_order(number: str, read: Read) -> SeenOrder | Verdict:
    """Give the order, or what stands against cancelling anything of it."""
    sighting = read.sightings.get(number)
    if sighting is None:
        return rejected("the marketplace does not know the order", "not-found", read.not_found.get(number))
    if not isinstance(sighting, SeenOrder):
        return rejected("the order cannot be read, so what is left of it is not known", "refused")
    return sighting


def judge_cancellation(cancellation: Cancellation, read: Read) -> Verdict:
    """Tell whether a cancellation stands; of units and prices only where it says what must be left."""
    order = judge_order(cancellation.order.external_id, read)
    if isinstance(order, Verdict):
        return order
    if status_of(order.lines) in _OVER:
        return Verdict(status=OutcomeStatus.APPLIED)
    is_gone = False if cancellation.is_whole else is_cancelled(cancellation, order)
    if is_gone is None:
        unknown = InDoubt("the order does not tell whether these units were cancelled", code="answer-lost")
        return Verdict(status=OutcomeStatus.IN_DOUBT, failure=unknown)
    if is_gone:
        return Verdict(status=OutcomeStatus.APPLIED)
    return _not_sent(Retryable("the order shows no such cancellation", code="unavailable"))


def outcomes(cancellation: Cancellation, verdict: Verdict) -> list[Outcome[LineKey]]:
    """Give the outcome of each line: one cancellation stands or falls as a whole."""
    return [
        Outcome(
            key=key,
            status=verdict.status,
            failure=verdict.failure,
            is_repeat=verdict.is_repeat,
            details=verdict.details,
        )
        for key in keys_of(cancellation)
    ]


def _is_dated(order: SeenOrder) -> bool:
    """Tell whether a day of shipping stands in the way; once shipped, another call is the right one."""
    return status_of(order.lines) in _BEFORE_SHIPPING and any(
        parcel.shipped_on for package in order.packages for parcel in package.parcels
    )


def _not_sent(failure: Retryable | NeedsSeller | ContractBroken) -> Verdict:
    return Verdict(status=OutcomeStatus.NOT_SENT, failure=failure)


def _read(reply: Reply) -> Verdict:
    """Read what was said; neither INFO nor ERROR leaves it in doubt."""
    error = next((message for message in reply.messages if message.is_error), None)
    if error is not None:
        return rejected("the marketplace refused to cancel", "refused", reply.refusal_of(error))
    said = next((message for message in reply.messages if message.type == "INFO"), None)
    if said is None:
        return in_doubt(ContractBroken("no message tells what became of the cancellation", code="unreadable"))
    return Verdict(status=OutcomeStatus.APPLIED, details=((said.code, said.text),))
