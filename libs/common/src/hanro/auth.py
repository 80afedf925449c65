"""Decides who calls: bearer tokens (JWT) of any OIDC issuer or of Kubernetes, checked against the issuer's keys.

Source: RFC 7519, RFC 7517, RFC 9068 (`scope`); Kubernetes projected service account tokens carry no scopes.
"""

import asyncio
import hashlib
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import jwt
from jwt import PyJWK

from hanro.clock import Clock
from hanro.errors import ContractBroken, InDoubt, Retryable
from hanro.http import ServiceHttp
from hanro.log import logger
from hanro.marketplace.types import HttpRequest
from hanro.tokens import read_mounted, split

ALL_SHOPS = "*"
ALGORITHMS = frozenset({"RS256", "ES256"})
LONGEST_TOKEN = 16 * 1024
# Clocks of issuer and callee may differ by this much.
LEEWAY_SECONDS = 30.0
FRESH = timedelta(minutes=10)
KEPT = timedelta(hours=24)
# A stranger's token with an invented key id must not make us ask the issuer each time.
BETWEEN_ASKS = timedelta(seconds=10)
MOST_VERIFIED = 1_000
OK = 200

FetchKeys = Callable[[], Awaitable[bytes]]

_log = logger(__name__)


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


class KeySet:
    """Fetch an issuer's key set (JWKS) from its URL; `token_file` is a bearer token, read again at each fetch."""

    def __init__(
        self, url: str, clock: Clock, *, tls: ssl.SSLContext | None = None, token_file: Path | None = None
    ) -> None:
        base_url, self._path = split(url)
        self._http = ServiceHttp(base_url, clock, tls=tls)
        self._token_file = token_file

    async def fetch(self) -> bytes:
        """Give the key set's JSON.

        Raises:
            Retryable: it cannot be had now.
            ContractBroken: the answer is not a key set's.
        """
        headers = {"accept": "application/json"}
        if self._token_file:
            headers["authorization"] = f"Bearer {read_mounted(self._token_file)}"
        answer = await self._http.send(HttpRequest(method="GET", path=self._path, headers=headers, has_effect=False))
        if answer.status != OK:
            raise Retryable(f"The issuer answers {answer.status} for its keys.", code="unavailable")
        return answer.body

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


class JwtAuthenticator:
    """Check JWTs (RS256, ES256) against an issuer's key set.

    Keys are asked for again after 10 minutes and when a token names an unknown one, at most every 10 s; the last good
    set is kept for 24 hours while the issuer is away. `clock` is the issuer's time: one without a test's offset.
    `subject_scopes` gives the scopes of subjects whose tokens carry none; such a caller sees all shops.
    """

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
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self._verified: dict[bytes, tuple[PyJWK, Mapping[str, object]]] = {}

    async def caller(self, token: str) -> Caller:
        """Give who calls; see `Authenticator.caller`."""
        if len(token) > LONGEST_TOKEN:
            raise Unauthenticated("The token is too long.")
        claims = await self._claims_of(token)
        self._check_times(claims)
        return self._caller_of(claims)

    async def _claims_of(self, token: str) -> Mapping[str, object]:
        """Give what a token says, its times unchecked; its signature is looked at once for each key set."""
        # The token itself is a secret: only its digest is kept.
        digest = hashlib.sha256(token.encode()).digest()
        key, claims = self._verified.get(digest, (None, None))
        if key is not None and claims is not None:
            await self._refresh(is_needed=False)
            if any(key is one for one in self._keys.values()):
                return claims
        key = await self._key_of(token)
        claims = self._verify(token, key)
        self._verified.pop(digest, None)
        while len(self._verified) >= MOST_VERIFIED:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = key, claims
        return claims

    def _verify(self, token: str, key: PyJWK) -> Mapping[str, object]:
        try:
            claims: Mapping[str, object] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                # Times are checked against the clock that we were given.
                options={"require": ["exp", "sub"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(_REASONS.get(type(error), "The token is not valid.")) from None
        return claims

    async def _key_of(self, token: str) -> PyJWK:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise Unauthenticated("The token is no JWT.") from None
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise Unauthenticated("The token is signed by an algorithm that is not allowed.")
        named = header.get("kid")
        await self._refresh(is_needed=named not in self._keys)
        key = self._keys.get(named) if isinstance(named, str) else None
        if key is None and named is None and len(self._keys) == 1:
            key = next(iter(self._keys.values()))
        if key is None or key.algorithm_name != algorithm:
            raise Unauthenticated("The token is signed by an unknown key.")
        return key

    async def _refresh(self, *, is_needed: bool) -> None:
        if self._age() < FRESH.total_seconds() and not is_needed:
            return
        if self._asking.locked() and not is_needed:
            return  # another request asks already, and the keys at hand serve
        async with self._asking:
            now = self._clock.monotonic()
            if now - self._asked_at >= BETWEEN_ASKS.total_seconds():
                self._asked_at = now
                await self._ask()
        if self._age() > KEPT.total_seconds():
            self._keys = {}
        if not self._keys:
            raise Retryable("The issuer's keys cannot be had.", code="unavailable", after=BETWEEN_ASKS)

    async def _ask(self) -> None:
        try:
            keys = _parse(await self._fetch_keys())
        except (Retryable, ContractBroken, InDoubt) as error:
            _log.warning("auth.keys_unavailable", code=error.code, why=error.why)
            return
        self._keys = keys
        self._fetched_at = self._clock.monotonic()

    def _age(self) -> float:
        return self._clock.monotonic() - self._fetched_at

    def _check_times(self, claims: Mapping[str, object]) -> None:
        now = self._clock.now().timestamp()
        expires, begins = claims["exp"], claims.get("nbf", 0)
        if not isinstance(expires, int | float) or not isinstance(begins, int | float):
            raise Unauthenticated("The token's times are malformed.")
        if expires + LEEWAY_SECONDS <= now:
            raise Unauthenticated("The token has expired.")
        if begins - LEEWAY_SECONDS > now:
            raise Unauthenticated("The token is not valid yet.")

    def _caller_of(self, claims: Mapping[str, object]) -> Caller:
        subject = claims["sub"]
        if not isinstance(subject, str) or not subject:
            raise Unauthenticated("The token names no subject.")
        scopes = claims.get("scope", claims.get("scp"))
        if scopes is None and subject in self._subject_scopes:
            given = frozenset(self._subject_scopes[subject].split())
            return Caller(subject=subject, scopes=given, shops=frozenset({ALL_SHOPS}))
        return Caller(subject=subject, scopes=_words(scopes), shops=_words(claims.get("shops")))


def _words(claim: object) -> frozenset[str]:
    match claim:
        case str():
            return frozenset(claim.split())
        case list():
            return frozenset(word for word in claim if isinstance(word, str))
    return frozenset()


def _parse(body: bytes) -> dict[str, PyJWK]:
    try:
        listed = json.loads(body)["keys"]
        found = [entry for entry in listed if entry.get("use", "sig") == "sig" and "kid" in entry]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ContractBroken("The issuer's key set is unreadable.", code="unreadable") from None
    keys: dict[str, PyJWK] = {}
    for entry in found:
        try:
            key = PyJWK.from_dict(entry)
        except (jwt.PyJWKError, jwt.InvalidKeyError, ValueError):
            continue  # a kind of key that we do not know may stand beside one that we do
        if key.algorithm_name in ALGORITHMS:
            keys[str(entry["kid"])] = key
    if not keys:
        raise ContractBroken("The issuer's key set holds no key for RS256 or ES256.", code="unreadable")
    return keys


_REASONS: Mapping[type[jwt.InvalidTokenError], str] = {
    jwt.InvalidAudienceError: "The token is meant for another audience.",
    jwt.InvalidIssuerError: "The token comes from another issuer.",
    jwt.InvalidSignatureError: "The token's signature is wrong.",
    jwt.MissingRequiredClaimError: "The token lacks a claim that it must have.",
}
