"""Refuses what a plug-in declares Absent, before any request: doors that are shut, and the error that says why."""

# The port's signatures stand as they are; what is absent reads no argument.
# ruff: noqa: ARG002

from collections.abc import AsyncIterator, Mapping, Sequence

from hanro.errors import Unsupported
from hanro.marketplace.port import Access, Listings, Messages, Orders, Secrets, Session, Stock
from hanro.marketplace.types.catalogue import (
    Category,
    CategorySchema,
    ImageFile,
    ListingChange,
    ListingPage,
    ListingRef,
    OfferRef,
    SeenListing,
    StockReading,
    StockTarget,
)
from hanro.marketplace.types.effects import (
    Cancellation,
    Decision,
    LineKey,
    OrderEffect,
    Outcome,
    Receipt,
    Shipment,
    Ticket,
)
from hanro.marketplace.types.enums.orders import Answer, Detail
from hanro.marketplace.types.enums.rules import Capability
from hanro.marketplace.types.exchange import Asked, Inquiry, MailRelay, MessageRequest, Notices, Plan, Problem
from hanro.marketplace.types.linking import Absent, KeyExpiry, MarketInformation, PreflightRow, Renewed, Support
from hanro.marketplace.types.orders import Fetched, OrderPage, OrderRef
from hanro.marketplace.types.plain import Cursor, Window

Capabilities = Mapping[Capability, Support]


def unsupported(capabilities: Capabilities, capability: Capability) -> Unsupported:
    """Make the error of an absent capability, with its reason and the path by hand.

    Raises:
        ValueError: the capability is supported.
    """
    absent = capabilities[capability]
    if not isinstance(absent, Absent):
        raise ValueError(f"{capability} is supported")  # noqa: TRY004  the value is wrong, not its type
    return Unsupported(absent.reason.en, code="absent", remedy=absent.reason, menu=absent.menu)


def plan_absent(capabilities: Capabilities, asked: Sequence[Asked]) -> Plan:
    """Plan nothing: whatever is asked is a blocking problem with its reason."""
    problems = []
    for one in asked:
        key, capability = _need(one)
        message = unsupported(capabilities, capability).remedy
        if message is None:
            raise ValueError(f"{capability} has no reason")
        problems.append(Problem(key=key, pointer="", code="absent", message=message, is_blocking=True))
    return Plan(calls=(), problems=tuple(problems))


class AbsentAccess:
    """Raise Unsupported from every method of the port's `Access`."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities

    async def probe(self, grant_id: str) -> PreflightRow:
        """Refuse: nothing can be used, so nothing is asked for; the reason is that of FIND_ORDERS."""
        raise unsupported(self._capabilities, Capability.FIND_ORDERS)

    async def key_expiries(self) -> tuple[KeyExpiry, ...]:
        """Refuse: KEY_EXPIRY is absent."""
        raise unsupported(self._capabilities, Capability.KEY_EXPIRY)

    async def renew(self) -> Renewed:
        """Refuse: RENEW_KEY is absent."""
        raise unsupported(self._capabilities, Capability.RENEW_KEY)

    async def market_information(self) -> MarketInformation:
        """Refuse: MARKET_INFORMATION is absent."""
        raise unsupported(self._capabilities, Capability.MARKET_INFORMATION)


class AbsentOrders:
    """Raise Unsupported from every method of the port's `Orders`."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities

    def pages(self, route: str, window: Window, after: Cursor | None = None) -> AsyncIterator[OrderPage]:
        """Refuse: FIND_ORDERS is absent."""
        raise unsupported(self._capabilities, Capability.FIND_ORDERS)

    async def fetch(self, refs: Sequence[OrderRef], details: frozenset[Detail] = frozenset()) -> Fetched:
        """Refuse: FETCH_ORDER is absent."""
        raise unsupported(self._capabilities, Capability.FETCH_ORDER)

    async def decide(self, decisions: Sequence[Decision]) -> Receipt[LineKey]:
        """Refuse by what the first decision needs."""
        raise unsupported(self._capabilities, _need(decisions[0])[1] if decisions else Capability.ACCEPT)

    async def ship(self, shipments: Sequence[Shipment]) -> Receipt[LineKey]:
        """Refuse: SHIP is absent."""
        raise unsupported(self._capabilities, Capability.SHIP)

    async def cancel(self, cancellations: Sequence[Cancellation]) -> Receipt[LineKey]:
        """Refuse: CANCEL_ORDER is absent."""
        raise unsupported(self._capabilities, Capability.CANCEL_ORDER)

    async def poll(self, ticket: Ticket, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Refuse: SHIP is absent, and nothing else is ever SENT."""
        raise unsupported(self._capabilities, Capability.SHIP)

    async def verify(self, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Refuse by what the first effect needs."""
        raise unsupported(self._capabilities, _need(asked[0])[1] if asked else Capability.ACCEPT)


class AbsentListings:
    """Raise Unsupported from every method of the port's `Listings`."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities

    async def put(self, changes: Sequence[ListingChange]) -> Receipt[str]:
        """Refuse: PUBLISH is absent."""
        raise unsupported(self._capabilities, Capability.PUBLISH)

    async def upload(self, images: Sequence[ImageFile]) -> Receipt[str]:
        """Refuse: UPLOAD_IMAGES is absent."""
        raise unsupported(self._capabilities, Capability.UPLOAD_IMAGES)

    async def poll(self, ticket: Ticket, asked: Sequence[ListingChange]) -> Receipt[str]:
        """Refuse: PUBLISH is absent."""
        raise unsupported(self._capabilities, Capability.PUBLISH)

    async def verify(self, asked: Sequence[ListingChange]) -> Receipt[str]:
        """Refuse: PUBLISH is absent."""
        raise unsupported(self._capabilities, Capability.PUBLISH)

    def pages(self, after: Cursor | None = None) -> AsyncIterator[ListingPage]:
        """Refuse: READ_LISTINGS is absent."""
        raise unsupported(self._capabilities, Capability.READ_LISTINGS)

    async def fetch(self, refs: Sequence[ListingRef]) -> tuple[SeenListing, ...]:
        """Refuse: READ_LISTINGS is absent."""
        raise unsupported(self._capabilities, Capability.READ_LISTINGS)

    async def categories(self, parent_id: str | None) -> tuple[Category, ...]:
        """Refuse: READ_ATTRIBUTES is absent."""
        raise unsupported(self._capabilities, Capability.READ_ATTRIBUTES)

    async def schema(self, category_id: str) -> CategorySchema:
        """Refuse: READ_ATTRIBUTES is absent."""
        raise unsupported(self._capabilities, Capability.READ_ATTRIBUTES)

    async def values(self, category_id: str, attribute_id: str, text: str) -> tuple[tuple[str, str], ...]:
        """Refuse: READ_ATTRIBUTES is absent."""
        raise unsupported(self._capabilities, Capability.READ_ATTRIBUTES)


class AbsentStock:
    """Raise Unsupported from every method of the port's `Stock`."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities

    async def put(self, targets: Sequence[StockTarget]) -> Receipt[OfferRef]:
        """Refuse: SET_STOCK is absent."""
        raise unsupported(self._capabilities, Capability.SET_STOCK)

    async def poll(self, ticket: Ticket, asked: Sequence[StockTarget]) -> Receipt[OfferRef]:
        """Refuse: SET_STOCK is absent."""
        raise unsupported(self._capabilities, Capability.SET_STOCK)

    def read(self, offers: Sequence[OfferRef]) -> AsyncIterator[StockReading]:
        """Refuse: READ_STOCK is absent."""
        raise unsupported(self._capabilities, Capability.READ_STOCK)


class AbsentMessages:
    """Raise Unsupported from every method of the port's `Messages`."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities

    async def send(self, request: MessageRequest) -> Outcome[str]:
        """Refuse: MESSAGE_BUYER, or ANSWER_INQUIRY for a reply, is absent."""
        raise unsupported(self._capabilities, _need(request)[1])

    async def verify(self, request: MessageRequest) -> Outcome[str]:
        """Refuse: MESSAGE_BUYER is absent."""
        raise unsupported(self._capabilities, Capability.MESSAGE_BUYER)

    def inquiries(self, window: Window, orders: Sequence[OrderRef] = ()) -> AsyncIterator[tuple[Inquiry, ...]]:
        """Refuse: READ_INQUIRIES is absent."""
        raise unsupported(self._capabilities, Capability.READ_INQUIRIES)


class ShutDoors:
    """Be the doors of a plug-in that only declares itself: each opens, and raises Unsupported from every method."""

    capabilities: Capabilities

    def access(self, session: Session) -> Access:
        """Open a door whose methods all raise Unsupported."""
        return AbsentAccess(self.capabilities)

    def orders(self, session: Session) -> Orders:
        """Open a door whose methods all raise Unsupported."""
        return AbsentOrders(self.capabilities)

    def listings(self, session: Session) -> Listings:
        """Open a door whose methods all raise Unsupported."""
        return AbsentListings(self.capabilities)

    def stock(self, session: Session) -> Stock:
        """Open a door whose methods all raise Unsupported."""
        return AbsentStock(self.capabilities)

    def messages(self, session: Session) -> Messages:
        """Open a door whose methods all raise Unsupported."""
        return AbsentMessages(self.capabilities)

    def plan(
        self, asked: Sequence[Asked], schema: CategorySchema | None = None, market: MarketInformation | None = None
    ) -> Plan:
        """Say that nothing would be sent: all that is asked is a blocking problem."""
        return plan_absent(self.capabilities, asked)

    def mail_relay(self, secrets: Secrets) -> MailRelay | None:
        """Give none: nothing is sent."""
        return None

    def read_notice(self, body: bytes, headers: Mapping[str, str], secrets: Secrets) -> Notices:
        """Refuse: NOTICES is absent.

        Raises:
            Unsupported: always.
        """
        raise unsupported(self.capabilities, Capability.NOTICES)


def _need(one: Asked) -> tuple[str, Capability]:
    """Give an entry's key and the capability that it needs first."""
    match one:
        case Decision():
            needed = one.id, _deciding(one)
        case Shipment():
            needed = one.id, Capability.SHIP
        case Cancellation():
            needed = one.id, Capability.CANCEL_ORDER
        case ListingChange():
            needed = one.id, Capability.PUBLISH
        case ImageFile():
            needed = one.sha256, Capability.UPLOAD_IMAGES
        case StockTarget():
            needed = one.offer.listing.seller_key, Capability.SET_STOCK
        case MessageRequest():
            needed = one.id, Capability.MESSAGE_BUYER if one.reply_to is None else Capability.ANSWER_INQUIRY
    return needed


def _deciding(decision: Decision) -> Capability:
    if decision.claim_id is not None:
        return Capability.ANSWER_CANCELLATION
    if decision.answer is Answer.REFUSE:
        return Capability.REFUSE_LINE
    return Capability.ACCEPT if decision.delay is None else Capability.ANNOUNCE_DELAY
