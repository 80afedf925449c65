"""Issues the access tokens of the local stack: client credentials for services and people, nothing for strangers.

Speaks as much of OAuth 2.0 as the services need to treat it like any other issuer: discovery, keys, client credentials.
Source: RFC 6749 4.4 and 5.2, RFC 7517, RFC 8414.
"""

import argparse
import base64
import binascii
import hmac
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote_plus

import jwt
import uvicorn
from jwt.algorithms import ECAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hanro_local.issuer_state import DEFAULT_CLIENTS, PUBLIC_SCOPES, Client, SigningKey, open_clients, open_signing_key

ALGORITHM = "ES256"
TOKEN_LIFETIME = timedelta(hours=1)
LARGEST_FORM_BYTES = 16 * 1024
FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Claims:
    """Whom a token speaks for and what it opens; `shops` is `("*",)` for all shops."""

    subject: str
    scopes: tuple[str, ...]
    shops: tuple[str, ...] = ("*",)
    audience: str = "hanro"
    lifetime: timedelta = TOKEN_LIFETIME


class Refusal(Exception):
    """A token request that is answered with an error of RFC 6749 5.2."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.status = status


def sign(key: SigningKey, issuer_url: str, claims: Claims, now: datetime) -> str:
    """Sign a JWT of `claims`, valid from `now`."""
    issued_at = int(now.timestamp())
    return jwt.encode(
        {
            "iss": issuer_url,
            "sub": claims.subject,
            "aud": claims.audience,
            "scope": " ".join(claims.scopes),
            "shops": list(claims.shops),
            "iat": issued_at,
            "exp": issued_at + int(claims.lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(16),
        },
        key.private,
        algorithm=ALGORITHM,
        headers={"kid": key.id},
    )


def mint(directory: Path, claims: Claims, now: datetime, issuer_url: str | None = None) -> str:
    """Sign a token without a running issuer; its URL is the one that was last started from `directory`.

    Raises:
        ValueError: no URL given and no issuer was ever started from `directory`.
    """
    remembered = directory / "issuer-url"
    if issuer_url is None and not remembered.exists():
        raise ValueError("the issuer's URL is unknown: start the issuer once, or say --issuer-url")
    return sign(open_signing_key(directory), issuer_url or remembered.read_text().strip(), claims, now)


def _sent_credentials(authorization: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    if authorization is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise Refusal("invalid_request", "the client authenticates by header or by form, not by both")
    kind, _, encoded = authorization.partition(" ")
    try:
        # RFC 6749 2.3.1: both parts are form-encoded before they are joined.
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        kind, name, secret = "", "", ""
    if kind.lower() != "basic":
        raise Refusal("invalid_client", "the Authorization header is no Basic authentication", 401)
    return unquote_plus(name), unquote_plus(secret)


def _authenticate(clients: Mapping[str, Client], name: str, secret: str) -> Client:
    client = clients.get(name)
    # An unknown client takes as long as a wrong secret.
    expected = client.secret if client else "-"
    is_equal = hmac.compare_digest(expected.encode(), secret.encode())
    if client is None or not is_equal:
        raise Refusal("invalid_client", "unknown client or wrong secret", 401)
    return client


def decide_claims(clients: Mapping[str, Client], authorization: str | None, form: Mapping[str, str]) -> Claims:
    """Decide what a token request is granted: the scopes it asked for, or all that its client may have.

    Raises:
        Refusal: the request is malformed, its client unknown, or a scope not the client's.
    """
    client_id, secret = _sent_credentials(authorization, form)
    client = _authenticate(clients, client_id, secret)
    match form.get("grant_type"):
        case None:
            raise Refusal("invalid_request", "grant_type is missing")
        case "client_credentials":
            pass
        case _:
            raise Refusal("unsupported_grant_type", "this issuer knows client_credentials only")
    asked = tuple(dict.fromkeys(form.get("scope", "").split())) or client.scopes
    if beyond := [scope for scope in asked if scope not in client.scopes]:
        raise Refusal("invalid_scope", f"not allowed for this client: {_quotable(' '.join(beyond))}")
    return Claims(subject=client_id, scopes=asked, shops=client.shops, audience=form.get("audience") or "hanro")


def _quotable(text: str) -> str:
    """Keep what RFC 6749 5.2 allows in an error_description."""
    return "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "?" for letter in text[:200])


async def _read_form(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_MEDIA_TYPE:
        raise Refusal("invalid_request", f"the body must be {FORM_MEDIA_TYPE}")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM_BYTES:
            raise Refusal("invalid_request", f"the body is larger than {LARGEST_FORM_BYTES} bytes", 413)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as broken:
        raise Refusal("invalid_request", "the body is no form in UTF-8") from broken
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Refusal("invalid_request", "a parameter stands there twice")
    return form


def create_app(directory: Path, issuer_url: str, clock: Clock) -> Starlette:
    """Build the issuer over its state folder. Edits of clients.json count from the next request on."""
    key = open_signing_key(directory)
    open_clients(directory)
    (directory / "issuer-url").write_text(issuer_url + "\n")
    public_key = ECAlgorithm.to_jwk(key.private.public_key(), as_dict=True)
    jwks = {"keys": [{**public_key, "kid": key.id, "use": "sig", "alg": ALGORITHM}]}
    scopes = sorted({scope for allowed in DEFAULT_CLIENTS.values() for scope in allowed})
    discovery = {
        "issuer": issuer_url,
        "token_endpoint": f"{issuer_url}/token",
        "jwks_uri": f"{issuer_url}/jwks",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": scopes,
    }

    async def token(request: Request) -> Response:
        no_store = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        try:
            form = await _read_form(request)
            claims = decide_claims(open_clients(directory), request.headers.get("authorization"), form)
        except Refusal as refusal:
            challenge = {"WWW-Authenticate": 'Basic realm="hanro"'} if refusal.status == 401 else {}  # noqa: PLR2004  HTTP
            problem = {"error": refusal.code, "error_description": str(refusal)}
            return JSONResponse(problem, status_code=refusal.status, headers=no_store | challenge)
        answer = {
            "access_token": sign(key, issuer_url, claims, clock()),
            "token_type": "Bearer",
            "expires_in": int(claims.lifetime.total_seconds()),
            "scope": " ".join(claims.scopes),
        }
        return JSONResponse(answer, headers=no_store)

    async def show_jwks(_: Request) -> Response:
        return JSONResponse(jwks, headers={"Cache-Control": "max-age=300"})

    async def show_discovery(_: Request) -> Response:
        return JSONResponse(discovery)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/.well-known/openid-configuration", show_discovery),
            Route("/jwks", show_jwks),
            Route("/token", token, methods=["POST"]),
        ]
    )


def _mint_command(arguments: Iterable[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m hanro_local.issuer mint", description="Print a signed token.")
    parser.add_argument("--state", type=Path, required=True, help="the issuer's state folder")
    parser.add_argument("--scope", default=" ".join(PUBLIC_SCOPES), help="space separated; default: all public ones")
    parser.add_argument("--audience", default="hanro")
    parser.add_argument("--subject", default="demo")
    parser.add_argument("--shop", action="append", help="a shop's id, may be repeated; default: all shops")
    parser.add_argument("--lifetime", type=int, default=86400, help="seconds; negative: a token that has expired")
    parser.add_argument("--issuer-url")
    chosen = parser.parse_args(list(arguments))
    claims = Claims(
        subject=chosen.subject,
        scopes=tuple(chosen.scope.split()),
        shops=tuple(chosen.shop or ["*"]),
        audience=chosen.audience,
        lifetime=timedelta(seconds=chosen.lifetime),
    )
    try:
        print(mint(chosen.state, claims, datetime.now(UTC), chosen.issuer_url))
    except ValueError as unknown:
        parser.error(str(unknown))
    return 0


def main(arguments: list[str]) -> int:
    """Serve until stopped, or with `mint` as the first word print one token."""
    if arguments[:1] == ["mint"]:
        return _mint_command(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m hanro_local.issuer", description="The local token issuer.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", type=Path, required=True, help="folder of key and clients, made when absent")
    parser.add_argument("--issuer-url", help="the `iss` of its tokens; default: http://HOST:PORT")
    chosen = parser.parse_args(arguments)
    issuer_url = (chosen.issuer_url or f"http://{chosen.host}:{chosen.port}").rstrip("/")
    app = create_app(chosen.state, issuer_url, lambda: datetime.now(UTC))
    uvicorn.run(app, host=chosen.host, port=chosen.port, log_level="warning", timeout_graceful_shutdown=2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
