"""Listens for SMTP and keeps what the conversations share."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from simkit.clock import Clock
from simkit.faults import FaultBook
from simkit.journal import Journal
from simkit.relay.certificates import Authority, keep_authority, make_authority, server_context
from simkit.relay.conversation import Conversation
from simkit.relay.desk import Desk, Rules
from simkit.relay.logins import Login, Logins
from simkit.relay.mailbox import Mailbox
from simkit.server import bind


@dataclass(frozen=True)
class RelaySettings:
    """State where a relay listens and what it keeps; `port` 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0
    rules: Rules = field(default_factory=Rules)
    certificate_file: Path | None = None
    mail_directory: Path | None = None
    logins: tuple[Login, ...] = ()


def make_desk(settings: RelaySettings, clock: Clock, journal: Journal, faults: FaultBook | None = None) -> Desk:
    """Make what a relay's conversations share; with `certificate_file` its authority is kept there for clients."""
    authority: Authority
    authority = make_authority() if settings.certificate_file is None else keep_authority(settings.certificate_file)
    names = dict.fromkeys((settings.rules.host_name, "localhost", "127.0.0.1", "::1"))
    return Desk(
        clock=clock,
        journal=journal,
        faults=FaultBook(random.Random(0)) if faults is None else faults,  # noqa: S311  faults, not secrets
        logins=Logins(settings.logins),
        mailbox=Mailbox(settings.mail_directory),
        rules=settings.rules,
        tls=server_context(authority, tuple(names)),
        wrong_name_tls=server_context(authority, ("elsewhere.example.invalid",)),
    )


class Relay:
    """Listen on one port; stop listening while a dial of kind `mail-refuse` is on."""

    def __init__(self, desk: Desk, host: str, port: int) -> None:
        self.desk = desk
        self.host = host
        self.port = port
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Event()
        self._conversations: set[Conversation] = set()
        desk.faults.listen(self._changed.set)

    @property
    def is_listening(self) -> bool:
        """Tell whether connections are taken at present."""
        return self._server is not None

    async def start(self) -> None:
        """Begin to listen; `port` holds the real one afterwards.

        Raises:
            OSError: the port is taken.
        """
        await self._listen()

    async def run(self) -> None:
        """Open and close the port as `mail-refuse` dials come and go; never returns."""
        loop = asyncio.get_running_loop()
        ends: dict[int, float] = {}
        while True:
            self._changed.clear()
            wait = timedelta(seconds=60).total_seconds()
            for dial in self.desk.faults.refusals():
                if dial.fault.seconds is None:
                    continue
                end = ends.setdefault(dial.id, loop.time() + dial.fault.seconds)
                if loop.time() >= end:
                    self.desk.faults.remove(dial.id)
                else:
                    wait = min(wait, end - loop.time())
            if self.desk.faults.refusals():
                await self._unlisten()
            elif self._server is None:
                await self._listen()
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Close the port and every conversation."""
        await self._unlisten()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        listening = bind(self.host, self.port)
        self.port = listening.getsockname()[1]
        self._server = await loop.create_server(self._converse, sock=listening)

    async def _unlisten(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for conversation in tuple(self._conversations):
            if conversation.transport is not None:
                conversation.transport.close()
        self._conversations.clear()

    def _converse(self) -> Conversation:
        conversation = Conversation(self.desk, asyncio.get_running_loop())
        self._conversations = {known for known in self._conversations if known.transport is not None}
        self._conversations.add(conversation)
        return conversation
