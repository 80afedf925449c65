"""Fills texts of a guide with what the installation says of itself. Values in, values out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = re.compile(r"\{([a-z0-9_]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """Be a text whose places were filled; None where a value is missing, `missing` names them."""

    text: str | None
    missing: tuple[str, ...]


def fill(template: str, values: Mapping[str, str]) -> Filled:
    """Put values into a text's {places}; what a value holds is never looked into for places again."""
    missing = tuple(dict.fromkeys(name for name in _NAME.findall(template) if name not in values))
    if missing:
        return Filled(text=None, missing=missing)
    return Filled(text=_NAME.sub(lambda found: values[found[1]], template), missing=())
