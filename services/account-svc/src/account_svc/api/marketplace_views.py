"""Shows a marketplace: its credential form as JSON Schema with hints for a screen, guide, grants, capabilities."""

from dataclasses import asdict
from typing import Any

from pydantic_core import to_jsonable_python

from account_svc.api.texts import MenuShown, TextShown, show_menu, show_text
from account_svc.domain.credentials import typed_fields
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Absent, FieldKind, FormField, Registration, Support, Supported
from hanro.web.shapes import Shown

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FORMATS = {FieldKind.EMAIL: "email", FieldKind.DATE: "date"}
Json = dict[str, Any]


class MarketplaceShown(Shown):
    """A marketplace that can be linked."""

    id: str
    """The plug-in's id."""
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
    guide: Json
    """The way to an account step by step, with prerequisites and traps."""


def show_marketplace(plugin: Plugin) -> MarketplaceShown:
    """Show a marketplace in short."""
    return MarketplaceShown(id=plugin.id, name=show_text(plugin.name), currency=plugin.currency, zone=plugin.zone.key)


def show_marketplace_detail(plugin: Plugin) -> MarketplaceDetailShown:
    """Show a marketplace whole."""
    return MarketplaceDetailShown(
        **show_marketplace(plugin).model_dump(),
        registrations=[
            RegistrationShown(id=one.id, label=show_text(one.label), form=_form(plugin, one))
            for one in plugin.credential_form.registrations
        ],
        grants=[_plain(grant) for grant in plugin.grants],
        capabilities={
            capability.value: _show_support(support)
            for capability, support in sorted(plugin.capabilities.items(), key=lambda one: one[0].value)
        },
        key_life=[_plain(life) for life in plugin.key_life],
        guide=_plain(plugin.guide),
    )


def _form(plugin: Plugin, registration: Registration) -> Json:
    fields = typed_fields(plugin.credential_form, registration)
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": {field.name: _property(field, place) for place, field in enumerate(fields)},
        "required": [field.name for field in fields if field.is_required and field.default is None],
        "additionalProperties": False,
    }


def _property(field: FormField, place: int) -> Json:
    shown: Json = {"type": "string", "title": field.label.ja, "description": field.help.ja}
    if field.is_required:
        shown["minLength"] = 1
    if field.rule.max_length is not None:
        shown["maxLength"] = field.rule.max_length
    if field.rule.pattern is not None:
        shown["pattern"] = f"^(?:{field.rule.pattern})$"
    if field.kind in FORMATS:
        shown["format"] = FORMATS[field.kind]
    if field.choices:
        shown["enum"] = [value for value, _ in field.choices]
    if field.default is not None:
        shown["default"] = field.default
    if field.is_secret:
        shown["writeOnly"] = True
    hints = {
        "order": place,
        "section": field.section,
        "kind": field.kind.value,
        "is_secret": field.is_secret,
        "is_required": field.is_required,
        "label": _plain(field.label),
        "help": _plain(field.help),
        "note": _plain(field.note) if field.note else None,
        "choices": [{"value": value, "label": _plain(label)} for value, label in field.choices],
        "wrong": [{"pattern": pattern, "why": _plain(why)} for pattern, why in field.wrong],
        "where": _plain(field.where) if field.where else None,
        "docs_url": field.docs_url,
    }
    return shown | {"x-hanro": hints}


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
