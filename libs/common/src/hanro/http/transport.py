"""Carries plug-ins' requests: one HTTP client per plug-in for all accounts, and the lease's end kept to the byte."""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from weakref import WeakValueDictionary

import httpx

from hanro.clock import Clock
from hanro.due import Lease
from hanro.errors import Retryable
from hanro.http.wire import Wire
from hanro.marketplace.port import Http, Turn
from hanro.marketplace.types.exchange import HttpAnswer, HttpRequest
from hanro.marketplace.types.plain import MarketplaceId
from hanro.pacer import SlotTurn

CALLS_IN_FLIGHT = 2
ANSWER_BYTES = 64 * 1024 * 1024
CALL_DEADLINE = timedelta(seconds=20)


class Transport:
    """Hold one HTTP client per plug-in for all accounts of a process; `base_urls` are the only hosts it connects to.

    One TLS context serves all clients; `tls` None makes one of its own.
    """

    def __init__(
        self,
        base_urls: Mapping[str, str],
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        max_answer_bytes: int = ANSWER_BYTES,
    ) -> None:
        context = tls or tls_context()
        self._clock = clock
        self._wires = {
            plugin_id: Wire(base_url, clock, context=context, max_answer_bytes=max_answer_bytes)
            for plugin_id, base_url in base_urls.items()
        }
        self._in_flight: WeakValueDictionary[tuple[str, str], asyncio.Semaphore] = WeakValueDictionary()

    def reaches(self, plugin_id: MarketplaceId) -> bool:
        """Tell whether a base URL is configured for a plug-in."""
        return plugin_id in self._wires

    def session_http(
        self,
        plugin_id: MarketplaceId,
        account_id: str,
        *,
        lease: Lease | None = None,
        call_deadline: timedelta = CALL_DEADLINE,
    ) -> Http:
        """Give the port's `Http` for one account: at most 2 calls in flight, none begun after two thirds of the lease.

        The limit in flight holds for all sessions of the account in this process.

        Raises:
            KeyError: no base URL is configured for the plug-in.
        """
        wire = self._wires[plugin_id]
        places = self._in_flight.setdefault((plugin_id, account_id), asyncio.Semaphore(CALLS_IN_FLIGHT))
        labels = {"plugin_id": plugin_id, "account_id": account_id}
        return _SessionHttp(
            wire=wire, clock=self._clock, places=places, lease=lease, call_deadline=call_deadline, labels=labels
        )

    async def close(self) -> None:
        """Close all connections; calls in flight fail."""
        for wire in self._wires.values():
            await wire.close()


class _SessionHttp:
    """Send the requests of one session; the port's `Http`."""

    def __init__(
        self,
        *,
        wire: Wire,
        clock: Clock,
        places: asyncio.Semaphore,
        lease: Lease | None,
        call_deadline: timedelta,
        labels: Mapping[str, str],
    ) -> None:
        self._wire = wire
        self._clock = clock
        self._places = places
        self._lease = lease
        self._call_deadline = call_deadline
        self._labels = labels

    async def send(self, request: HttpRequest, turn: Turn) -> HttpAnswer:
        """Send once; see the port."""

        async def leaving() -> None:
            if isinstance(turn, SlotTurn):
                await turn.leaving()
            # Last: nothing waits between this look and the first byte.
            if self._lease is not None and self._clock.monotonic() >= self._lease.last_call_monotonic:
                raise Retryable("The lease is too short for another call.", code="lease-lost")

        def left() -> None:
            if isinstance(turn, SlotTurn):
                turn.left()

        async with self._places:
            return await self._wire.exchange(
                request, deadline=self._call_deadline, leaving=leaving, left=left, **self._labels
            )


@cache
def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Make a TLS context that checks names and trusts the usual authorities, and those of a file.

    Reading them takes long: a process has one for all that trusts alike, with the authorities of its first use.
    """
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
