"""Calls over real sockets: what leaves, what comes back, and what is known when nothing does."""

import asyncio
import contextlib
import gzip
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hanro.clock import SystemClock
from hanro.due import Lease
from hanro.errors import ContractBroken, InDoubt, Retryable
from hanro.http import ServiceHttp, Transport, tls_context
from hanro.marketplace.port import Http
from hanro.marketplace.types.exchange import HttpAnswer, HttpRequest
from hanro.marketplace.types.plain import MarketplaceId
from hanro.testing.http_server import Arrived, Behaviour, HttpServer, answer, http_server

CLOCK = SystemClock()
SHOP = MarketplaceId("sandbox")
BRIEF = timedelta(seconds=0.8)
CANARY = "canary-6f1d"


class _Turn:
    """Be a turn that remembers what it was told."""

    def __init__(self, refusal: Retryable | None = None) -> None:
        self.told: list[str] = []
        self._refusal = refusal

    def throttled(self, after: timedelta | None) -> None:
        self.told.append(f"throttled {after}")

    async def leaving(self) -> None:
        self.told.append("leaving")
        if self._refusal:
            raise self._refusal

    def left(self) -> None:
        self.told.append("left")


def _request(*, has_effect: bool = False, path: str = "/orders", **more: object) -> HttpRequest:
    fields: dict[str, object] = {"headers": {"X-Key": CANARY}, "body": b'{"n":1}' if has_effect else b"", **more}
    return HttpRequest(method="POST" if has_effect else "GET", path=path, has_effect=has_effect, **fields)  # type: ignore[arg-type]


@asynccontextmanager
async def _calling(behave: Behaviour, base: str = "", **settings: object) -> AsyncIterator[tuple[HttpServer, Http]]:
    async with http_server(behave) as server:
        transport = Transport({SHOP: server.url + base}, CLOCK, **settings)  # type: ignore[arg-type]
        try:
            yield server, transport.session_http(SHOP, "acc_1", call_deadline=BRIEF)
        finally:
            await transport.close()


async def _silence(_arrived: Arrived, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def _cut(_arrived: Arrived, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{half")
    writer.close()


async def _reset(_arrived: Arrived, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _drip(_arrived: Arrived, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _lie(_arrived: Arrived, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello")


async def test_a_request_leaves_as_it_was_made_and_its_answer_comes_back_whole() -> None:
    behave = answer("受注".encode(), status=202, headers=(("X-Request-Id", "7"),))
    async with _calling(behave, "/es/2.0") as (server, http):
        before = CLOCK.now()
        found = await http.send(
            _request(has_effect=True, path="/order/a b", query=(("key", "a&b +ü"), ("v", "1"))), _Turn()
        )
    assert (found.status, found.headers["x-request-id"], found.body.decode()) == (202, "7", "受注")
    assert before <= found.sent_at <= CLOCK.now()
    (arrived,) = server.arrived
    assert arrived.line == "POST /es/2.0/order/a%20b?key=a%26b%20%2B%C3%BC&v=1 HTTP/1.1"
    assert ("X-Key", CANARY) in arrived.headers
    assert (arrived.body, arrived.header("User-Agent"), arrived.header("Content-Length")) == (b'{"n":1}', "hanro", "7")


async def test_a_compressed_answer_is_unpacked() -> None:
    async with _calling(answer(gzip.compress(b"orders"), headers=(("Content-Encoding", "gzip"),))) as (_, http):
        assert (await http.send(_request(), _Turn())).body == b"orders"


async def test_any_status_is_an_answer_and_no_redirect_is_followed() -> None:
    async with _calling(answer(status=302, headers=(("Location", "http://127.0.0.1:1/"),))) as (server, http):
        assert (await http.send(_request(), _Turn())).status == 302
    assert len(server.arrived) == 1


async def test_no_cookie_is_kept() -> None:
    async with _calling(answer(headers=(("Set-Cookie", "session=1; Path=/"),))) as (server, http):
        for _ in range(2):
            await http.send(_request(), _Turn())
    assert server.arrived[1].header("Cookie") is None


async def test_a_connection_serves_many_calls_of_many_accounts() -> None:
    async with http_server(answer(b"{}")) as server:
        transport = Transport({SHOP: server.url}, CLOCK)
        for n in range(5):
            await transport.session_http(SHOP, f"acc_{n}").send(_request(), _Turn())
        await transport.close()
    assert server.connection_count == 1


@pytest.mark.parametrize("has_effect", [False, True])
async def test_a_refused_connection_sent_nothing(has_effect: bool) -> None:  # noqa: FBT001  a case of the table
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = Transport({SHOP: f"http://127.0.0.1:{port}"}, CLOCK)
    turn = _Turn()
    with pytest.raises(Retryable) as refused:
        await transport.session_http(SHOP, "acc_1").send(_request(has_effect=has_effect), turn)
    assert (refused.value.code, turn.told) == ("unavailable", [])
    await transport.close()


@pytest.mark.parametrize("behave", [_silence, _cut, _reset, _drip], ids=lambda behave: behave.__name__)
async def test_a_lost_answer_is_in_doubt_for_an_effect_and_retryable_for_a_read(behave: Behaviour) -> None:
    async with _calling(behave) as (server, http):
        with pytest.raises(Retryable) as read:
            await http.send(_request(), _Turn())
        with pytest.raises(InDoubt) as written:
            await http.send(_request(has_effect=True), _Turn())
    assert (read.value.code, written.value.code) == ("unavailable", "answer-lost")
    assert len(server.arrived) == 2


async def test_a_deadline_bounds_the_whole_call_from_its_first_byte() -> None:
    async with _calling(_drip) as (_, http):
        began_at = CLOCK.monotonic()
        with pytest.raises(Retryable):
            await http.send(_request(), _Turn())
    assert CLOCK.monotonic() - began_at < 2.5


@pytest.mark.parametrize("behave", [answer(b"x" * 2000), _lie], ids=["too large", "not gzip"])
async def test_an_answer_that_cannot_be_taken_in_is_not_as_documented(behave: Behaviour) -> None:
    async with _calling(behave, max_answer_bytes=1000) as (_, http):
        with pytest.raises(ContractBroken) as read:
            await http.send(_request(), _Turn())
        with pytest.raises(InDoubt) as written:
            await http.send(_request(has_effect=True), _Turn())
    assert (read.value.code, written.value.code) == ("unreadable", "answer-unreadable")


async def test_a_small_compressed_answer_that_unpacks_too_large_is_stopped() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    async with _calling(answer(bomb, headers=(("Content-Encoding", "gzip"),)), max_answer_bytes=100_000) as (_, http):
        with pytest.raises(ContractBroken):
            await http.send(_request(), _Turn())


async def test_a_turn_is_told_when_its_request_leaves_and_may_keep_it_here() -> None:
    async with _calling(answer()) as (server, http):
        turn = _Turn()
        await http.send(_request(), turn)
        assert turn.told == ["leaving", "left"]
        with pytest.raises(Retryable) as kept:
            await http.send(_request(has_effect=True), _Turn(Retryable("lost", code="lease-lost")))
    assert kept.value.code == "lease-lost"
    assert len(server.arrived) == 1


async def test_no_first_byte_leaves_after_two_thirds_of_the_lease() -> None:
    async with http_server(answer()) as server:
        transport = Transport({SHOP: server.url}, CLOCK)
        for share, is_sent in ((0.5, True), (0.7, False)):
            whole = timedelta(seconds=60)
            lease = Lease(
                account_id="acc_1",
                job="new",
                fence=1,
                until_monotonic=CLOCK.monotonic() + 60 * (1 - share),
                lease=whole,
                due_at=CLOCK.now(),
                failure_count=0,
            )
            http = transport.session_http(SHOP, "acc_1", lease=lease)
            if is_sent:
                await http.send(_request(has_effect=True), _Turn())
            else:
                with pytest.raises(Retryable) as late:
                    await http.send(_request(has_effect=True), _Turn())
                assert late.value.code == "lease-lost"
        await transport.close()
    assert len(server.arrived) == 1


async def test_an_account_has_at_most_two_calls_in_flight_over_all_its_sessions() -> None:
    running, most = 0, 0
    patience, all_there = 0.05, asyncio.Event()

    async def behave(_arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 6:
            all_there.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(all_there.wait(), patience)
        running -= 1
        writer.write(b"HTTP/1.1 204 No\r\n\r\n")

    async with http_server(behave) as server:
        transport = Transport({SHOP: server.url}, CLOCK)
        sessions = [transport.session_http(SHOP, "acc_1") for _ in range(6)]
        await asyncio.gather(*(session.send(_request(), _Turn()) for session in sessions))
        assert most == 2
        patience = 10.0
        others = [transport.session_http(SHOP, f"acc_{n}") for n in range(6)]
        await asyncio.gather(*(session.send(_request(), _Turn()) for session in others))
        await transport.close()
    assert most == 6


async def test_a_cancelled_call_frees_its_place() -> None:
    async with _calling(_silence) as (_, http):
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(http.send(_request(), _Turn()), 0.1)


@pytest.mark.parametrize("path", ["orders", "/a/../../b", ""])
async def test_a_path_stays_below_the_base_url(path: str) -> None:
    async with _calling(answer(), "/base") as (server, http):
        with pytest.raises(ValueError, match="below"):
            await http.send(_request(path=path), _Turn())
    assert server.arrived == []


@pytest.mark.parametrize("path", ["//evil.invalid/x", "/@evil.invalid/", "/x?y#z", "/\\evil"])
async def test_no_path_leads_to_another_host(path: str) -> None:
    async with _calling(answer()) as (server, http):
        await http.send(_request(path=path), _Turn())
    assert len(server.arrived) == 1
    assert "?" not in server.arrived[0].line


async def test_a_header_that_would_end_the_head_never_leaves() -> None:
    async with _calling(answer()) as (server, http):
        with pytest.raises(ValueError, match="HTTP"):
            await http.send(_request(headers={"X-Key": "a\r\nX-More: 1"}), _Turn())
    assert server.arrived == []


@pytest.mark.parametrize("url", ["ftp://x", "http://user:word@x", "x", "http://"])
def test_a_base_url_is_a_scheme_and_a_host_without_login(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        Transport({SHOP: url}, CLOCK)


async def test_logs_and_errors_hold_no_key_and_no_query_value(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hanro"):
        async with _calling(answer(CANARY.encode())) as (_, http):
            await http.send(_request(query=(("api_key", CANARY),), body=CANARY.encode()), _Turn())
        async with _calling(_cut) as (_, http):
            with pytest.raises(Retryable) as lost:
                await http.send(_request(query=(("api_key", CANARY),)), _Turn())
    said = " ".join(str(record.msg) for record in caplog.records if record.name.startswith("hanro"))
    assert "/orders?api_key=…" in said
    assert "'http_status': 200" in said
    assert CANARY not in said + repr(lost.value) + str(lost.value) + repr(_request(query=(("k", CANARY),)))


async def test_a_server_that_no_trusted_authority_vouches_for_is_told_nothing(tmp_path: Path) -> None:
    context, ca_file = _certificate(tmp_path)
    async with http_server(answer(b"hello"), tls=context) as server:
        for trusted, is_told in ((None, False), (ca_file, True)):
            transport = Transport({SHOP: server.url}, CLOCK, tls=tls_context(trusted))
            send = transport.session_http(SHOP, "acc_1").send(_request(has_effect=True), _Turn())
            if is_told:
                assert (await send).body == b"hello"
            else:
                with pytest.raises(Retryable):
                    await send
            await transport.close()
    assert len(server.arrived) == 1


async def test_a_call_to_a_service_of_ours_needs_no_turn() -> None:
    async def told(send: Callable[[HttpRequest], Awaitable[HttpAnswer]]) -> bytes:
        return (await send(_request())).body

    async with http_server(answer(b"hello")) as server:
        service = ServiceHttp(server.url, CLOCK, deadline=BRIEF)
        assert await told(service.send) == b"hello"
        server.behave = _silence
        with pytest.raises(Retryable):
            await service.send(_request())
        with pytest.raises(InDoubt):
            await service.send(_request(has_effect=True))
        await service.close()


def _certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.invalid")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca_file, key_file = folder / "ca.pem", folder / "key.pem"
    ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(ca_file, key_file)
    return context, ca_file
