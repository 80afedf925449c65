"""Refuses what Rakuten Ichiba or this version of the plug-in cannot do, before any request."""

# The port's signatures stand as they are; what is absent reads no argument.
# ruff: noqa: ARG002

from collections.abc import AsyncIterator, Sequence

from hanro.marketplace.types import (
    Capability,
    Category,
    CategorySchema,
    Cursor,
    ImageFile,
    Inquiry,
    ListingChange,
    ListingPage,
    ListingRef,
    MessageRequest,
    OfferRef,
    OrderRef,
    Outcome,
    Receipt,
    SeenListing,
    StockReading,
    StockTarget,
    Ticket,
    Window,
)
from hanro_rakuten_ichiba.declared.capabilities import unsupported


class AbsentListings:
    """Raise Unsupported with its reason from every method of the port's `Listings`."""

    async def put(self, changes: Sequence[ListingChange]) -> Receipt[str]:
        """Refuse: PUBLISH is absent."""
        raise unsupported(Capability.PUBLISH)

    async def upload(self, images: Sequence[ImageFile]) -> Receipt[str]:
        """Refuse: UPLOAD_IMAGES is absent."""
        raise unsupported(Capability.UPLOAD_IMAGES)

    async def poll(self, ticket: Ticket, asked: Sequence[ListingChange]) -> Receipt[str]:
        """Refuse: PUBLISH is absent."""
        raise unsupported(Capability.PUBLISH)

    async def verify(self, asked: Sequence[ListingChange]) -> Receipt[str]:
        """Refuse: PUBLISH is absent."""
        raise unsupported(Capability.PUBLISH)

    def pages(self, after: Cursor | None = None) -> AsyncIterator[ListingPage]:
        """Refuse: READ_LISTINGS is absent."""
        raise unsupported(Capability.READ_LISTINGS)

    async def fetch(self, refs: Sequence[ListingRef]) -> tuple[SeenListing, ...]:
        """Refuse: READ_LISTINGS is absent."""
        raise unsupported(Capability.READ_LISTINGS)

    async def categories(self, parent_id: str | None) -> tuple[Category, ...]:
        """Refuse: READ_ATTRIBUTES is absent."""
        raise unsupported(Capability.READ_ATTRIBUTES)

    async def schema(self, category_id: str) -> CategorySchema:
        """Refuse: READ_ATTRIBUTES is absent."""
        raise unsupported(Capability.READ_ATTRIBUTES)

    async def values(self, category_id: str, attribute_id: str, text: str) -> tuple[tuple[str, str], ...]:
        """Refuse: READ_ATTRIBUTES is absent."""
        raise unsupported(Capability.READ_ATTRIBUTES)


class AbsentStock:
    """Raise Unsupported with its reason from every method of the port's `Stock`."""

    async def put(self, targets: Sequence[StockTarget]) -> Receipt[OfferRef]:
        """Refuse: SET_STOCK is absent."""
        raise unsupported(Capability.SET_STOCK)

    async def poll(self, ticket: Ticket, asked: Sequence[StockTarget]) -> Receipt[OfferRef]:
        """Refuse: SET_STOCK is absent."""
        raise unsupported(Capability.SET_STOCK)

    def read(self, offers: Sequence[OfferRef]) -> AsyncIterator[StockReading]:
        """Refuse: READ_STOCK is absent."""
        raise unsupported(Capability.READ_STOCK)


class AbsentMessages:
    """Raise Unsupported with its reason from every method of the port's `Messages`; mail goes by the relay."""

    async def send(self, request: MessageRequest) -> Outcome[str]:
        """Refuse: MESSAGE_BUYER, or ANSWER_INQUIRY for a reply, is absent."""
        raise unsupported(Capability.MESSAGE_BUYER if request.reply_to is None else Capability.ANSWER_INQUIRY)

    async def verify(self, request: MessageRequest) -> Outcome[str]:
        """Refuse: MESSAGE_BUYER is absent."""
        raise unsupported(Capability.MESSAGE_BUYER)

    def inquiries(self, window: Window, orders: Sequence[OrderRef] = ()) -> AsyncIterator[tuple[Inquiry, ...]]:
        """Refuse: READ_INQUIRIES is absent."""
        raise unsupported(Capability.READ_INQUIRIES)
