"""Knows every form in which a text can hide in bytes, and finds canaries in them."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote_from_bytes

CHARSETS = ("utf-8", "cp932", "utf-16-le")
Place = tuple[str, bytes]
"""What is looked into: where it is from, and its bytes."""
# Longer than what any form has of zeros.
_GAP = bytes(64)
_EMPTY = re.compile(rb"\x00{64,}")


def forms(text: str) -> frozenset[bytes]:
    r"""Give a text's bytes as they are, and as hexadecimal, base64, percent-encoding and \uXXXX write them.

    Base64 is given for each of the three places in a group at which the text can begin.
    """
    found = {json.dumps(text)[1:-1].encode()}
    found |= {_upper_escapes(form) for form in found}
    for charset in CHARSETS:
        try:
            raw = text.encode(charset)
        except UnicodeEncodeError:
            continue
        found |= {raw, raw.hex().encode(), raw.hex().upper().encode(), *_base64(raw), *_percent(raw)}
    return frozenset(found)


def hits(places: Iterable[Place], canaries: Mapping[str, str]) -> dict[str, set[str]]:
    """Give the places in which each canary is, by the canary's name; those that are nowhere are left out."""
    wanted = [(name, form) for name, text in canaries.items() for form in forms(text)]
    found: dict[str, set[str]] = {}
    known: dict[bytes, frozenset[str]] = {}
    for place, held in places:
        # Databases begin as copies of one, and most of their files is empty: neither is worth a search for each form.
        digest = hashlib.sha256(held).digest()
        if digest not in known:
            filled = _EMPTY.sub(_GAP, held)
            known[digest] = frozenset(name for name, form in wanted if form in filled)
        for name in known[digest]:
            found.setdefault(name, set()).add(place)
    return found


def _base64(raw: bytes) -> Iterator[bytes]:
    for before in range(3):
        # Only the characters that depend on nothing but the text.
        start, end = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + raw)[start:end]


def _percent(raw: bytes) -> Iterator[bytes]:
    # Some leave letters as they are, some write every byte so.
    every = "".join(f"%{byte:02X}" for byte in raw)
    for written in (quote_from_bytes(raw, safe=""), every):
        yield written.encode()
        yield written.lower().encode()


def _upper_escapes(form: bytes) -> bytes:
    head, *rest = form.split(b"\\u")
    return b"\\u".join([head, *(part[:4].upper() + part[4:] for part in rest)])
