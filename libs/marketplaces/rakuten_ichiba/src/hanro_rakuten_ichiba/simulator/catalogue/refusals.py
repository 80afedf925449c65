"""Words the refusals of the JSON services of the catalogue, and reads their bodies.

Codes repeat across services with other meanings, so that each service words its own. What is no refusal and is not
played answers 501 with a code that no marketplace has: nobody may come to depend on it.

Source: rakuten-ichiba-catalog 1.2 [2+], 1.3 [2+], 2.12 [1], 3.4.
"""

import json
import re
from collections.abc import Iterable, Mapping

from hanro_rakuten_ichiba.simulator.messages import Answer

Body = Mapping[str, object]
_ID = re.compile("[A-Za-z0-9_-]+")
_LONGEST_ID = 32
NOT_PLAYED = "SIM-501"
NOT_PLAYED_TEXT = "(not simulated: this function is played up to its refusals)"


def refuse(status: int, *errors: tuple[str, str, str | None]) -> Answer:
    """Make the envelope of errors: code, message, and the property's path, None where there is none."""
    entries = [
        {"code": code, "message": text} | ({} if path is None else {"metadata": {"propertyPath": path}})
        for code, text, path in errors
    ]
    return Answer(status, {"errors": entries})


def not_played() -> Answer:
    """Say that the rest of a function is not simulated; nothing was changed."""
    return refuse(501, (NOT_PLAYED, NOT_PLAYED_TEXT, None))


def not_found(inputs: str) -> Answer:
    """Say that there is no such thing. Source: rakuten-ichiba-catalog 2.8, 3.3."""
    return refuse(404, ("GE0014", f"Not found for inputs; {inputs}", None))


def mandatory(*fields: str) -> Answer:
    """Refuse for fields that are mandatory and not there. Source: rakuten-ichiba-catalog 2.12 [1], 3.4."""
    return refuse(400, *(("IE0001", f"{name} is mandatory.", name) for name in fields))


def missing(fields: Iterable[str]) -> Answer | None:
    """Refuse for those fields that are mandatory and not there; None when there are none."""
    lacking = tuple(fields)
    return mandatory(*lacking) if lacking else None


def read_body(body: bytes) -> Body | Answer:
    """Read a JSON object that holds something. Source: rakuten-ichiba-catalog 2.4 [2+]; what is no JSON: 11 [?]."""
    if not body.strip():
        return _empty()
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return refuse(400, ("IE0002", "Request body has an invalid value.", None))
    if value is None or value == {}:
        return _empty()
    return value if isinstance(value, dict) else refuse(400, ("IE0002", "Request body has an invalid value.", None))


def check_number(manage_number: str) -> Answer | None:
    """Refuse a manageNumber that no item can have. Source: rakuten-ichiba-catalog 1.3 [2+], 2.12."""
    return _check_id("manageNumber", manage_number)


def check_variant(manage_number: str, variant_id: str) -> Answer | None:
    """Refuse a pair of which one part can be none."""
    return _check_id("manageNumber", manage_number) or _check_id("variantId", variant_id)


def _check_id(name: str, text: str) -> Answer | None:
    if not _ID.fullmatch(text):
        return refuse(400, ("IE0220", f'{name} is only allowed alphanumeric, "-" and "_".', name))
    if len(text) > _LONGEST_ID:
        return refuse(400, ("IE0004", f"Max length of {name} must be within {_LONGEST_ID} bytes.", name))
    return None


def _empty() -> Answer:
    return refuse(400, ("GE0011", "Request body is missing or is empty without any attributes.", None))
