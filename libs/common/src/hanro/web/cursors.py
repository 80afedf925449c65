"""Makes the places in a list where the next page starts: opaque, signed, bound to the list's filters."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Query, Response
from starlette.requests import Request

from hanro.crypto import Keyring

LARGEST_PAGE = 200
DEFAULT_PAGE = 50

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many at most")]
CursorText = Annotated[str | None, Query(max_length=1024, alias="cursor", description="Where the next page starts")]

Position = tuple[str | int, ...]


class Cursors:
    """Sign positions with a key of the service; a changed cursor, or one of other filters, is refused."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def write(self, position: Position, filters: Mapping[str, str | None]) -> str:
        """Give the cursor of a position under these filters (query names and values, without limit and cursor)."""
        raise NotImplementedError

    def read(self, cursor: str | None, filters: Mapping[str, str | None]) -> Position | None:
        """Give the position back; None where no cursor was given.

        Raises:
            Problem: 400 `cursor-invalid`: changed, cut, or made for other filters.
        """
        raise NotImplementedError

    def start(self, request: Request) -> Position | None:
        """Give the position in the request's `cursor`, checked against its other query parameters; see `read`."""
        raise NotImplementedError

    def link(self, request: Request, response: Response, position: Position | None) -> str | None:
        """Name the next page: set `Link: …; rel="next"` and give the cursor; None at the end of the list."""
        raise NotImplementedError
