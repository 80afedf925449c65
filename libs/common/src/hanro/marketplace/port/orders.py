"""States how a plug-in finds, reads and answers orders."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from hanro.marketplace.types.effects import Cancellation, Decision, LineKey, OrderEffect, Receipt, Shipment, Ticket
from hanro.marketplace.types.enums.orders import Detail
from hanro.marketplace.types.orders import Fetched, OrderPage, OrderRef
from hanro.marketplace.types.plain import Cursor, Window


class Orders(Protocol):
    """Find, read and answer orders. Caller: order-svc.

    A read may raise Retryable, NeedsSeller and ContractBroken; a write raises only while it has changed nothing (law of
    calls 1): Retryable, NeedsSeller, Unsupported of an absent capability. More entries than `limits.batches` allows, or
    a key twice, is ValueError. No method raises InDoubt.
    """

    def pages(self, route: str, window: Window, after: Cursor | None = None) -> AsyncIterator[OrderPage]:
        """Yield what a route shows for `window`: 1 to 100 orders a page, never none, oldest first where they sort.

        Orders may come twice. Store `cursor` with its page, hand it back with the same window. Longer windows than
        theirs are cut inside; a route without window ignores it.

        Raises:
            ValueError: a window that begins beyond `route.reach`, or no such route.
            ContractBroken: a page without an id new to this run (pagination-stuck), or an unreadable page.
            Retryable: throttled or unavailable; what was yielded stands, go on at its cursor.
            NeedsSeller: key refused or grant missing.
        """

    async def fetch(self, refs: Sequence[OrderRef], details: frozenset[Detail] = frozenset()) -> Fetched:
        """Read orders again in any status, with the details asked for; in any order.

        `missing`: they do not know it. Details cost calls of their own; PAYMENT needs READ_PAYMENTS.

        Raises:
            ValueError: more than `limits.batches` allows, or an order twice.
            Retryable: throttled or unavailable.
            NeedsSeller: key refused or grant missing.
            ContractBroken: an unreadable answer; one unreadable order is an UnreadableOrder instead.
        """

    async def decide(self, decisions: Sequence[Decision]) -> Receipt[LineKey]:
        """Accept or refuse new lines, or answer a claim; irreversible there. Key: decision and line.

        Repeatable: the same answer is APPLIED with `is_repeat`, the other one already-decided. Without ACCEPT_LINE all
        lines of the order must be named.

        Raises:
            Retryable: nothing left; send it again as it is.
            NeedsSeller: key refused or grant missing, before anything changed.
            Unsupported: the capability of a decision is absent.
            ValueError: more than `limits.batches` allows, or a key twice.
        """

    async def ship(self, shipments: Sequence[Shipment]) -> Receipt[LineKey]:
        """Register parcels. Not repeatable (a second parcel, a second mail): `verify` first. May be SENT.

        APPLIED means registered, not that the status moved. Carrier and number rules are checked before.

        Raises:
            Retryable: nothing left; send it again as it is.
            NeedsSeller: key refused or grant missing, before anything changed.
            Unsupported: SHIP, SHIP_LINE or CORRECT_SHIPMENT is absent.
            ValueError: more than `limits.batches` allows, or a key twice.
        """

    async def cancel(self, cancellations: Sequence[Cancellation]) -> Receipt[LineKey]:
        """Cancel an order, lines, units, or cut a price, before or after shipping.

        A part is read first, then restated: not repeatable.

        Raises:
            Retryable: nothing left; send it again as it is.
            NeedsSeller: key refused or grant missing, before anything changed.
            Unsupported: the capability of a cancellation is absent.
            ValueError: more than `limits.batches` allows, or a key twice.
        """

    async def poll(self, ticket: Ticket, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Ask for the result of a SENT receipt: the same keys, and the ticket with a later `poll_at` while any is SENT.

        Repeatable. A ticket that they lost is IN_DOUBT (ticket-lost) only at its `gives_up_at`.

        Raises:
            Retryable: throttled or unavailable.
            NeedsSeller: key refused or grant missing.
            ContractBroken: an unreadable answer.
        """

    async def verify(self, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Hold each effect against the order as it stands: decisions, units, parcels by carrier and number.

        It only reads: APPLIED, NOT_SENT (surely absent, may be sent), REJECTED (can no longer happen), IN_DOUBT (cannot
        be told). It means nothing before `limits.read_lag` of "orders" has passed.

        Raises:
            Retryable: throttled or unavailable.
            NeedsSeller: key refused or grant missing.
            ContractBroken: an unreadable answer.
        """
