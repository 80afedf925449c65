"""The local issuer answers token requests as RFC 6749 says, and its tokens open what they name and no more."""

import asyncio
import json
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest
import uvicorn

from hanro_local.issuer import Claims, create_app, mint, sign
from hanro_local.issuer_state import DEFAULT_CLIENTS, PUBLIC_SCOPES, open_clients, open_signing_key

ISSUER = "http://issuer.example.invalid"


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def serving(state: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Serve an issuer on a free port, as a real server."""
    config = uvicorn.Config(create_app(state, ISSUER, now), port=0, log_level="error")
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client
        server.should_exit = True


def form_of(state: Path, client: str, **more: str) -> dict[str, str]:
    secret = open_clients(state)[client].secret
    return {"grant_type": "client_credentials", "client_id": client, "client_secret": secret} | more


def claims_of(token: str, state: Path, audience: str = "hanro") -> dict[str, object]:
    key = open_signing_key(state).private.public_key()
    claims: dict[str, object] = jwt.decode(token, key, ["ES256"], audience=audience, issuer=ISSUER)
    return claims


async def test_a_service_gets_the_scopes_it_asked_for_in_a_token_that_the_published_key_verifies(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as http:
        answer = await http.post("/token", data=form_of(tmp_path, "notifier-svc", scope="internal:contact"))
        keys = jwt.PyJWKSet.from_dict((await http.get("/jwks")).json())
        discovery = (await http.get("/.well-known/openid-configuration")).json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, "internal:contact")
    key = keys[jwt.get_unverified_header(body["access_token"])["kid"]]
    claims = jwt.decode(body["access_token"], key, ["ES256"], audience="hanro", issuer=discovery["issuer"])
    assert claims.keys() == {"iss", "sub", "aud", "scope", "shops", "iat", "exp", "jti"}
    assert (claims["sub"], claims["scope"], claims["shops"]) == ("notifier-svc", "internal:contact", ["*"])
    assert claims["exp"] - claims["iat"] == 3600
    assert discovery["jwks_uri"] == f"{ISSUER}/jwks"


async def test_a_request_without_scope_gets_all_of_its_client_and_the_audience_it_names(tmp_path: Path) -> None:
    async with serving(tmp_path) as http:
        answer = await http.post("/token", data=form_of(tmp_path, "demo", audience="order-svc"))
    claims = claims_of(answer.json()["access_token"], tmp_path, "order-svc")
    assert claims["scope"] == " ".join(PUBLIC_SCOPES)


async def test_the_public_client_gets_nothing_internal(tmp_path: Path) -> None:
    assert not [scope for scope in DEFAULT_CLIENTS["demo"] if scope == "ops" or scope.startswith("internal:")]
    async with serving(tmp_path) as http:
        answer = await http.post("/token", data=form_of(tmp_path, "demo", scope="orders:read internal:contact"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


async def test_a_client_may_authenticate_by_header(tmp_path: Path) -> None:
    secret = open_clients(tmp_path)["ops"].secret
    async with serving(tmp_path) as http:
        right = await http.post("/token", data={"grant_type": "client_credentials"}, auth=("ops", secret))
        wrong = await http.post("/token", data={"grant_type": "client_credentials"}, auth=("ops", "no"))
    assert right.status_code == 200
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": "日本"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "nobody", "client_secret": "-"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "internal:credentials"}, 400, "invalid_scope"),
        ({"scope": 'x"\\日本'}, 400, "invalid_scope"),
    ],
)
async def test_a_refusal_names_its_reason_as_rfc_6749_does(
    tmp_path: Path, change: dict[str, str], status: int, error: str
) -> None:
    async with serving(tmp_path) as http:
        answer = await http.post("/token", data=form_of(tmp_path, "demo") | change)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    description = answer.json()["error_description"]
    assert description.isascii()
    assert not set('"\\') & set(description)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"client_id=demo&client_secret=x", "application/x-www-form-urlencoded"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"grant_type=%ff", "application/x-www-form-urlencoded"),
        (b"\xff", "application/x-www-form-urlencoded"),
        (b"a=b&" * 60, "application/x-www-form-urlencoded"),
    ],
)
async def test_a_malformed_request_is_an_invalid_request_or_client(
    tmp_path: Path, content: bytes, media_type: str
) -> None:
    async with serving(tmp_path) as http:
        answer = await http.post("/token", content=content, headers={"content-type": media_type})
    assert answer.status_code in {400, 401}
    assert answer.json()["error"] in {"invalid_request", "invalid_client"}


async def test_a_form_too_large_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as http:
        answer = await http.post("/token", data={"scope": "x" * 20_000})
    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")


async def test_a_client_written_into_the_file_counts_at_once_and_only_for_its_shops(tmp_path: Path) -> None:
    async with serving(tmp_path) as http:
        clients = json.loads((tmp_path / "clients.json").read_text())
        clients["warehouse"] = {"secret": "synthetic", "scopes": ["orders:read"], "shops": ["shop-1"]}
        (tmp_path / "clients.json").write_text(json.dumps(clients))
        answer = await http.post("/token", data=form_of(tmp_path, "warehouse"))
    assert claims_of(answer.json()["access_token"], tmp_path)["shops"] == ["shop-1"]


async def test_the_issuer_says_that_it_is_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as http:
        assert (await http.get("/healthz")).status_code == 200


async def test_a_token_minted_without_a_server_equals_one_of_the_server_that_ran_there(tmp_path: Path) -> None:
    async with serving(tmp_path):
        pass
    token = mint(tmp_path, Claims("demo", ("orders:read",), lifetime=timedelta(days=1)), now())
    assert claims_of(token, tmp_path)["iss"] == ISSUER


async def test_no_two_tokens_share_an_id(tmp_path: Path) -> None:
    key = open_signing_key(tmp_path)
    moment = now()
    tokens = {sign(key, ISSUER, Claims("demo", ()), moment) for _ in range(20)}
    assert len({claims_of(token, tmp_path)["jti"] for token in tokens}) == 20


async def test_key_and_secrets_survive_a_restart_and_belong_to_their_owner_alone(tmp_path: Path) -> None:
    state = tmp_path / "issuer"
    key, clients = open_signing_key(state), open_clients(state)
    assert open_signing_key(state).id == key.id
    assert open_clients(state) == clients
    assert {file.name for file in state.iterdir()} == {"key.pem", "clients.json"}
    for file in state.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert clients["demo"].secret not in repr(clients)


async def test_of_many_concurrent_first_starts_one_makes_the_key(tmp_path: Path) -> None:
    state = tmp_path / "issuer"
    with ThreadPoolExecutor(8) as pool:
        keys = {key.id for key in pool.map(lambda _: open_signing_key(state), range(16))}
        demos = {clients["demo"].secret for clients in pool.map(lambda _: open_clients(state), range(16))}
    assert (len(keys), len(demos)) == (1, 1)


async def test_a_broken_clients_file_is_named_without_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "clients.json").write_text('{"demo": {"secret": "canary-secret", "scopes": "canary-scope"}}')
    with pytest.raises(ValueError, match=r"clients\.json cannot be read at: demo\.scopes") as refusal:
        open_clients(tmp_path)
    assert "canary" not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_the_command_prints_a_token_and_refuses_without_an_issuer_url(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hanro_local.issuer", "mint", "--state", str(tmp_path)]
    wanted = ["--scope", "orders:read", "--audience", "hanro", "--lifetime", "86400", "--shop", "shop-1"]
    refused = subprocess.run([*command, *wanted], capture_output=True, text=True, timeout=30, check=False)
    printed = subprocess.run(
        [*command, *wanted, "--issuer-url", ISSUER], capture_output=True, text=True, timeout=30, check=True
    )
    assert refused.returncode == 2
    assert "start the issuer once" in refused.stderr
    claims = claims_of(printed.stdout.strip(), tmp_path)
    assert (claims["scope"], claims["shops"], claims["sub"]) == ("orders:read", ["shop-1"], "demo")
