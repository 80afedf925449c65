"""Reads orders by their numbers: getOrder, a hundred at a time."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from hanro.errors import ContractBroken, Refusal
from hanro.marketplace.types import SeenOrder, Sighting, UnreadableOrder
from hanro.value import value
from hanro_rakuten_ichiba.client import Client, Reply
from hanro_rakuten_ichiba.decoding import Fragment
from hanro_rakuten_ichiba.functions import GET_ORDER, GET_PAYMENT, PAYMENT_VERSION, PREFIX
from hanro_rakuten_ichiba.mapping.fields import Misread
from hanro_rakuten_ichiba.mapping.order import map_order
from hanro_rakuten_ichiba.mapping.payments import with_payments

VERSION = 10
"""The newest tree. Source: rakuten-ichiba-orders 5.1 [2+]."""
SLICE = 10
"""Orders that are mapped before others may run: one or two milliseconds."""
_NOT_FOUND = f"{PREFIX}GET_ORDER_INFO_102"
_OK = 200


@value
class Read:
    """Hold what getOrder gave: sightings by the number asked, and what they said of the others: unknown."""

    sightings: Mapping[str, Sighting]
    nameless: tuple[Sighting, ...]
    not_found: Mapping[str, Refusal]


def check(reply: Reply, what: str, numbers: Iterable[str] = ()) -> None:
    """Refuse an answer of a read that its function refused, also with 200; a message may refuse one of `numbers` alone.

    Raises:
        ContractBroken: refused; what we send is always well-formed.

    Source: rakuten-ichiba-orders 2.1 [2+].
    """
    wanted = frozenset(numbers)
    said = next((one for one in reply.messages if one.is_error and one.order_number not in wanted), None)
    if reply.status != _OK or said is not None:
        refusal = None if said is None else reply.refusal_of(said)
        raise ContractBroken(f"{what} was refused", code="unreadable", refusal=refusal)


async def read_orders(client: Client, numbers: Sequence[str]) -> Read:
    """Read up to 100 orders in any state; none asks nothing.

    An order is not found where they say so. One that is neither there nor told of is an UnreadableOrder without bytes:
    silence is no news of it.

    Raises:
        Retryable, NeedsSeller, ContractBroken: as `Client.read`; one bad order is an UnreadableOrder instead.

    Source: rakuten-ichiba-orders 4.2 [2+], an answer with found and unknown orders [?].
    """
    if not numbers:
        return Read(sightings=MappingProxyType({}), nameless=(), not_found=MappingProxyType({}))
    reply = await client.read(GET_ORDER, {"orderNumberList": list(numbers), "version": VERSION})
    check(reply, "reading orders", numbers)
    sightings, nameless = _match(await map_orders(reply.document.orders, reply.sent_at), numbers)
    # The number may be missing in a message altogether (2.1 [wire]).
    told = {message.order_number: message for message in reply.messages if message.code == _NOT_FOUND}
    missing = [number for number in numbers if number not in sightings]
    not_found = {
        number: reply.refusal_of(message) for number in missing if (message := told.get(number) or told.get(None))
    }
    silent = [number for number in missing if number not in not_found]
    if len(silent) == len(nameless) == 1:
        # One order without a number, one number without an order: it is that one.
        number = silent.pop()
        sightings[number] = _named(nameless.pop(), number)
    sightings |= {number: _untold(number, reply) for number in silent}
    return Read(sightings=sightings, nameless=tuple(nameless), not_found=not_found)


async def read_payments(client: Client, sighting: Sighting) -> Sighting:
    """Add an order's payment records; one that cannot be read makes the order unreadable, as it was asked for.

    Raises:
        Retryable, NeedsSeller, ContractBroken: as `Client.read`.

    Source: rakuten-ichiba-orders 4.18 [1].
    """
    if not isinstance(sighting, SeenOrder):
        return sighting
    reply = await client.read(GET_PAYMENT, {"orderNumber": sighting.external_id, "version": PAYMENT_VERSION})
    check(reply, "reading payments")
    try:
        return with_payments(sighting, reply.document.members)
    except Misread as error:
        failure = ContractBroken(f"a payment is not as documented: {error}", code="unreadable", field=error.pointer)
    return UnreadableOrder(
        external_id=sighting.external_id, seen_at=sighting.seen_at, failure=failure, raw=sighting.raw
    )


async def map_orders(fragments: Sequence[Fragment], seen_at: datetime) -> list[Sighting]:
    """Map the orders of an answer, letting others run between slices: a hundred take as long as storing them."""
    sightings: list[Sighting] = []
    for start in range(0, len(fragments), SLICE):
        sightings += [map_order(fragment, seen_at) for fragment in fragments[start : start + SLICE]]
        await asyncio.sleep(0)
    return sightings


def _match(read: Iterable[Sighting], numbers: Sequence[str]) -> tuple[dict[str, Sighting], list[Sighting]]:
    """Sort sightings by the number asked: their order is not promised (4.2). Orders nobody asked for are left out."""
    wanted = frozenset(numbers)
    sightings: dict[str, Sighting] = {}
    nameless: list[Sighting] = []
    for sighting in read:
        if sighting.external_id is None:
            nameless.append(sighting)
        elif sighting.external_id in wanted:
            sightings[sighting.external_id] = sighting
    return sightings, nameless


def _named(sighting: Sighting, number: str) -> Sighting:
    if not isinstance(sighting, UnreadableOrder):
        return sighting
    return UnreadableOrder(external_id=number, seen_at=sighting.seen_at, failure=sighting.failure, raw=sighting.raw)


def _untold(number: str, reply: Reply) -> UnreadableOrder:
    said = next((message for message in reply.messages if message.order_number == number), None)
    failure = ContractBroken(
        "the answer neither holds the order nor says that it is unknown",
        code="unreadable",
        refusal=None if said is None else reply.refusal_of(said),
    )
    return UnreadableOrder(external_id=number, seen_at=reply.sent_at, failure=failure, raw=b"")
