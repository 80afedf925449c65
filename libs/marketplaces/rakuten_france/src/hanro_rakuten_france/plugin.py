"""Declares Rakuten France: data about the marketplace, and doors that are shut in this version."""

# The port's signatures stand as they are; what is absent reads no argument.
# ruff: noqa: ARG002

from collections.abc import Mapping, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from hanro.errors import LocalizedText
from hanro.marketplace.absent import (
    AbsentAccess,
    AbsentListings,
    AbsentMessages,
    AbsentOrders,
    AbsentStock,
    plan_absent,
    unsupported,
)
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
from hanro_rakuten_france.declared.capabilities import CAPABILITIES, CHANNELS
from hanro_rakuten_france.declared.credential_form import CREDENTIAL_FORM
from hanro_rakuten_france.declared.grants import GRANTS, KEY_LIFE
from hanro_rakuten_france.declared.guide import GUIDE
from hanro_rakuten_france.declared.keys import CARRIERS, KEY_FIELDS, POLICY, STATUSES, TEXT_RULES
from hanro_rakuten_france.declared.limits import LIMITS, ROUTES


class RakutenFrance:
    """Be Rakuten France behind the port; its attributes never change, its doors refuse whatever is asked."""

    port: Literal[1] = 1
    id = MarketplaceId("rakuten_france")
    name = LocalizedText(ja="楽天フランス", en="Rakuten France")
    zone = ZoneInfo("Europe/Paris")
    currency = "EUR"
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
    sends_price_with = Part.STOCK
    channels: Mapping[Trigger, Channel | Absent] = CHANNELS
    order_layouts: tuple[CsvLayout, ...] = ()
    listing_layouts: tuple[CsvLayout, ...] = ()

    def access(self, session: Session) -> Access:
        """Open a door whose methods all raise Unsupported."""
        return AbsentAccess(CAPABILITIES)

    def orders(self, session: Session) -> Orders:
        """Open a door whose methods all raise Unsupported."""
        return AbsentOrders(CAPABILITIES)

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
        """Say that nothing would be sent: all that is asked is a blocking problem."""
        return plan_absent(CAPABILITIES, asked)

    def mail_relay(self, secrets: Secrets) -> MailRelay | None:
        """Give none: messages go by the API (rakuten-france 4.10)."""
        return None

    def read_notice(self, body: bytes, headers: Mapping[str, str], secrets: Secrets) -> Notices:
        """Refuse: NOTICES is absent.

        Raises:
            Unsupported: always.
        """
        raise unsupported(CAPABILITIES, Capability.NOTICES)


plugin = RakutenFrance()
