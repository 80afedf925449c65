"""Gets the access tokens that services show each other: client credentials, or a mounted Kubernetes token."""

from pathlib import Path
from typing import Protocol

from hanro.clock import Clock


class TokenSource(Protocol):
    """Give a bearer token that is valid now."""

    async def token(self) -> str:
        """Give the token.

        Raises:
            Retryable: the issuer cannot be reached; code "unavailable".
            ContractBroken: the issuer refuses the client or answers something else; code "unreadable".
        """


class ClientCredentials:
    """Ask a token endpoint (OAuth 2.0 client credentials); keep the token until shortly before it expires.

    `secret_file` is read at each request, so that a rotated secret is taken up. Source: RFC 6749 4.4.
    """

    def __init__(
        self, *, token_url: str, client_id: str, secret_file: Path, scopes: tuple[str, ...], audience: str, clock: Clock
    ) -> None:
        self._token_url = token_url
        self._client_id = client_id
        self._secret_file = secret_file
        self._scopes = scopes
        self._audience = audience
        self._clock = clock

    async def token(self) -> str:
        """Give the token; see `TokenSource.token`."""
        raise NotImplementedError
