"""Holds what a plug-in is given for one account: its secrets, a paced way to send, and a clock; nothing else."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

from hanro.clock import Clock
from hanro.marketplace.types.exchange import HttpAnswer, HttpRequest
from hanro.value import hidden, value


@value
class Secrets:
    """Hold an account's credentials by FormField.name, the version they are stored as, and since when."""

    values: Mapping[str, str]
    version: int
    stored_at: datetime

    __repr__ = hidden


class Turn(Protocol):
    """Be the permission for one request."""

    def throttled(self, after: timedelta | None) -> None:
        """Say that this request was refused for its rate: narrows the group for every process.

        `after` is what they asked to wait, None where they did not say.
        """


class Pacer(Protocol):
    """Keep the rates of an account's API groups over all processes."""

    def turn(self, *groups: str) -> AbstractAsyncContextManager[Turn]:
        """Wait for a slot in all groups at once, for one request; an error leaving it counts for the breaker.

        Raises:
            Retryable: a group's breaker is open (unavailable); `after` is until when.
        """


class Http(Protocol):
    """Send requests below the configured base URL; no plug-in imports an HTTP library."""

    async def send(self, request: HttpRequest, turn: Turn) -> HttpAnswer:
        """Send once; any status is an answer.

        Raises:
            Retryable: no byte left (also: lease over, lease-lost), or no answer to a read.
            InDoubt: no answer to a request with an effect, of which bytes had left.
        """


@value
class Session:
    """Hold what a plug-in may use for one account, for as long as one lease."""

    secrets: Secrets
    http: Http
    pacer: Pacer
    clock: Clock
