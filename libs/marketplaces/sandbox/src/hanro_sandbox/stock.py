"""Sets and reads stock: the port's `Stock`."""

from collections.abc import AsyncIterator, Sequence

from hanro.errors import ContractBroken
from hanro.marketplace.port import Session
from hanro.marketplace.types import OfferRef, Outcome, OutcomeStatus, Receipt, StockReading, StockTarget, Ticket
from hanro_sandbox.client import Client
from hanro_sandbox.declared.limits import MOST
from hanro_sandbox.functions import GET_STOCK, PUT_STOCK
from hanro_sandbox.sending import check_batch, send_all


def entry_of(target: StockTarget) -> dict[str, object]:
    """Write a quantity; the price goes with the listing."""
    return {**_offer(target.offer), "quantity": target.quantity}


class SandboxStock:
    """Be the door to one shop's stock."""

    def __init__(self, session: Session) -> None:
        self._client = Client(session)

    async def put(self, targets: Sequence[StockTarget]) -> Receipt[OfferRef]:
        """Set absolute quantities, in one request.

        Raises:
            Retryable, NeedsSeller: nothing was changed.
            ValueError: more than 100, or an offer twice.

        Source: README, Stock.
        """
        check_batch([target.offer for target in targets], MOST)
        entries = {target.offer: entry_of(target) for target in targets}
        return await send_all(self._client, PUT_STOCK, "offers", entries)

    async def poll(self, ticket: Ticket, asked: Sequence[StockTarget]) -> Receipt[OfferRef]:
        """Tell what stands: nothing is ever SENT, so no ticket is waited for.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
        """
        del ticket
        standing = {one.offer: one.quantity async for one in self.read([target.offer for target in asked])}
        applied, doubt = OutcomeStatus.APPLIED, ContractBroken("another quantity stands", code="unreadable")
        return Receipt(
            outcomes=tuple(
                Outcome(key=target.offer, status=applied)
                if standing.get(target.offer) == target.quantity
                else Outcome(key=target.offer, status=OutcomeStatus.NOT_SENT, failure=doubt)
                for target in asked
            )
        )

    async def read(self, offers: Sequence[OfferRef]) -> AsyncIterator[StockReading]:
        """Read quantities; offers of no listing are not yielded.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
            ValueError: more than 100, or an offer twice.
        """
        check_batch(list(offers), MOST)
        if not offers:
            return
        reply = await self._client.read(GET_STOCK, {"offers": [_offer(offer) for offer in offers]})
        found = reply.members.get("offers")
        if not isinstance(found, list):
            raise ContractBroken("the answer has no list of offers", code="unreadable", field="/offers")
        by_key = {(one.get("listing"), one.get("variant")): one.get("quantity") for one in found}
        for offer in offers:
            key = (offer.listing.seller_key, offer.variant_key or "")
            if key in by_key:
                yield StockReading(offer=offer, quantity=by_key[key], price=None, read_at=reply.sent_at)


def _offer(offer: OfferRef) -> dict[str, object]:
    return {"listing": offer.listing.seller_key, "variant": offer.variant_key or ""}
