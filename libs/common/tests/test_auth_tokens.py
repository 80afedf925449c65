"""Proves who is believed: against a real issuer over HTTP, and with keys and tokens made for each lie."""

import asyncio
import json
import socket
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.types import ASGIApp

from hanro.auth import Caller, JwtAuthenticator, KeySet, Unauthenticated
from hanro.clock import SystemClock
from hanro.errors import ContractBroken, Retryable
from hanro.testing.clock import FixedClock
from hanro.tokens import ClientCredentials, FileToken, source, split
from hanro_local.issuer import create_app
from hanro_local.issuer_state import open_clients

ISSUER, AUDIENCE = "https://issuer.invalid", "hanro"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "shop-back-end",
    "scope": "orders:read orders:write",
    "shops": ["shp_1"],
    "exp": int(NOW.timestamp()) + 600,
}


def key_set(*ids: str) -> bytes:
    made = {
        "ec": {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "alg": "ES256"},
        "rsa": {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "alg": "RS256"},
        "new": {**ECAlgorithm.to_jwk(OTHER_KEY.public_key(), as_dict=True), "alg": "ES256"},
        "strange": {"kty": "OKP", "crv": "X448", "x": "AAAA"},
    }
    return json.dumps({"keys": [{**made[name], "kid": name, "use": "sig"} for name in ids]}).encode()


def token(
    changes: Mapping[str, object] | None = None, *, key: Any = EC_KEY, kid: str = "ec", alg: str = "ES256"
) -> str:
    claims = {name: value for name, value in {**CLAIMS, **(changes or {})}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=alg, headers={"kid": kid})


def headed(header: object) -> str:
    """Give a token of that header, well-formed otherwise."""
    claims, signature = token().split(".")[1:]
    return ".".join((urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode(), claims, signature))


class Issuer:
    """Be the issuer's key set: what it answers, whether it is away, how often it was asked."""

    def __init__(self) -> None:
        self.keys = key_set("ec", "rsa", "strange")
        self.is_away = False
        self.asked_count = 0

    async def fetch(self) -> bytes:
        """Answer, or be away."""
        self.asked_count += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise Retryable("The issuer is away.", code="unavailable")
        return self.keys


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def authenticator(issuer: Issuer, clock: FixedClock) -> JwtAuthenticator:
    return JwtAuthenticator(
        issuer=ISSUER,
        audience=AUDIENCE,
        fetch_keys=issuer.fetch,
        clock=clock,
        subject_scopes={"system:serviceaccount:hanro:order-svc": "internal:credentials"},
    )


async def test_a_good_token_says_who_calls(authenticator: JwtAuthenticator) -> None:
    caller = await authenticator.caller(token())
    assert caller == Caller(
        subject="shop-back-end", scopes=frozenset({"orders:read", "orders:write"}), shops=frozenset({"shp_1"})
    )
    assert caller.may_see("shp_1")
    assert not caller.may_see("shp_2")


async def test_rsa_keys_are_known_too(authenticator: JwtAuthenticator) -> None:
    assert (await authenticator.caller(token(key=RSA_KEY, kid="rsa", alg="RS256"))).subject == "shop-back-end"


async def test_a_token_without_scopes_gets_those_of_its_subject(authenticator: JwtAuthenticator) -> None:
    subject = "system:serviceaccount:hanro:order-svc"
    known = await authenticator.caller(token({"sub": subject, "scope": None, "shops": None}))
    unknown = await authenticator.caller(token({"scope": None, "shops": None}))
    spoken = await authenticator.caller(token({"sub": subject, "scope": ""}))
    assert (known.scopes, known.shops) == (frozenset({"internal:credentials"}), frozenset({"*"}))
    assert (unknown.scopes, unknown.shops, spoken.scopes) == (frozenset(), frozenset(), frozenset())


LIES: dict[str, Callable[[], str]] = {
    "no token at all": lambda: "abc",
    "three parts of nothing": lambda: "a.b.c",
    "another issuer": lambda: token({"iss": "https://other.invalid"}),
    "another audience": lambda: token({"aud": "warehouse"}),
    "no audience": lambda: token({"aud": None}),
    "expired": lambda: token({"exp": int(NOW.timestamp()) - 31}),
    "never expires": lambda: token({"exp": None}),
    "not valid yet": lambda: token({"nbf": int(NOW.timestamp()) + 60}),
    "no subject": lambda: token({"sub": None}),
    "an empty subject": lambda: token({"sub": ""}),
    "another's key under a known id": lambda: token(key=OTHER_KEY),
    "a key that nobody knows": lambda: token(key=OTHER_KEY, kid="new"),
    "a key of another kind": lambda: token(key=RSA_KEY, kid="ec", alg="RS256"),
    "signed with the public key as a secret": lambda: token(key="x" * 64, kid="ec", alg="HS256"),
    "an algorithm that is no text": lambda: headed({"alg": ["ES256"], "kid": "ec"}),
    "a key id that is no text": lambda: headed({"alg": "ES256", "kid": {}}),
    "not signed": lambda: token(key=None, kid="ec", alg="none"),
    "endless": lambda: token({"pad": "x" * 20_000}),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_not_believed_and_not_repeated(authenticator: JwtAuthenticator, lie: str) -> None:
    told = LIES[lie]()
    with pytest.raises(Unauthenticated) as refused:
        await authenticator.caller(told)
    assert told not in str(refused.value)
    assert "shop-back-end" not in str(refused.value)


async def test_keys_are_asked_for_once(authenticator: JwtAuthenticator, issuer: Issuer) -> None:
    await asyncio.gather(*(authenticator.caller(token()) for _ in range(20)))
    assert issuer.asked_count == 1


async def test_a_new_key_is_fetched_when_it_is_first_seen(
    authenticator: JwtAuthenticator, issuer: Issuer, clock: FixedClock
) -> None:
    await authenticator.caller(token())
    issuer.keys = key_set("ec", "new")
    clock.advance(11)
    assert (await authenticator.caller(token(key=OTHER_KEY, kid="new"))).subject == "shop-back-end"


async def test_invented_key_ids_do_not_make_us_ask_each_time(
    authenticator: JwtAuthenticator, issuer: Issuer, clock: FixedClock
) -> None:
    for number in range(50):
        clock.advance(0.1)
        with pytest.raises(Unauthenticated):
            await authenticator.caller(token(kid=f"invented-{number}"))
    assert issuer.asked_count == 1


async def test_a_withdrawn_key_is_forgotten_after_ten_minutes(
    authenticator: JwtAuthenticator, issuer: Issuer, clock: FixedClock
) -> None:
    await authenticator.caller(token())
    issuer.keys = key_set("rsa")
    clock.advance(timedelta(minutes=11))
    with pytest.raises(Unauthenticated):
        await authenticator.caller(token({"exp": int(NOW.timestamp()) + 6000}))


async def test_a_token_that_was_believed_is_refused_once_it_has_expired_or_its_key_is_withdrawn(
    authenticator: JwtAuthenticator, issuer: Issuer, clock: FixedClock
) -> None:
    short, long = (token({"exp": int(NOW.timestamp()) + minutes * 60}) for minutes in (5, 100))
    for said in (short, long, short, long):
        assert (await authenticator.caller(said)).subject == "shop-back-end"
    clock.advance(timedelta(minutes=6))
    with pytest.raises(Unauthenticated, match="expired"):
        await authenticator.caller(short)
    assert (await authenticator.caller(long)).subject == "shop-back-end"
    issuer.keys = key_set("rsa")
    clock.advance(timedelta(minutes=5))
    with pytest.raises(Unauthenticated, match="unknown key"):
        await authenticator.caller(long)


async def test_another_key_of_the_same_id_makes_us_look_at_a_signature_again(
    authenticator: JwtAuthenticator, issuer: Issuer, clock: FixedClock
) -> None:
    said = token({"exp": int(NOW.timestamp()) + 6000})
    await authenticator.caller(said)
    issuer.keys = key_set("new").replace(b'"kid": "new"', b'"kid": "ec"')
    clock.advance(timedelta(minutes=11))
    with pytest.raises(Unauthenticated, match="signature"):
        await authenticator.caller(said)


async def test_a_believed_token_lends_nothing_to_one_with_another_signature_or_other_claims(
    authenticator: JwtAuthenticator,
) -> None:
    header, claims, signature = token().split(".")
    await authenticator.caller(f"{header}.{claims}.{signature}")
    other = token({"sub": "somebody"}).split(".")
    for lie in (f"{header}.{other[1]}.{signature}", f"{header}.{claims}.{other[2]}"):
        with pytest.raises(Unauthenticated):
            await authenticator.caller(lie)


async def test_the_last_good_keys_serve_a_day_while_the_issuer_is_away(
    authenticator: JwtAuthenticator, issuer: Issuer, clock: FixedClock
) -> None:
    lasting = token({"exp": int(NOW.timestamp()) + 10 * 86400})
    await authenticator.caller(lasting)
    issuer.is_away = True
    clock.advance(timedelta(hours=23, minutes=59))
    assert (await authenticator.caller(lasting)).subject == "shop-back-end"
    clock.advance(timedelta(minutes=2))
    with pytest.raises(Retryable):
        await authenticator.caller(lasting)
    issuer.is_away = False
    clock.advance(11)
    assert (await authenticator.caller(lasting)).subject == "shop-back-end"


@pytest.mark.parametrize("keys", [b"", b"<html>", b"[]", b'{"keys": 1}', b'{"keys": [1]}', key_set("strange")])
async def test_a_key_set_that_is_none_is_not_taken_up(
    authenticator: JwtAuthenticator, issuer: Issuer, keys: bytes
) -> None:
    issuer.keys = keys
    with pytest.raises(Retryable):
        await authenticator.caller(token())


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as at:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[at]))
            yield f"http://127.0.0.1:{at.getsockname()[1]}"
            server.should_exit = True


@asynccontextmanager
async def issuer_at(folder: Path) -> AsyncIterator[str]:
    async with served(create_app(folder, ISSUER, lambda: datetime.now(UTC))) as url:
        yield url


def credentials_of(folder: Path, url: str, clock: Any, client_id: str = "order-svc") -> ClientCredentials:
    secret_file = folder / "secret"
    secret_file.write_text(open_clients(folder)["order-svc"].secret + "\n")
    return ClientCredentials(
        token_url=f"{url}/token",
        client_id=client_id,
        secret_file=secret_file,
        scopes=("internal:credentials",),
        audience=AUDIENCE,
        clock=clock,
    )


async def test_a_service_s_token_of_the_real_issuer_is_believed(tmp_path: Path) -> None:
    async with issuer_at(tmp_path) as url:
        source = credentials_of(tmp_path, url, SystemClock())
        keys = KeySet(f"{url}/jwks", SystemClock())
        authenticator = JwtAuthenticator(issuer=ISSUER, audience=AUDIENCE, fetch_keys=keys.fetch, clock=SystemClock())
        caller = await authenticator.caller(await source.token())
        await source.close()
        await keys.close()
    assert (caller.subject, caller.scopes) == ("order-svc", frozenset({"internal:credentials"}))


async def test_a_token_is_kept_until_shortly_before_it_expires(tmp_path: Path) -> None:
    clock = FixedClock(NOW)
    async with issuer_at(tmp_path) as url:
        source = credentials_of(tmp_path, url, clock)
        first = await source.token()
        clock.advance(timedelta(minutes=58))
        kept = await source.token()
        clock.advance(timedelta(minutes=2))
        renewed = await source.token()
        await source.close()
    assert first == kept
    assert renewed != first


async def test_a_refused_client_is_our_fault_and_an_issuer_that_is_away_is_not(tmp_path: Path) -> None:
    async with issuer_at(tmp_path) as url:
        source = credentials_of(tmp_path, url, FixedClock(NOW), client_id="stranger")
        with pytest.raises(ContractBroken) as refused:
            await source.token()
    with pytest.raises(Retryable):
        await source.token()
    await source.close()
    assert (tmp_path / "secret").read_text().strip() not in str(refused.value)


async def test_a_secret_that_is_not_mounted_yet_is_waited_for(tmp_path: Path) -> None:
    source = ClientCredentials(
        token_url="http://127.0.0.1:1/token",
        client_id="order-svc",
        secret_file=tmp_path / "absent",
        scopes=(),
        audience=AUDIENCE,
        clock=FixedClock(NOW),
    )
    keys = KeySet("http://127.0.0.1:1/jwks", FixedClock(NOW), token_file=tmp_path / "absent")
    for ask in (source.token, keys.fetch):
        with pytest.raises(Retryable, match="cannot be read"):
            await ask()
    await source.close()
    await keys.close()


async def test_a_callee_is_shown_its_mounted_token_where_there_is_one(tmp_path: Path) -> None:
    other, mounted = FileToken(tmp_path / "other", FixedClock()), tmp_path / "mounted"
    mounted.write_text("for account-svc\n")
    assert source(None, other, FixedClock()) is other
    assert await source(mounted, other, FixedClock()).token() == "for account-svc"


async def test_a_mounted_token_is_read_again_each_minute(tmp_path: Path) -> None:
    clock, file = FixedClock(NOW), tmp_path / "token"
    source = FileToken(file, clock)
    with pytest.raises(Retryable):
        await source.token()
    file.write_text("one\n")
    assert await source.token() == "one"
    file.write_text("two\n")
    clock.advance(59)
    assert await source.token() == "one"
    clock.advance(2)
    assert await source.token() == "two"


@pytest.mark.parametrize("url", ["ftp://x/y", "x/y", "https://user:pass@host/y", "http:///y"])
def test_an_address_without_a_host_or_with_a_user_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="an address begins") as refused:
        split(url)
    assert "pass" not in str(refused.value)
