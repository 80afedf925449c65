"""Shows fields of a plug-in's form as JSON Schema, with the hints that a screen needs beside it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from account_svc.api.texts import show_menu
from hanro.errors import LocalizedText
from hanro.marketplace.types import FieldKind, FormField

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FORMATS = {FieldKind.EMAIL: "email", FieldKind.DATE: "date"}
REQUIRED_MARK = {"ja": "必須", "en": "Required", "colour": "blue"}
Json = dict[str, Any]


def form_of_fields(fields: Sequence[FormField]) -> Json:
    """Give the JSON Schema of an object with these fields, in their order.

    `x-hanro` in each property holds what a screen shows: label, help behind the "?", note below, where to find it.
    """
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
        "mark": REQUIRED_MARK if field.is_required and field.default is None else None,
        "label": _plain(field.label),
        "help": _plain(field.help),
        "note": _plain(field.note) if field.note else None,
        "choices": [{"value": value, "label": _plain(label)} for value, label in field.choices],
        "wrong": [{"pattern": pattern, "why": _plain(why)} for pattern, why in field.wrong],
        "where": show_menu(field.where).model_dump() if field.where else None,
        "docs_url": field.docs_url,
    }
    return shown | {"x-hanro": hints}


def _plain(text: LocalizedText) -> Json:
    return asdict(text)
