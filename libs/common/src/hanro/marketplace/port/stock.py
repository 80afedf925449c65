"""States how a plug-in sets and reads quantities."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from hanro.marketplace.types.catalogue import OfferRef, StockReading, StockTarget
from hanro.marketplace.types.effects import Receipt, Ticket


class Stock(Protocol):
    """Set and read quantities. Caller: catalog-svc.

    A read may raise Retryable, NeedsSeller, ContractBroken, and Unsupported of an absent capability; a write raises
    only while it has changed nothing: Retryable, NeedsSeller, Unsupported. More entries than `limits.batches` allows,
    or an offer twice, is ValueError. No method raises InDoubt.
    """

    async def put(self, targets: Sequence[StockTarget]) -> Receipt[OfferRef]:
        """Set absolute quantities. Repeatable: after IN_DOUBT put the newest. May be SENT.

        APPLIED does not prove that the offer exists.

        Raises:
            Retryable: nothing left; send the newest again.
            NeedsSeller: key refused or grant missing, before anything changed.
            Unsupported: SET_STOCK is absent.
            ValueError: more than `limits.batches` allows, or an offer twice.

        Source: rakuten-ichiba-catalog 3.2.
        """

    async def poll(self, ticket: Ticket, asked: Sequence[StockTarget]) -> Receipt[OfferRef]:
        """As `Orders.poll`."""

    def read(self, offers: Sequence[OfferRef]) -> AsyncIterator[StockReading]:
        """Read back; offers without a record are not yielded. May cost a whole export.

        Source: rakuten-france 6.5.
        """
