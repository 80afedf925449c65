"""Folds a seller's keys to the one text by which stock is found."""

import json
from collections.abc import Mapping

from hanro.marketplace.types.enums.catalogue import Level
from hanro.marketplace.types.limits import KeyField

# Made once: `json.dumps` with separators makes one each time, at thrice the cost of the writing.
_TEXT_OF = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def match_key(key_fields: tuple[KeyField, ...], keys: Mapping[str, str]) -> str | None:
    """Join the default LISTING key and the default VARIANT key, each folded as its KeyField says.

    `keys` are by KeyField.name, verbatim. A marketplace without a default VARIANT key, and a line without one, give the
    listing alone. None when the listing key is blank or missing: nothing can be found by it.
    """
    listing, variant = (_folded(key_fields, keys, level) for level in (Level.LISTING, Level.VARIANT))
    # A JSON array: no separator that could stand in a key itself.
    return _TEXT_OF([listing, variant]) if listing else None


def parts_of(key: str) -> list[str]:
    """Give the seller's keys that `match_key` joined, the listing's first; one that was blank is left out."""
    return [part for part in json.loads(key) if part]


def _folded(key_fields: tuple[KeyField, ...], keys: Mapping[str, str], level: Level) -> str:
    for field in key_fields:
        if field.is_default and field.level is level:
            key = keys.get(field.name, "")
            folded = key.lower() if field.is_case_folded else key
            return folded if key.strip() else ""
    return ""
