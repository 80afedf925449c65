"""Joins a marketplace, its controls, the faults and the journal into one ASGI application."""

import asyncio
import random
import re
import socket
import struct

from fastapi import APIRouter
from starlette.types import ASGIApp, Receive, Scope, Send

from simkit.exchange import Caller, Marketplace, Reply, Request
from simkit.faults import Fault
from simkit.injection import Delivery, deliver
from simkit.journal import body_fields
from simkit.kit import Kit
from simkit.limit_routes import limit_routes
from simkit.redaction import Redaction
from simkit.relay.routes import relay_routes
from simkit.routes import Controls, make_control_app
from simkit.server import TRANSPORT

BODY_LIMIT_BYTES = 64 * 1024 * 1024
_HOST = re.compile(r"^https?://[^/]*", re.IGNORECASE)


class _Gone(Exception):
    """Say that the client closed the connection before its request was whole."""


class _TooLarge(Exception):
    """Say that a body is over the limit; it was read to its end, so that the refusal can be read too."""


async def _read_body(receive: Receive) -> bytes:
    body = bytearray()
    is_too_large = False
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT_BYTES:
            is_too_large = True
            body.clear()
        if not message.get("more_body", False):
            break
    if is_too_large:
        raise _TooLarge
    return bytes(body)


def _origin_form(target: str) -> str:
    """Give the path of a target; one in absolute form, which proxies send, loses its host (RFC 9112 3.2.2)."""
    return _HOST.sub("", target) or "/"


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Close the connection, by RST when `reset`, and wait until it is gone: the server then expects no answer."""
    transport = scope["extensions"][TRANSPORT]
    if reset:
        # Linger of zero seconds: the kernel sends RST and drops what is not yet sent.
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
    await _wait_for_disconnect(receive)


async def _send(reply: Reply, send: Send, *, is_cut: bool) -> None:
    names = {name.lower() for name, _ in reply.headers}
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    if "content-length" not in names and "transfer-encoding" not in names:
        headers.append((b"Content-Length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = reply.body[: len(reply.body) // 2] if is_cut else reply.body
    await send({"type": "http.response.body", "body": body, "more_body": is_cut})


class MarketplaceSide:
    """Serve the marketplace over ASGI: time, faults, journal around each request."""

    def __init__(self, marketplace: Marketplace, kit: Kit, redaction: Redaction) -> None:
        self._marketplace = marketplace
        self._kit = kit
        self._redaction = redaction
        self._noise = random.Random(0)  # noqa: S311  repeatable on purpose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        clock = self._kit.clock
        # A request never overtakes a timer that was due before it came.
        clock.fire_due()
        received_at, monotonic_seconds = clock.now(), clock.monotonic()
        path = _origin_form(scope["raw_path"].decode("latin-1"))
        try:
            body = await _read_body(receive)
        except _Gone:
            return
        except _TooLarge:
            self._kit.journal.add("too-large", {"path": self._redaction.path(path)})
            await _send(Reply(413, ()), send, is_cut=False)
            return
        request = Request(
            method=scope["method"],
            path=path,
            query=scope["query_string"].decode("latin-1"),
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
            body=body,
            received_at=received_at,
            monotonic_seconds=monotonic_seconds,
        )
        caller = self._marketplace.identify(request)
        fault = self._kit.faults.take_http(request.path, request.method, caller.function, caller.shop)
        try:
            delivery = await deliver(request, caller, fault, self._marketplace, self._noise)
        except Exception as error:
            self._kit.journal.add("bug", {"path": self._redaction.path(request.path), "error": type(error).__name__})
            raise
        # Before waiting: a checker sees what took effect while the caller still waits.
        self._record(request, caller, fault, delivery)
        await self._hand_over(delivery, scope, receive, send)

    async def _hand_over(self, delivery: Delivery, scope: Scope, receive: Receive, send: Send) -> None:
        if delivery.wait_seconds:
            try:
                async with asyncio.timeout(delivery.wait_seconds):
                    await _wait_for_disconnect(receive)
            except TimeoutError:
                pass
            else:
                return
        if delivery.reply is not None:
            await _send(delivery.reply, send, is_cut=delivery.ending == "cut")
        if delivery.ending != "whole":
            await _end(scope, receive, reset=delivery.ending == "reset")

    def _record(self, request: Request, caller: Caller, fault: Fault | None, delivery: Delivery) -> None:
        hide = self._redaction
        honest, reply = delivery.honest, delivery.reply
        self._kit.journal.add(
            "request",
            {
                "method": request.method,
                "path": hide.path(request.path),
                "query": hide.query(request.query),
                "shop": caller.shop,
                "function": caller.function,
                "status": None if reply is None else reply.status,
                "fault": None if fault is None else fault.kind,
                "was_applied": honest is not None,
                "has_effect": honest is not None and honest.has_effect,
                "request_headers": hide.headers(request.headers),
                **body_fields("request", hide.body(request.body, request.header("content-type") or "")),
                **body_fields("response", b"" if reply is None else reply.body),
            },
            received_at=request.received_at,
            monotonic_seconds=request.monotonic_seconds,
        )


def make_app(
    title: str, marketplace: Marketplace, kit: Kit, *routers: APIRouter, redaction: Redaction | None = None
) -> ASGIApp:
    """Make a simulator's application: `/_sim` and below are controls, everything else is the marketplace.

    `routers` are the simulator's own controls with whole paths (`/_sim/shops` …). The application is served by
    `simkit.server.serve`: resets need its hold on the connection.
    """
    more = [limit_routes(kit.limits), *routers]
    if kit.relay is not None:
        more.append(relay_routes(kit.relay))

    def reset() -> None:
        kit.limits.reset()
        if kit.relay is not None:
            kit.relay.mailbox.clear()
            kit.relay.logins.replace(())
        marketplace.reset()

    controls = Controls(title, kit.clock, kit.journal, kit.faults, marketplace.state, reset)
    control_app = make_control_app(controls, *more)
    side = MarketplaceSide(marketplace, kit, redaction or Redaction())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        is_control = scope["path"] == "/_sim" or scope["path"].startswith("/_sim/")
        await (control_app if is_control else side)(scope, receive, send)

    return app
