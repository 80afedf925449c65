"""Calls what is ours: another service, the token issuer, a key set."""

import ssl
from datetime import timedelta

from hanro.clock import Clock
from hanro.http.transport import tls_context
from hanro.http.wire import Wire
from hanro.marketplace.types.exchange import HttpAnswer, HttpRequest

ANSWER_BYTES = 4 * 1024 * 1024
DEADLINE = timedelta(seconds=5)


class ServiceHttp:
    """Call one base URL that is ours, without pacing or leases; `deadline` bounds a call from its first byte on.

    `tls` None makes a context of its own: a process shares one.
    """

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        deadline: timedelta = DEADLINE,
        max_answer_bytes: int = ANSWER_BYTES,
    ) -> None:
        self._wire = Wire(base_url, clock, context=tls or tls_context(), max_answer_bytes=max_answer_bytes)
        self._deadline = deadline

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """Send once.

        Raises:
            Retryable: no answer to a read, or no byte left; code "unavailable".
            InDoubt: no answer to a request with an effect, code "answer-lost"; or an unreadable one.
            ContractBroken: the answer to a read is too large or cannot be decoded; code "unreadable".
        """
        return await self._wire.exchange(request, deadline=self._deadline)

    async def close(self) -> None:
        """Close all connections."""
        await self._wire.close()
