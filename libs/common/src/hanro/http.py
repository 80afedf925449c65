"""Sends requests to marketplaces and between services; the only room that knows the HTTP library."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from hanro.clock import Clock
from hanro.due import Lease
from hanro.marketplace.port import Http
from hanro.marketplace.types import HttpAnswer, HttpRequest, MarketplaceId


class Transport:
    """Hold one HTTP client per plug-in for all accounts of a process; `base_urls` are the only hosts it connects to."""

    def __init__(
        self,
        base_urls: Mapping[str, str],
        clock: Clock,
        *,
        ca_file: Path | None = None,
        max_answer_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        raise NotImplementedError

    def session_http(
        self,
        plugin_id: MarketplaceId,
        account_id: str,
        *,
        lease: Lease | None = None,
        call_deadline: timedelta = timedelta(seconds=20),
    ) -> Http:
        """Give the port's `Http` for one account: at most 2 calls in flight, none begun after two thirds of the lease.

        Raises:
            KeyError: no base URL is configured for the plug-in.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Close all connections; calls in flight fail."""
        raise NotImplementedError


class ServiceHttp:
    """Call one base URL that is ours (another service, the token issuer, a key set), without pacing or leases."""

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        ca_file: Path | None = None,
        deadline: timedelta = timedelta(seconds=5),
        max_answer_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        raise NotImplementedError

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """Send once.

        Raises:
            Retryable: no answer to a read, or no byte left; code "unavailable".
            InDoubt: no answer to a request with an effect; code "answer-lost".
            ContractBroken: the answer is too large or cannot be decoded; code "unreadable".
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Close all connections."""
        raise NotImplementedError
