"""States what a marketplace's side gets and gives: a request, a reply, who called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qsl


@dataclass(frozen=True, repr=False)
class Request:
    """Hold one request as it came.

    `path` and `query` are raw (percent-encoded, without host and "?"); header names are lower case, values Latin-1
    text, in the order sent; times are the simulator's clock.
    """

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    received_at: datetime
    monotonic_seconds: float

    def header(self, name: str) -> str | None:
        """Give the first header of that name, None when absent."""
        return next((value for known, value in self.headers if known == name.lower()), None)

    def query_values(self) -> list[tuple[str, str]]:
        """Give the decoded query in order, blank values included."""
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass(frozen=True)
class Reply:
    """State an answer, byte for byte: header names keep spelling and order.

    Without `Content-Length` and `Transfer-Encoding` a `Content-Length` is added last; with `Transfer-Encoding: chunked`
    the body is sent in one chunk. `Date` and `Server` are sent only when they stand here. `has_effect` tells the
    journal that the call changed something.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes = b""
    has_effect: bool = False


@dataclass(frozen=True)
class Caller:
    """State whom and what a request is about, None when it cannot be told."""

    shop: str | None = None
    function: str | None = None


class Marketplace(Protocol):
    """Play a marketplace: everything outside `/_sim` goes here."""

    def identify(self, request: Request) -> Caller:
        """Tell shop and function without changing anything; never raises."""

    async def answer(self, request: Request, caller: Caller) -> Reply:
        """Carry the request out."""

    def throttled(self, request: Request, caller: Caller, wait_seconds: float) -> Reply:
        """Say in this marketplace's words that there were too many calls."""

    def state(self) -> object:
        """Give the whole state as JSON values; equal states give equal values."""

    def reset(self) -> None:
        """Return to the state of the start."""
