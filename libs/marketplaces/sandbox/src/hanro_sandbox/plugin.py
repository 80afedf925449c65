"""Declares the sandbox: data about the marketplace and its doors."""

# The port's signatures stand as they are; what is not needed is not read.
# ruff: noqa: ARG002

from collections.abc import Mapping, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from hanro.errors import LocalizedText
from hanro.marketplace.port import Access, Listings, Messages, Orders, Secrets, Session, Stock
from hanro.marketplace.types import (
    Absent,
    Asked,
    Capability,
    CarrierCatalogue,
    CategorySchema,
    Channel,
    CredentialForm,
    CsvLayout,
    FormField,
    Grant,
    Guide,
    KeyField,
    KeyLife,
    Limits,
    MailRelay,
    MarketInformation,
    MarketplaceId,
    Notices,
    OrderStatus,
    Part,
    Plan,
    PolicyPack,
    Route,
    Support,
    TextRule,
    Trigger,
)
from hanro_sandbox.access import SandboxAccess
from hanro_sandbox.declared.capabilities import CAPABILITIES, CHANNELS
from hanro_sandbox.declared.credential_form import CREDENTIAL_FORM
from hanro_sandbox.declared.grants import GRANTS, KEY_LIFE
from hanro_sandbox.declared.guide import GUIDE
from hanro_sandbox.declared.keys import CARRIERS, KEY_FIELDS, POLICY, STATUSES, TEXT_RULES
from hanro_sandbox.declared.limits import LIMITS, ROUTES
from hanro_sandbox.layouts import LISTING_LAYOUT, ORDER_LAYOUT
from hanro_sandbox.listings import SandboxListings
from hanro_sandbox.messages import SandboxMessages
from hanro_sandbox.notices import read_notice
from hanro_sandbox.orders import SandboxOrders
from hanro_sandbox.planning import plan_calls
from hanro_sandbox.stock import SandboxStock


class Sandbox:
    """Be the sandbox behind the port; its attributes never change, its doors do no I/O when they open."""

    port: Literal[1] = 1
    id = MarketplaceId("sandbox")
    name = LocalizedText(ja="サンドボックス（テスト用）", en="Sandbox (for tests)")
    zone = ZoneInfo("Asia/Tokyo")
    currency = "JPY"
    credential_form: CredentialForm = CREDENTIAL_FORM
    guide: Guide = GUIDE
    grants: tuple[Grant, ...] = GRANTS
    key_life: tuple[KeyLife, ...] = KEY_LIFE
    capabilities: Mapping[Capability, Support] = CAPABILITIES
    limits: Limits = LIMITS
    routes: tuple[Route, ...] = ROUTES
    statuses: Mapping[str, OrderStatus] = STATUSES
    policy: PolicyPack = POLICY
    carriers: CarrierCatalogue = CARRIERS
    key_fields: tuple[KeyField, ...] = KEY_FIELDS
    text_rules: Mapping[str, TextRule] = TEXT_RULES
    listing_form: tuple[FormField, ...] = ()
    sends_price_with = Part.CONTENT
    channels: Mapping[Trigger, Channel | Absent] = CHANNELS
    order_layouts: tuple[CsvLayout, ...] = (ORDER_LAYOUT,)
    listing_layouts: tuple[CsvLayout, ...] = (LISTING_LAYOUT,)

    def access(self, session: Session) -> Access:
        """Open the door to grants and keys."""
        return SandboxAccess(session)

    def orders(self, session: Session) -> Orders:
        """Open the door to orders."""
        return SandboxOrders(session)

    def listings(self, session: Session) -> Listings:
        """Open the door to listings."""
        return SandboxListings(session)

    def stock(self, session: Session) -> Stock:
        """Open the door to stock."""
        return SandboxStock(session)

    def messages(self, session: Session) -> Messages:
        """Open the door to messages."""
        return SandboxMessages(session)

    def plan(
        self, asked: Sequence[Asked], schema: CategorySchema | None = None, market: MarketInformation | None = None
    ) -> Plan:
        """Say which requests a write would send, and what would be refused."""
        return plan_calls(asked)

    def mail_relay(self, secrets: Secrets) -> MailRelay | None:
        """Give none: messages go by the API."""
        return None

    def read_notice(self, body: bytes, headers: Mapping[str, str], secrets: Secrets) -> Notices:
        """Read a pushed notice and check its key."""
        return read_notice(body, secrets)


plugin = Sandbox()
