"""What goes over the wire: spelling, framing, every fault kind, seen by a raw socket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from simkit.app import BODY_LIMIT_BYTES, make_app
from simkit.exchange import Caller, Reply, Request
from simkit.kit import Kit, make_kit
from simkit.limits import Limit
from simkit.redaction import Redaction
from simkit.testing import RawAnswer, send_raw, serving

HEADERS = (
    ("Server", "openresty"),
    ("Content-Type", "application/json;charset=UTF-8"),
    ("RequestId", "0b8d7c3e-0000-4000-8000-000000000001"),
    ("Timestamp", "2026-01-31T00:00:00"),
    ("X-XSS-Protection", "1; mode=block"),
)
BODY = '{"name":"見本 花子","note":"髙島"}'.encode()


class Shelf:
    """Play the smallest marketplace: every POST adds one, /chunked answers in chunks, calls are limited per shop."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.count = 0
        self.counted = asyncio.Event()

    def identify(self, request: Request) -> Caller:
        """Tell shop by header, function by the last part of the path."""
        return Caller(shop=request.header("x-shop"), function=request.path.strip("/").rpartition("/")[2])

    async def answer(self, request: Request, caller: Caller) -> Reply:
        """Count a POST."""
        wait = self.kit.limits.admit(caller.shop or "", "orders")
        if wait is not None:
            return self.throttled(request, caller, wait)
        if request.path == "/bug":
            raise ZeroDivisionError
        if request.method == "POST":
            self.count += 1
            self.counted.set()
            return Reply(200, HEADERS, BODY, has_effect=True)
        framing = (("Transfer-Encoding", "chunked"),) if request.path == "/chunked" else ()
        return Reply(200, (*HEADERS, *framing), BODY)

    def throttled(self, request: Request, caller: Caller, wait_seconds: float) -> Reply:
        """Refuse."""
        del request, caller
        return Reply(429, (("Retry-After", f"{wait_seconds:.0f}"),), b"slow down")

    def state(self) -> object:
        """Give the count."""
        return {"count": self.count}

    def reset(self) -> None:
        """Count from 0."""
        self.count = 0


class Running:
    """Hold a running simulator and its two sides."""

    def __init__(self, port: int, shelf: Shelf, controls: httpx.AsyncClient) -> None:
        self.port, self.shelf, self.controls = port, shelf, controls

    async def fault(self, **fault: Any) -> int:
        """Turn a dial on."""
        answer = await self.controls.post("/_sim/faults", json=fault)
        assert answer.status_code == 201, answer.text
        identifier: int = answer.json()["id"]
        return identifier

    async def entries(self) -> list[dict[str, Any]]:
        """Read the journal."""
        found: list[dict[str, Any]] = (await self.controls.get("/_sim/journal")).json()["entries"]
        return found

    async def call(self, method: str = "POST", path: str = "/es/2.0/order/searchOrder/", extra: str = "") -> RawAnswer:
        """Send one request with a body of two bytes."""
        head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Shop: 1\r\n{extra}"
        request = f"{head}Content-Length: 2\r\n\r\n{{}}"
        return await send_raw(self.port, request.encode())


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    kit = make_kit(Limit(1000, 1000))
    shelf = Shelf(kit)
    router = APIRouter()

    @router.post("/_sim/shops", status_code=201)
    async def add_shop() -> dict[str, str]:
        return {"shop": "1"}

    app = make_app("Shelf", shelf, kit, router, redaction=Redaction(frozenset({"key"})))
    async with (
        serving(app, [kit.clock.run]) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as controls,
    ):
        yield Running(port, shelf, controls)


async def test_header_names_keep_spelling_and_order_and_nothing_is_added_but_the_length(running: Running) -> None:
    answer = await running.call()
    assert answer.head == [
        "HTTP/1.1 200 OK",
        "Server: openresty",
        "Content-Type: application/json;charset=UTF-8",
        "RequestId: 0b8d7c3e-0000-4000-8000-000000000001",
        "Timestamp: 2026-01-31T00:00:00",
        "X-XSS-Protection: 1; mode=block",
        f"Content-Length: {len(BODY)}",
        "Connection: close",
    ]
    assert answer.body == BODY


async def test_a_kept_connection_answers_twice_without_a_connection_header(running: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    heads = []
    for _ in range(2):
        writer.write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(20):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            assert await reader.readexactly(len(BODY)) == BODY
    writer.close()
    await writer.wait_closed()
    assert heads[0] == heads[1]
    assert b"onnection" not in heads[0]
    assert b"\r\nContent-Length: " in heads[0]


async def test_chunks_are_sent_where_the_marketplace_sends_chunks(running: Running) -> None:
    answer = await running.call("GET", "/chunked")
    assert "Transfer-Encoding: chunked" in answer.head
    assert not [line for line in answer.head if line.lower().startswith("content-length")]
    assert answer.body == f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n"


async def test_reset_before_resets_and_changes_nothing(running: Running) -> None:
    await running.fault(kind="reset-before")
    answer = await running.call()
    assert (answer.received, answer.was_reset, running.shelf.count) == (b"", True, 0)


async def test_reset_after_resets_once_it_took_effect(running: Running) -> None:
    await running.fault(kind="reset-after")
    answer = await running.call()
    assert (answer.received, answer.was_reset, running.shelf.count) == (b"", True, 1)
    (entry,) = await running.entries()
    assert (entry["status"], entry["was_applied"], entry["has_effect"], entry["fault"]) == (
        None,
        True,
        True,
        "reset-after",
    )


async def test_cut_body_promises_all_and_closes_midway(running: Running) -> None:
    await running.fault(kind="cut-body")
    answer = await running.call()
    assert f"Content-Length: {len(BODY)}" in answer.head
    assert (answer.body, answer.was_reset, running.shelf.count) == (BODY[: len(BODY) // 2], False, 1)


async def test_silence_holds_and_closes_without_a_byte(running: Running) -> None:
    await running.fault(kind="silence", seconds=0.3)
    began = time.monotonic()
    answer = await running.call()
    assert (answer.received, answer.was_reset, running.shelf.count) == (b"", False, 0)
    assert 0.28 < time.monotonic() - began < 3


async def test_silence_can_hide_an_effect(running: Running) -> None:
    await running.fault(kind="silence", seconds=0.05, applied=True)
    assert ((await running.call()).received, running.shelf.count) == (b"", 1)


async def test_slow_takes_effect_at_once_and_answers_late(running: Running) -> None:
    await running.fault(kind="slow", seconds=0.4)
    call = asyncio.create_task(running.call())
    began = time.monotonic()
    async with asyncio.timeout(20):
        await running.shelf.counted.wait()
    assert not call.done()
    assert (await call).body == BODY
    assert time.monotonic() - began > 0.3


async def test_a_client_that_leaves_during_silence_frees_the_connection(running: Running) -> None:
    await running.fault(kind="silence", seconds=600, count=1)
    _, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await writer.wait_closed()
    assert (await running.call("GET")).body == BODY


async def test_status_html_and_garbage_stand_in_for_the_answer(running: Running) -> None:
    first = await running.fault(kind="status", status=503, body="busy", headers={"Retry-After": "7"})
    answer = await running.call()
    assert (answer.head[0], answer.body) == ("HTTP/1.1 503 Service Unavailable", b"busy")
    assert "Retry-After: 7" in answer.head
    await running.controls.delete(f"/_sim/faults/{first}")
    second = await running.fault(kind="html")
    answer = await running.call()
    assert (answer.head[:2], answer.body[:15]) == (
        ["HTTP/1.1 200 OK", "Content-Type: text/html; charset=UTF-8"],
        b"<!DOCTYPE html>",
    )
    await running.controls.delete(f"/_sim/faults/{second}")
    await running.fault(kind="garbage")
    answer = await running.call()
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode("utf-8")
    assert running.shelf.count == 0


async def test_wrong_charset_says_utf_8_and_sends_shift_jis(running: Running) -> None:
    await running.fault(kind="wrong-charset")
    answer = await running.call()
    assert "Content-Type: application/json;charset=UTF-8" in answer.head
    assert json.loads(answer.body.decode("cp932"))["note"] == "髙島"
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode("utf-8")


async def test_wrong_charset_can_declare_otherwise(running: Running) -> None:
    await running.fault(kind="wrong-charset", headers={"content-type": "application/json;charset=Shift_JIS"})
    answer = await running.call()
    assert answer.head[2] == "content-type: application/json;charset=Shift_JIS"
    assert answer.body == BODY


async def test_throttle_speaks_in_the_marketplaces_words(running: Running) -> None:
    await running.fault(kind="throttle", seconds=9)
    answer = await running.call()
    assert (answer.head[:2], answer.body) == (["HTTP/1.1 429 Too Many Requests", "Retry-After: 9"], b"slow down")


async def test_a_dial_counts_skips_and_matches(running: Running) -> None:
    await running.fault(kind="status", status=500, after=1, count=2, match={"path": "searchOrder", "shop": "1"})
    statuses = [(await running.call()).head[0][9:12] for _ in range(5)]
    other = [(await running.call(path="/es/2.0/order/getOrder/")).head[0][9:12] for _ in range(2)]
    assert (statuses, other) == (["200", "500", "500", "200", "200"], ["200", "200"])
    (dial,) = (await running.controls.get("/_sim/faults")).json()["faults"]
    assert (dial["seen"], dial["hits"]) == (5, 2)


async def test_a_dial_matches_a_paths_beginning_and_a_method(running: Running) -> None:
    await running.fault(kind="status", status=500, match={"path": "/es/2.0/", "method": "get"})
    calls = [await running.call("GET"), await running.call("POST"), await running.call("GET", "/es/1.0/x")]
    assert [answer.head[0][9:12] for answer in calls] == ["500", "200", "200"]


async def test_the_journal_keeps_the_call_and_never_the_credentials(running: Running) -> None:
    await running.call(path="/a/searchOrder?key=canary-query&x=1", extra="Authorization: ESA canary-header\r\n")
    (entry,) = await running.entries()
    assert "canary" not in json.dumps(entry)
    assert (entry["path"], entry["query"], entry["shop"], entry["function"], entry["status"]) == (
        "/a/searchOrder",
        "key=REDACTED&x=1",
        "1",
        "searchOrder",
        200,
    )
    assert (entry["request_body"], entry["response_body"]) == ("{}", BODY.decode())


async def test_a_bug_of_the_marketplace_is_a_500_and_stands_in_the_journal(running: Running) -> None:
    assert (await running.call("GET", "/bug")).head[0] == "HTTP/1.1 500 Internal Server Error"
    assert (await running.entries())[0]["error"] == "ZeroDivisionError"


async def test_limits_hold_live_and_are_counted(running: Running) -> None:
    answer = await running.controls.put("/_sim/limits", json={"requests_per_second": 1, "burst": 1, "shop": "1"})
    assert answer.status_code == 200
    assert [(await running.call()).head[0][9:12] for _ in range(2)] == ["200", "429"]
    await running.controls.put("/_sim/clock", json={"advance_seconds": 1})
    assert (await running.call()).head[0][9:12] == "200"
    (group,) = (await running.controls.get("/_sim/limits")).json()["groups"]
    assert (group["accepted"], group["refused"]) == (2, 1)


async def test_a_clock_jump_has_run_its_timers_when_it_answers(running: Running) -> None:
    clock = running.shelf.kit.clock
    fired: list[object] = []
    await running.controls.put("/_sim/clock", json={"now": "2030-01-01T00:00:00+09:00"})
    now = (await running.controls.get("/_sim/clock")).json()["now"]
    assert now.startswith("2029-12-31T15:00:0")
    clock.at(clock.now().replace(year=2030), fired.append)
    await running.controls.put("/_sim/clock", json={"advance_seconds": 400 * 86_400})
    assert len(fired) == 1


async def test_digest_follows_state_and_reset_returns_to_the_start(running: Running) -> None:
    async def digest() -> str:
        value: str = (await running.controls.get("/_sim/digest")).json()["digest"]
        return value

    empty = await digest()
    await running.call()
    await running.fault(kind="reset-before")
    assert await digest() != empty
    assert (await running.controls.post("/_sim/reset")).status_code == 204
    assert await digest() == empty
    assert (await running.call()).body == BODY
    assert [entry["kind"] for entry in await running.entries()] == ["reset", "request"]


async def test_the_controls_have_an_openapi_of_their_own_with_the_simulators_routes(running: Running) -> None:
    paths = (await running.controls.get("/_sim/openapi.json")).json()["paths"]
    expected = {"clock", "digest", "faults", "faults/{fault_id}", "health", "journal", "limits", "reset", "shops"}
    assert {f"/_sim/{name}" for name in expected} <= set(paths)
    assert (await running.controls.get("/_sim/docs")).status_code == 200
    assert (await running.controls.post("/_sim/shops")).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/_sim/faults", '{"kind":"slow"}', "seconds"),
        ("POST", "/_sim/faults", '{"kind":"slow","seconds":0}', "seconds"),
        ("POST", "/_sim/faults", '{"kind":"boom"}', "kind"),
        ("POST", "/_sim/faults", '{"kind":"html","match":{"shope":"1"}}', "match.shope"),
        ("PUT", "/_sim/limits", '{"requests_per_second":0,"burst":1}', "requests_per_second"),
        ("PUT", "/_sim/clock", '{"now":"2026-01-01T00:00:00"}', "now"),
        ("PUT", "/_sim/clock", "{}", ""),
        ("PUT", "/_sim/clock", '{"no', ""),
        ("GET", "/_sim/journal?limit=0", "", "limit"),
    ],
)
async def test_a_bad_control_is_refused_by_the_name_of_its_field(
    running: Running, method: str, path: str, body: str, field: str
) -> None:
    answer = await running.controls.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert field in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "clock", b'{"advance_seconds":NaN}'),
        ("PUT", "clock", b'{"advance_seconds":1e400}'),
        ("POST", "faults", b'{"kind":"status","status":500,"body":"\\ud800"}'),
        ("POST", "faults", b"[" * 100_000),
    ],
)
async def test_a_control_that_no_answer_could_repeat_is_refused(
    running: Running, method: str, path: str, body: bytes
) -> None:
    sent = {"Content-Type": "application/json"}
    answer = await running.controls.request(method, f"/_sim/{path}", content=body, headers=sent)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert (await running.controls.get("/_sim/faults")).json() == {"faults": []}


@pytest.mark.parametrize(
    "headers", [{"X\r\nY": "1"}, {"X": "1\r\nY: 2"}, {"見本": "1"}, {"X": "見本"}, {"": "1"}, {"X": " 1"}]
)
async def test_a_dial_takes_only_headers_that_http_can_carry(running: Running, headers: dict[str, str]) -> None:
    fault = {"kind": "status", "status": 500, "headers": headers}
    assert (await running.controls.post("/_sim/faults", json=fault)).status_code == 422
    assert (await running.call()).head[0] == "HTTP/1.1 200 OK"


async def test_a_target_with_its_host_means_the_path(running: Running) -> None:
    request = f"GET http://127.0.0.1:{running.port}/chunked?x=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await send_raw(running.port, request.encode())
    assert answer.head[0] == "HTTP/1.1 200 OK"
    (entry,) = (await running.controls.get("/_sim/journal?kind=request")).json()["entries"]
    assert (entry["path"], entry["query"]) == ("/chunked", "x=1")


async def test_a_body_over_the_limit_is_413_and_the_connection_goes_on(running: Running) -> None:
    size = BODY_LIMIT_BYTES + 1
    large = f"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size
    small = b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
    answer = await send_raw(running.port, large + small)
    lines = answer.received.decode().splitlines()
    assert [line for line in lines if line.startswith("HTTP/1.1 ")] == [
        "HTTP/1.1 413 Request Entity Too Large",
        "HTTP/1.1 200 OK",
    ]
    assert running.shelf.count == 1


async def test_an_offset_out_of_range_is_refused_and_not_a_crash(running: Running) -> None:
    for setting in ({"offset_seconds": 1e15}, {"advance_seconds": 1e12}, {"now": "9999-12-31T00:00:00Z"}):
        answer = await running.controls.put("/_sim/clock", json=setting)
        assert answer.status_code == 422
    assert (await running.controls.get("/_sim/clock")).status_code == 200
