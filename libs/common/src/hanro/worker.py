"""Runs a service's process: named loops and HTTP servers in one task group, drained in order at SIGTERM."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from hanro.clock import Clock
from hanro.db import Database

DRAIN = timedelta(seconds=10)

Loop = Callable[[asyncio.Event], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Be an application and where it listens; `name` is for logs ("public", "internal")."""

    name: str
    app: FastAPI
    host: str
    port: int


class PortTaken(Exception):
    """Another process listens there; the text is one line that names the address and the setting."""


class Readiness:
    """Know whether the database answered once, with a schema revision at or after `wanted`; never asks again."""

    def __init__(self, db: Database, *, wanted: str, clock: Clock) -> None:
        self._db = db
        self._wanted = wanted
        self._clock = clock
        self._missing: str | None = "the database has not answered yet"

    def missing(self) -> str | None:
        """Say what the process still waits for; None once it is ready, for good."""
        return self._missing

    async def wait(self, stop: asyncio.Event) -> bool:
        """Wait until ready, asking twice a second; False where `stop` was set first."""
        raise NotImplementedError


async def run(
    loops: Mapping[str, Loop],
    *,
    readiness: Readiness,
    listeners: Sequence[Listener] = (),
    relay: Loop | None = None,
    drain: timedelta = DRAIN,
    drains: Mapping[str, timedelta] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT, or until a loop fails or ends by itself.

    Listeners are up at once, loops start when ready. At a signal: `stop` is set for all loops, each has `drain` (or
    its own in `drains`: a sender waits for its call's deadline), then is cancelled; then the servers finish their
    requests; the relay stops last, so that what they recorded leaves. A loop that raises ends the process.

    Raises:
        PortTaken: a listener's port is in use.
        ExceptionGroup: a loop's bug.
    """
    raise NotImplementedError


def main(service: Callable[[], Any]) -> None:
    """Run an async function as the process, on uvloop where it exists; exit 0, 1 after a bug, 2 for settings or port."""
    raise NotImplementedError
