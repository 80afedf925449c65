"""Stands in for the simulator of a plug-in that has none yet: an address that answers nothing and keeps what came.

It is enough for the rules that ask for silence: what a plug-in declares, its form, and what is Absent.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from hanro.marketplace.port import Plugin
from hanro.testing.conformance.controls import Request


@dataclass(frozen=True)
class QuietControls:
    """Tell what reached the address; there is no state, so its digest never changes."""

    came: list[Request]

    def sequence(self) -> int:
        """Tell how many requests came."""
        return len(self.came)

    def requests(self, after: int = 0) -> list[Request]:
        """Give the requests that came since."""
        return self.came[after:]

    def digest(self) -> str:
        """Give the digest of nothing."""
        return ""

    def reset(self) -> None:
        """Forget nothing."""


@dataclass(frozen=True)
class QuietShop:
    """Be a seller's shop of which only the typed credentials exist."""

    controls: QuietControls
    values: Mapping[str, str] = field(repr=False)

    def secrets(self) -> Mapping[str, str]:
        """Give well-formed values of the credential form."""
        return self.values


@dataclass(frozen=True)
class QuietMarket:
    """Be a plug-in beside an address that answers nothing."""

    plugin: Plugin
    folder: Path
    base_url: str
    good: Mapping[str, str] = field(repr=False)
    came: list[Request]

    def open_shop(self) -> QuietShop:
        """Open a shop with well-formed credentials."""
        return QuietShop(QuietControls(self.came), self.good)


@contextmanager
def quiet_market(plugin: Plugin, folder: Path, good: Mapping[str, str]) -> Iterator[QuietMarket]:
    """Keep an address open for the length of a block; `good` are well-formed values of the first registration."""
    came: list[Request] = []

    class Keeping(BaseHTTPRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline(4096).decode("latin-1")
            came.append(
                Request(
                    function=None,
                    has_effect=False,
                    was_applied=False,
                    status=None,
                    path=line,
                    body="",
                    answer="",
                    monotonic_seconds=0.0,
                )
            )

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keeping)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield QuietMarket(plugin, folder, f"http://127.0.0.1:{server.server_address[1]}", good, came)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
