"""Makes the places in a list where the next page starts: opaque, signed, bound to the list's path and filters."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from starlette.requests import Request

from hanro.crypto import Keyring
from hanro.web.problems import Problem

LARGEST_PAGE = 200
DEFAULT_PAGE = 50
LONGEST_CURSOR = 1024
MAC_BYTES = 16

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many at most")]
CursorText = Annotated[
    str | None, Query(max_length=LONGEST_CURSOR, alias="cursor", description="Where the next page starts")
]

Position = tuple[str | int, ...]


class Cursors:
    """Sign positions with a key of the service; a changed cursor, or one of another list or filter, is refused."""

    def __init__(self, keyring: Keyring) -> None:
        self._key = keyring.derived("cursors")

    def start(self, request: Request) -> Position | None:
        """Give the position in the request's `cursor`; None where it has none: the list's beginning.

        Raises:
            Problem: 400 `cursor-invalid`: changed, cut, or made for another list or other filters.
        """
        cursor = request.query_params.get("cursor")
        if cursor is None:
            return None
        try:
            raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise _invalid() from None
        mac, text = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not text or not hmac.compare_digest(mac, self._mac(request, text)):
            raise _invalid()
        return tuple(json.loads(text))

    def link(self, request: Request, response: Response, position: Position | None) -> str | None:
        """Name the next page: set `Link: …; rel="next"` and give its cursor; None at the end of the list."""
        if position is None:
            return None
        text = json.dumps(position, separators=(",", ":"), ensure_ascii=False).encode()
        cursor = base64.urlsafe_b64encode(self._mac(request, text) + text).rstrip(b"=").decode()
        others = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        # Relative: behind a gateway we do not know our own address.
        response.headers["Link"] = f'<{request.url.path}?{urlencode([*others, ("cursor", cursor)])}>; rel="next"'
        return cursor

    def _mac(self, request: Request, text: bytes) -> bytes:
        filters = sorted(
            (name, value) for name, value in request.query_params.multi_items() if name not in {"cursor", "limit"}
        )
        place = json.dumps([request.url.path, filters]).encode()
        # The length keeps place and text apart.
        return hmac.digest(self._key, b"%d:%b%b" % (len(place), place, text), hashlib.sha256)[:MAC_BYTES]


def _invalid() -> Problem:
    return Problem(
        status=400, code="cursor-invalid", detail="The cursor is not one that this list gave; start without one."
    )
