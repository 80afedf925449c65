"""States what a plug-in is: data about a marketplace, and five doors that open with a session."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from hanro.errors import LocalizedText
from hanro.marketplace.port.access import Access
from hanro.marketplace.port.listings import Listings
from hanro.marketplace.port.messages import Messages
from hanro.marketplace.port.orders import Orders
from hanro.marketplace.port.session import Secrets, Session
from hanro.marketplace.port.stock import Stock
from hanro.marketplace.types.catalogue import CategorySchema
from hanro.marketplace.types.enums.catalogue import Part
from hanro.marketplace.types.enums.orders import OrderStatus
from hanro.marketplace.types.enums.rules import Capability, Channel, Trigger
from hanro.marketplace.types.exchange import Asked, CsvLayout, MailRelay, Notices, Plan
from hanro.marketplace.types.limits import CarrierCatalogue, KeyField, Limits, PolicyPack, Route
from hanro.marketplace.types.linking import (
    Absent,
    CredentialForm,
    FormField,
    Grant,
    Guide,
    KeyLife,
    MarketInformation,
    Support,
)
from hanro.marketplace.types.plain import MarketplaceId, TextRule


class Plugin(Protocol):
    """Be one marketplace; a plain class, its attributes never change.

    `capabilities` holds every Capability. `statuses` maps their status codes. `sends_price_with`: STOCK = a new price
    goes by Stock.put (terms), CONTENT = by Listings.put. `key_fields`: the default ones first. `zone` is where texts
    without offset are read, `currency` ISO 4217.
    """

    port: Literal[1]
    id: MarketplaceId
    name: LocalizedText
    zone: ZoneInfo
    currency: str
    credential_form: CredentialForm
    guide: Guide
    grants: tuple[Grant, ...]
    key_life: tuple[KeyLife, ...]
    capabilities: Mapping[Capability, Support]
    limits: Limits
    routes: tuple[Route, ...]
    statuses: Mapping[str, OrderStatus]
    policy: PolicyPack
    carriers: CarrierCatalogue
    key_fields: tuple[KeyField, ...]
    text_rules: Mapping[str, TextRule]
    listing_form: tuple[FormField, ...]
    sends_price_with: Part
    channels: Mapping[Trigger, Channel | Absent]
    order_layouts: tuple[CsvLayout, ...]
    listing_layouts: tuple[CsvLayout, ...]

    def access(self, session: Session) -> Access:
        """Open the door to grants and keys; no I/O yet."""

    def orders(self, session: Session) -> Orders:
        """Open the door to orders; no I/O yet."""

    def listings(self, session: Session) -> Listings:
        """Open the door to listings; no I/O yet."""

    def stock(self, session: Session) -> Stock:
        """Open the door to stock; no I/O yet."""

    def messages(self, session: Session) -> Messages:
        """Open the door to messages; no I/O yet."""

    def plan(
        self, asked: Sequence[Asked], schema: CategorySchema | None = None, market: MarketInformation | None = None
    ) -> Plan:
        """Say which requests a write would send and what would be refused, without I/O; every write starts from it."""

    def mail_relay(self, secrets: Secrets) -> MailRelay | None:
        """Give the relay of `Channel.RELAY`, None where there is none.

        Raises:
            NeedsSeller: its fields are empty (option-missing).
        """

    def read_notice(self, body: bytes, headers: Mapping[str, str], secrets: Secrets) -> Notices:
        """Parse a pushed notice and check its key; a wrong one yields no notices and their error reply.

        A hint to fetch, never the truth.

        Raises:
            Unsupported: NOTICES is absent.
        """
