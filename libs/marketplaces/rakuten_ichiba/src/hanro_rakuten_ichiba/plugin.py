"""Declares Rakuten Ichiba: data about the marketplace and its doors."""

# The port's signatures stand as they are; what is absent reads no argument.
# ruff: noqa: ARG002

from collections.abc import Mapping, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from hanro.errors import LocalizedText
from hanro.marketplace.absent import AbsentListings, AbsentMessages, AbsentStock
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
from hanro_rakuten_ichiba.access import IchibaAccess
from hanro_rakuten_ichiba.declared.capabilities import CAPABILITIES, CHANNELS
from hanro_rakuten_ichiba.declared.carriers import CARRIERS
from hanro_rakuten_ichiba.declared.credential_form import CREDENTIAL_FORM
from hanro_rakuten_ichiba.declared.grants import GRANTS, KEY_LIFE
from hanro_rakuten_ichiba.declared.guide import GUIDE
from hanro_rakuten_ichiba.declared.keys import KEY_FIELDS, STATUSES, TEXT_RULES
from hanro_rakuten_ichiba.declared.limits import LIMITS, ROUTES
from hanro_rakuten_ichiba.declared.policy import POLICY
from hanro_rakuten_ichiba.mail_relay import relay_of
from hanro_rakuten_ichiba.mapping.files.layouts import ORDER_LAYOUTS
from hanro_rakuten_ichiba.notices import read_notice
from hanro_rakuten_ichiba.orders import IchibaOrders
from hanro_rakuten_ichiba.planning import plan_calls


class RakutenIchiba:
    """Be Rakuten Ichiba behind the port; its attributes never change, its doors do no I/O when they open."""

    port: Literal[1] = 1
    id = MarketplaceId("rakuten_ichiba")
    name = LocalizedText(ja="楽天市場", en="Rakuten Ichiba")
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
    order_layouts: tuple[CsvLayout, ...] = ORDER_LAYOUTS
    listing_layouts: tuple[CsvLayout, ...] = ()

    def access(self, session: Session) -> Access:
        """Open the door to grants and keys."""
        return IchibaAccess(session)

    def orders(self, session: Session) -> Orders:
        """Open the door to orders."""
        return IchibaOrders(session)

    def listings(self, session: Session) -> Listings:
        """Open a door whose methods all raise Unsupported."""
        return AbsentListings(CAPABILITIES)

    def stock(self, session: Session) -> Stock:
        """Open a door whose methods all raise Unsupported."""
        return AbsentStock(CAPABILITIES)

    def messages(self, session: Session) -> Messages:
        """Open a door whose methods all raise Unsupported."""
        return AbsentMessages(CAPABILITIES)

    def plan(
        self, asked: Sequence[Asked], schema: CategorySchema | None = None, market: MarketInformation | None = None
    ) -> Plan:
        """Say which requests a write would send; what this version cannot do is a blocking problem."""
        return plan_calls(asked)

    def mail_relay(self, secrets: Secrets) -> MailRelay | None:
        """Give the relay for masked addresses.

        Raises:
            NeedsSeller: its fields are empty (option-missing).
        """
        return relay_of(secrets)

    def read_notice(self, body: bytes, headers: Mapping[str, str], secrets: Secrets) -> Notices:
        """Read a system event notification; see `notices.read_notice`."""
        return read_notice(body, secrets)


plugin = RakutenIchiba()
