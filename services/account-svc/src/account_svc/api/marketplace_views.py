"""Shows a marketplace: its credential form as JSON Schema with hints for a screen, guide, grants, capabilities."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic_core import to_jsonable_python

from account_svc.api.form_views import form_of_fields
from account_svc.api.guide_shapes import GuideShown
from account_svc.api.guide_views import show_guide
from account_svc.api.texts import MenuShown, TextShown, show_menu, show_text
from account_svc.domain.credentials import typed_fields
from hanro.errors import LocalizedText
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Absent, Support, Supported
from hanro.web.shapes import Shown

TROUBLE = LocalizedText(
    ja="登録がうまくいかないときはこちら", en="If you have trouble registering an account, click here"
)
Json = dict[str, Any]


class MarketplaceShown(Shown):
    """A marketplace that can be linked."""

    id: str
    """What accounts name it by; the marketplaces that are installed are the list."""
    name: TextShown
    """Its name."""
    currency: str
    """What it sells in, ISO 4217."""
    zone: str
    """The time zone in which it speaks of days."""


class MarketplacePage(Shown):
    """The marketplaces that are installed, by id."""

    items: list[MarketplaceShown]
    """By id."""


class CapabilityShown(Shown):
    """Whether something can be done there: by which grants, or why not, and how by hand."""

    is_supported: bool
    """Whether hanro can do it there."""
    grant_ids: list[str]
    """The grants that it needs, all of them."""
    note: TextShown | None
    """What to know about it."""
    reason: TextShown | None
    """Why it cannot be done; null where it can."""
    menu: MenuShown | None
    """Where it is done by hand; null: no page is known, or it need not be."""
    instead: str | None
    """The capability that serves in its place."""


class RegistrationShown(Shown):
    """One way to register; `form` is the JSON Schema of the credentials' `values`, `x-hanro` what a screen shows."""

    id: str
    """What to send as `registration` with the credentials."""
    label: TextShown
    """Its name."""
    form: Json
    """JSON Schema 2020-12 of `values`; `x-hanro` in each property holds labels, help and where to find the value."""


class TroubleShown(Shown):
    """The link for those who have trouble registering an account."""

    label: TextShown
    """What people read."""
    href: str
    """The path of the guide."""


class MarketplaceDetailShown(MarketplaceShown):
    """All that linking an account of a marketplace needs."""

    registrations: list[RegistrationShown]
    """The ways to register, the usual one first."""
    grants: list[Json]
    """What a seller switches on there: id, label, menu path, remedies."""
    capabilities: dict[str, CapabilityShown]
    """What can be done there, by capability."""
    key_life: list[Json]
    """How long secrets last, and whether old and new ones overlap."""
    guide: GuideShown
    """The way to an account step by step, with prerequisites and traps."""
    trouble: TroubleShown
    """Where to look when the registration does not work."""


def show_marketplace(plugin: Plugin) -> MarketplaceShown:
    """Show a marketplace in short."""
    return MarketplaceShown(id=plugin.id, name=show_text(plugin.name), currency=plugin.currency, zone=plugin.zone.key)


def show_marketplace_detail(plugin: Plugin, texts: Mapping[str, str]) -> MarketplaceDetailShown:
    """Show a marketplace whole; `texts` are what the installation says of itself there."""
    return MarketplaceDetailShown(
        **show_marketplace(plugin).model_dump(),
        registrations=[
            RegistrationShown(
                id=one.id,
                label=show_text(one.label),
                form=form_of_fields(typed_fields(plugin.credential_form, one)),
            )
            for one in plugin.credential_form.registrations
        ],
        grants=[_plain(grant) for grant in plugin.grants],
        capabilities={
            capability.value: _show_support(support)
            for capability, support in sorted(plugin.capabilities.items(), key=lambda one: one[0].value)
        },
        key_life=[_plain(life) for life in plugin.key_life],
        guide=show_guide(plugin.guide, texts),
        trouble=TroubleShown(label=show_text(TROUBLE), href=f"/v1/marketplaces/{plugin.id}/guide"),
    )


def _show_support(support: Support) -> CapabilityShown:
    match support:
        case Supported():
            return CapabilityShown(
                is_supported=True,
                grant_ids=sorted(support.grant_ids),
                note=show_text(support.note) if support.note else None,
                reason=None,
                menu=None,
                instead=None,
            )
        case Absent():
            return CapabilityShown(
                is_supported=False,
                grant_ids=[],
                note=None,
                reason=show_text(support.reason),
                menu=show_menu(support.menu) if support.menu else None,
                instead=support.instead.value if support.instead else None,
            )


def _plain(value: Any) -> Json:
    shown: Json = to_jsonable_python(asdict(value))
    return shown
