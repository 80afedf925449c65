"""Gets the access tokens that services show each other: client credentials, or a mounted Kubernetes token."""

import asyncio
import json
import ssl
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import quote_plus, urlencode, urlsplit

from hanro.clock import Clock
from hanro.errors import ContractBroken, InDoubt, Retryable
from hanro.http import ServiceHttp
from hanro.marketplace.types import HttpRequest

# A token that expires on its way is refused there.
SPARE = timedelta(seconds=60)
DEFAULT_LIFETIME_SECONDS = 300.0
FILE_READ_AGAIN = timedelta(minutes=1)
OK, SERVER_ERROR = 200, 500


class TokenSource(Protocol):
    """Give a bearer token that is valid now."""

    async def token(self) -> str:
        """Give the token.

        Raises:
            Retryable: the issuer cannot be reached; code "unavailable".
            ContractBroken: the issuer refuses the client or answers something else; code "unreadable".
        """


class ClientCredentials:
    """Ask a token endpoint (OAuth 2.0 client credentials); keep the token until a minute before it expires.

    `secret_file` is read at each request, so that a rotated secret is taken up; without `scopes` the issuer grants what
    it has for the client. Source: RFC 6749 4.4.
    """

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        secret_file: Path,
        scopes: tuple[str, ...],
        audience: str,
        clock: Clock,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        base_url, self._path = split(token_url)
        self._http = ServiceHttp(base_url, clock, tls=tls)
        self._client_id = client_id
        self._secret_file = secret_file
        self._scopes = scopes
        self._audience = audience
        self._clock = clock
        self._asking = asyncio.Lock()
        self._token = ""
        self._good_until = float("-inf")

    async def token(self) -> str:
        """Give the token; see `TokenSource.token`."""
        async with self._asking:
            if self._clock.monotonic() >= self._good_until:
                self._token, lifetime = await self._ask()
                # A token of two minutes or less is kept for half of its life.
                kept = max(lifetime - SPARE.total_seconds(), lifetime / 2)
                self._good_until = self._clock.monotonic() + kept
            return self._token

    async def close(self) -> None:
        """Close the connections to the issuer."""
        await self._http.close()

    async def _ask(self) -> tuple[str, float]:
        secret = read_mounted(self._secret_file)
        # RFC 6749 2.3.1: both parts are form-encoded before they are joined.
        basic = b64encode(f"{quote_plus(self._client_id)}:{quote_plus(secret)}".encode()).decode()
        form = {"grant_type": "client_credentials", "audience": self._audience}
        if self._scopes:
            form["scope"] = " ".join(self._scopes)
        request = HttpRequest(
            method="POST",
            path=self._path,
            headers={
                "authorization": f"Basic {basic}",
                "content-type": "application/x-www-form-urlencoded",
                "accept": "application/json",
            },
            body=urlencode(form).encode(),
            # Asking twice makes two tokens, and nobody minds.
            has_effect=False,
        )
        try:
            answer = await self._http.send(request)
        except InDoubt as error:
            raise Retryable("The token issuer did not answer.", code="unavailable") from error
        if answer.status >= SERVER_ERROR:
            raise Retryable(f"The token issuer answers {answer.status}.", code="unavailable")
        if answer.status != OK:
            raise ContractBroken(f"The token issuer refuses this client ({answer.status}).", code="unreadable")
        return _parse(answer.body)


class FileToken:
    """Read a mounted token (a Kubernetes projected volume, which is renewed in place) again each minute."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._token = ""
        self._read_at = float("-inf")

    async def token(self) -> str:
        """Give the token; see `TokenSource.token`."""
        now = self._clock.monotonic()
        if now - self._read_at >= FILE_READ_AGAIN.total_seconds():
            self._token = read_mounted(self._file)
            self._read_at = now
        return self._token


def source(mounted: Path | None, otherwise: TokenSource, clock: Clock) -> TokenSource:
    """Give the token source for a callee: the mounted token, where there is one."""
    return otherwise if mounted is None else FileToken(mounted, clock)


def split(url: str) -> tuple[str, str]:
    """Split an address into its base URL (scheme, host and port) and the path below it.

    Raises:
        ValueError: not an http(s) address.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ValueError("an address begins with http:// or https:// and names a host, without a user")
    return f"{parts.scheme}://{parts.netloc}", parts.path or "/"


def read_mounted(file: Path) -> str:
    """Give the text of a mounted secret.

    Raises:
        Retryable: it cannot be read now; code "unavailable".
    """
    try:
        return file.read_text().strip()
    except OSError as error:
        raise Retryable(f"The mounted file {file.name} cannot be read.", code="unavailable") from error


def _parse(body: bytes) -> tuple[str, float]:
    try:
        found = json.loads(body)
        token = found["access_token"]
        lifetime = float(found.get("expires_in", DEFAULT_LIFETIME_SECONDS))
    except (ValueError, KeyError, TypeError, AttributeError):
        token, lifetime = None, 0.0
    if not isinstance(token, str) or not token:
        raise ContractBroken("The token issuer's answer holds no token.", code="unreadable") from None
    return token, lifetime
