"""Declares Qoo10 Japan: data about the marketplace, and doors that are shut in this version."""

from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

from hanro.errors import LocalizedText
from hanro.marketplace.absent import ShutDoors
from hanro.marketplace.types import (
    Absent,
    Capability,
    CarrierCatalogue,
    Channel,
    CredentialForm,
    CsvLayout,
    FormField,
    Grant,
    Guide,
    KeyField,
    KeyLife,
    Limits,
    MarketplaceId,
    OrderStatus,
    Part,
    PolicyPack,
    Route,
    Support,
    TextRule,
    Trigger,
)
from hanro_qoo10_japan.declared.capabilities import CAPABILITIES, CHANNELS
from hanro_qoo10_japan.declared.credential_form import CREDENTIAL_FORM
from hanro_qoo10_japan.declared.grants import GRANTS, KEY_LIFE
from hanro_qoo10_japan.declared.guide import GUIDE
from hanro_qoo10_japan.declared.keys import CARRIERS, KEY_FIELDS, POLICY, STATUSES, TEXT_RULES
from hanro_qoo10_japan.declared.limits import LIMITS, ROUTES


class Qoo10Japan(ShutDoors):
    """Be Qoo10 Japan behind the port; its attributes never change, its doors refuse whatever is asked.

    It has no mail relay: buyers are answered by the API alone (qoo10-japan 8).
    """

    port: Literal[1] = 1
    id = MarketplaceId("qoo10_japan")
    name = LocalizedText(ja="Qoo10（eBay Japan）", en="Qoo10 Japan (eBay Japan)")
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
    sends_price_with = Part.STOCK
    channels: Mapping[Trigger, Channel | Absent] = CHANNELS
    order_layouts: tuple[CsvLayout, ...] = ()
    listing_layouts: tuple[CsvLayout, ...] = ()


plugin = Qoo10Japan()
