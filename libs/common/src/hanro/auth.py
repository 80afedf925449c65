"""Decides who calls: bearer tokens (JWT) of any OIDC issuer or of Kubernetes, checked against the issuer's keys."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hanro.clock import Clock

ALL_SHOPS = "*"

FetchKeys = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Be who calls. `shops` are the internal shops it may see; `{"*"}` are all, empty is none."""

    subject: str
    scopes: frozenset[str]
    shops: frozenset[str]

    def may_see(self, shop_id: str) -> bool:
        """Tell whether the caller may see that shop's matters."""
        return ALL_SHOPS in self.shops or shop_id in self.shops


class Unauthenticated(Exception):
    """The token does not say who calls; the text names the reason and holds nothing of the token."""


class Authenticator(Protocol):
    """Turn a bearer token into a caller."""

    async def caller(self, token: str) -> Caller:
        """Give who calls.

        Raises:
            Unauthenticated: malformed, of another issuer or audience, expired, or signed by an unknown key.
            Retryable: the issuer's keys cannot be had and none are known; code "unavailable".
        """


class JwtAuthenticator:
    """Check JWTs (RS256, ES256) against an issuer's key set."""

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        fetch_keys: FetchKeys,
        clock: Clock,
        subject_scopes: Mapping[str, str] | None = None,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._fetch_keys = fetch_keys
        self._clock = clock
        self._subject_scopes = subject_scopes or {}

    async def caller(self, token: str) -> Caller:
        """Give who calls; see `Authenticator.caller`."""
        raise NotImplementedError


def keys_at(url: str, *, ca_file: Path | None = None, token_file: Path | None = None) -> FetchKeys:
    """Give a fetch of the key set at a URL, for `JwtAuthenticator`; `token_file` is re-read at each fetch."""
    raise NotImplementedError
