"""Asks order-svc's application as a server does, without a client before it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hanro.service import Parts, make_apps, open_parts
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from order_svc.app import SERVICE
from order_svc.settings import OrderSettings

OK = 200
UNLIMITED = 1_000_000


class Asking:
    """Ask the application for a page or a file; `shop`: as a caller of one internal shop alone."""

    def __init__(self, app: Any, shop: str | None = None) -> None:
        self._app = app
        scopes = ("orders:read", "orders:personal")
        said = bearer(*scopes) if shop is None else bearer(*scopes, shops=(shop,))
        self._headers = [(name.lower().encode(), text.encode()) for name, text in said.items()]
        self._headers += [(b"host", b"order"), (b"content-type", b"application/json")]
        self.who = "" if shop is None else f", of {shop}"

    def of_shop(self, shop: str) -> "Asking":
        """Give the same for a caller of one internal shop."""
        return Asking(self._app, shop)

    async def ask(
        self, query: str, *, path: str, body: bytes = b"", see: Callable[[bytes], None] = lambda _body: None
    ) -> float:
        """Ask, a POST where there is a body, and give the seconds; `see` takes the answer in pieces.

        Raises:
            RuntimeError: the answer is not 200.
        """
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return waiting.pop() if waiting else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message.get("status", OK) != OK:
                raise RuntimeError(f"{path}?{query}: {message}")
            see(message.get("body", b""))

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST" if body else "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [*self._headers, (b"content-length", b"%d" % len(body))],
            "client": ("127.0.0.1", 1),
            "server": ("order", 80),
        }
        began = time.perf_counter()
        await self._app(scope, receive, send)
        return time.perf_counter() - began


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Parts, Asking]]:
    """Open order-svc's public application on a database; nothing else runs."""
    settings = OrderSettings(database_url=url, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/x"))
    parts = open_parts(SERVICE, settings, keyring=fixed_keyring())
    built = SERVICE.build(parts, settings)
    apps = make_apps(
        SERVICE, parts, built, authenticator=SpokenCallers(), missing=lambda: None, requests_per_minute=UNLIMITED
    )
    try:
        yield parts, Asking(apps.public)
    finally:
        for close in (*built.closers, parts.close):
            await close()
