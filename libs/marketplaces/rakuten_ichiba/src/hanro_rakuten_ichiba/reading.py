"""Reads orders by their numbers: getOrder, a hundred at a time."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from hanro.errors import ContractBroken, Refusal
from hanro.marketplace.types import Sighting, UnreadableOrder
from hanro.value import value
from hanro_rakuten_ichiba.client import Client, Reply
from hanro_rakuten_ichiba.decoding import Fragment
from hanro_rakuten_ichiba.functions import GET_ORDER, PREFIX
from hanro_rakuten_ichiba.mapping.order import map_order

VERSION = 10
"""The newest tree. Source: rakuten-ichiba-orders 5.1 [2+]."""
SLICE = 10
"""Orders that are mapped before others may run: one or two milliseconds."""
_NOT_FOUND = f"{PREFIX}GET_ORDER_INFO_102"
_OK = 200


@value
class Message:
    """Hold one entry of MessageModelList; `order_number` None where the key is missing or null."""

    type: str
    code: str
    text: str
    order_number: str | None

    def refusal(self, reply: Reply) -> Refusal:
        """Give it as a refusal, verbatim."""
        return Refusal(code=self.code, message=self.text, http_status=reply.status, request_id=reply.request_id)


@value
class Read:
    """Hold what getOrder gave: sightings by the number asked, and why the others were not found."""

    sightings: Mapping[str, Sighting]
    nameless: tuple[Sighting, ...]
    not_found: Mapping[str, Refusal | None]


def messages_of(reply: Reply) -> tuple[Message, ...]:
    """Read MessageModelList; entries that are no objects are left out. Source: rakuten-ichiba-orders 2.1."""
    entries = reply.document.members.get("MessageModelList")
    return tuple(
        Message(
            type=str(entry.get("messageType") or ""),
            code=str(entry.get("messageCode") or ""),
            text=str(entry.get("message") or ""),
            order_number=number if isinstance(number := entry.get("orderNumber"), str) else None,
        )
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    )


def refused(reply: Reply, what: str) -> ContractBroken:
    """Make the error of a read that its function refused: what we send is always well-formed."""
    said = next((message for message in messages_of(reply) if message.type == "ERROR"), None)
    refusal = None if said is None else said.refusal(reply)
    return ContractBroken(f"{what} was refused", code="unreadable", refusal=refusal)


async def read_orders(client: Client, numbers: Sequence[str]) -> Read:
    """Read up to 100 orders in any state; none asks nothing.

    Raises:
        Retryable, NeedsSeller, ContractBroken: as `Client.read`; one bad order is an UnreadableOrder instead.

    Source: rakuten-ichiba-orders 4.2 [2+].
    """
    if not numbers:
        return Read(sightings=MappingProxyType({}), nameless=(), not_found=MappingProxyType({}))
    reply = await client.read(GET_ORDER, {"orderNumberList": list(numbers), "version": VERSION})
    if reply.status != _OK:
        raise refused(reply, "reading orders")
    sightings, nameless = _match(await map_orders(reply.document.orders, reply.sent_at), numbers)
    said = {
        message.order_number: message.refusal(reply)
        for message in messages_of(reply)
        if message.code == _NOT_FOUND and message.order_number is not None
    }
    missing = [number for number in numbers if number not in sightings]
    if len(missing) == len(nameless) == 1 and missing[0] not in said:
        # One order without a number, one number without an order: it is that one.
        number = missing.pop()
        sightings[number] = _named(nameless.pop(), number)
    not_found = {number: said.get(number) for number in missing}
    return Read(sightings=sightings, nameless=tuple(nameless), not_found=not_found)


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
