"""Keeps one connection to each relay login, so that mails follow each other without a new handshake."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hanro.clock import Clock
from hanro.errors import Retryable
from hanro.marketplace.types import MailRelay
from hanro.servers import ServersUp
from notifier_svc.mailer.connection import Address, Connection, Login, open_connection

# Relays drop an idle client after minutes; a shop's mails come in bursts.
LONGEST_IDLE_SECONDS = 30.0
# A connection this fresh needs no question whether it still stands.
FRESH_SECONDS = 2.0

Key = tuple[str, int, str, bytes]


@dataclass(slots=True)
class _Line:
    """Be the place of one login: whoever holds the lock may speak."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    connection: Connection | None = None


class Relays:
    """Open and keep connections; `instead` maps "host:port" of a relay to the "host:port" to connect to.

    Whether a relay answered is noted in `up`, under its own "host:port".
    """

    def __init__(
        self, *, tls: ssl.SSLContext, clock: Clock, instead: Mapping[str, str], step_seconds: float, up: ServersUp
    ) -> None:
        self._tls = tls
        self._clock = clock
        self._instead = instead
        self._step_seconds = step_seconds
        self._up = up
        self._lines: dict[Key, _Line] = {}

    @asynccontextmanager
    async def connection(self, relay: MailRelay) -> AsyncIterator[Connection]:
        """Give the connection of a relay's login to one holder at a time; it stays open afterwards.

        Raises:
            Retryable, NeedsSeller, Rejected, ContractBroken: see `open_connection`.
        """
        line = self._lines.setdefault(_key(relay), _Line())
        async with line.lock:
            if line.connection is None or not await self._stands(line.connection):
                line.connection = await self._open(relay)
            try:
                yield line.connection
            except BaseException:
                # Nobody knows at which step the conversation was left.
                line.connection.close()
                raise

    async def prune(self) -> None:
        """Close what was idle for 30 s, and forget logins that nobody uses."""
        for key, line in tuple(self._lines.items()):
            if line.lock.locked():
                continue
            if line.connection is None or not line.connection.is_open:
                del self._lines[key]
            elif line.connection.idle_seconds > LONGEST_IDLE_SECONDS:
                async with line.lock:
                    await line.connection.leave()

    async def close(self) -> None:
        """Close all connections."""
        for line in self._lines.values():
            if line.connection is not None and line.connection.is_open:
                await line.connection.leave()
        self._lines.clear()

    async def _stands(self, connection: Connection) -> bool:
        if not connection.is_open:
            return False
        return connection.idle_seconds < FRESH_SECONDS or await connection.is_alive()

    async def _open(self, relay: MailRelay) -> Connection:
        login = Login(username=relay.username, password=relay.password, greeting=relay.sender.rpartition("@")[2])
        named = f"{relay.host}:{relay.port}"
        host, _, port = self._instead.get(named, named).rpartition(":")
        try:
            opened = await open_connection(
                Address(host=host, port=int(port)),
                login,
                tls=self._tls,
                clock=self._clock,
                step_seconds=self._step_seconds,
            )
        except Retryable as failure:
            # One that says "later" is there.
            self._up.note(named, is_up=failure.refusal is not None)
            raise
        self._up.note(named, is_up=True)
        return opened


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Make the trust for relays: the machine's authorities, or the one in the file alone."""
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


def _key(relay: MailRelay) -> Key:
    # A new password must not speak over the old one's connection.
    return relay.host, relay.port, relay.username, hashlib.sha256(relay.password.encode()).digest()
