"""Makes ids that sort by time of birth and say what they name: `ord_01J…`."""

import re

from ulid import ULID

_ID = re.compile(r"([a-z]{3})_[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_id(prefix: str) -> str:
    """Make an id: the prefix of its noun (three letters), an underscore and a ULID."""
    return f"{prefix}_{ULID()}"


def is_id(text: str, prefix: str) -> bool:
    """Tell whether a text is an id with that prefix."""
    found = _ID.fullmatch(text)
    return found is not None and found[1] == prefix
