"""The start page shows what is there, says in a line what is not, and believes nobody's names."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hanro_local.gateway import create_app
from hanro_local.start_page import safe_url

HOSTILE = "<script>alert('x')</script>\"onload=\"&{{ 7*7 }}"
NOW = datetime(2026, 3, 1, 3, 4, 5, tzinfo=UTC)
ORDER = {
    "id": "01J",
    "external_id": "123456-20260301-0000000001",
    "placed_at": "2026-02-28T16:30:00Z",
    "lines": [{"sku": "茶碗①", "quantity": 2}, {"sku": "湯呑", "quantity": 1}],
    "status": "open",
}


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application on a free port, as a real server; yields its base URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True


def answering(body: object, status: int = 200) -> Starlette:
    """Build a service that gives one answer under every path, once it is asked with the page's token."""

    async def answer(request: Request) -> Response:
        if request.url.path.startswith("/v1") and request.headers.get("authorization") != "Bearer ey.synthetic.token":
            return JSONResponse({}, status_code=401)
        return JSONResponse(body, status_code=status)

    return Starlette(routes=[Route("/{path:path}", answer)])


async def page_of(tmp_path: Path, content: dict[str, object]) -> str:
    """Read the start page of a gateway over this routes file."""
    file = tmp_path / "routes.json"
    file.write_text(json.dumps(content))
    async with (
        serving(create_app(file, lambda: NOW)) as base,
        httpx.AsyncClient(base_url=base, trust_env=False, timeout=10) as http,
    ):
        answer = await http.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return answer.text


def section(page: str, name: str) -> str:
    """Cut out one section of a page."""
    found = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    assert found
    return found.group()


def routed(prefix: str, target: str) -> dict[str, object]:
    return {"routes": [{"prefix": prefix, "target": target}], "token": "ey.synthetic.token"}


async def test_an_empty_stack_is_a_page_of_notes_that_refreshes_itself(tmp_path: Path) -> None:
    page = await page_of(tmp_path, {})
    assert '<meta http-equiv="refresh" content="5">' in page
    assert "2026-03-01 12:04:05 JST" in page
    for name in ("services", "orders", "stock", "inbox", "documents", "simulators"):
        assert "not there yet" in section(page, name)


async def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = await page_of(tmp_path, {})
    assert not re.search(r"<(script|img|link|iframe)|@import|url\(", page)


@pytest.mark.parametrize("envelope", ["items", "orders", None])
async def test_orders_show_number_time_lines_and_status(tmp_path: Path, envelope: str | None) -> None:
    body = {envelope: [ORDER], "next": None} if envelope else [ORDER]
    async with serving(answering(body)) as service:
        orders = section(await page_of(tmp_path, routed("/v1/orders", service)), "orders")
    for shown in ("123456-20260301-0000000001", "2026-03-01 01:30", "茶碗① × 2、湯呑 × 1", "open"):
        assert shown in orders


async def test_stock_shows_its_counts_and_zero_is_a_count(tmp_path: Path) -> None:
    stock = {"items": [{"sku": "茶碗", "on_hand": 5, "committed": 5, "available": 0, "short_count": 1}]}
    async with serving(answering(stock)) as service:
        shown = section(await page_of(tmp_path, routed("/v1/stock", service)), "stock")
    assert re.findall(r"<td[^>]*>([^<]*)</td>", shown) == ["茶碗", "5", "5", "0", "1"]


def sink_of(mails: list[dict[str, object]]) -> Starlette:
    """Build a mail sink that lists from the oldest, as the one of the stack does."""

    async def list_mails(request: Request) -> Response:
        after, limit = (int(request.query_params.get(name, 0)) for name in ("after", "limit"))
        found = [mail for mail in mails if isinstance(mail["id"], int) and mail["id"] > after]
        return JSONResponse({"mails": found[:limit], "next": 0, "total": len(mails)})

    return Starlette(routes=[Route("/_sim/mails", list_mails)])


def mail(number: int) -> dict[str, object]:
    return {
        "id": number,
        "received_at": "2026-03-01T00:00:00Z",
        "envelope_recipients": ["a@example.invalid"],
        "subject": f"ご注文 {number}",
    }


async def test_a_mail_shows_time_recipient_and_subject_with_a_way_to_the_sink(tmp_path: Path) -> None:
    async with serving(sink_of([mail(1)])) as sink:
        inbox = section(await page_of(tmp_path, {"inbox": sink}), "inbox")
    assert f'href="{sink}/_sim/inbox"' in inbox
    for shown in ("2026-03-01 09:00", "a@example.invalid", "ご注文 1"):
        assert shown in inbox


async def test_of_many_mails_the_last_ten_stand_there_newest_first(tmp_path: Path) -> None:
    # After a reset the sink's ids go on, so the oldest is not number 1.
    async with serving(sink_of([mail(number) for number in range(41, 66)])) as sink:
        inbox = section(await page_of(tmp_path, {"inbox": sink}), "inbox")
    assert re.findall(r"ご注文 (\d+)", inbox) == [str(number) for number in range(65, 55, -1)]


async def test_an_empty_sink_has_no_mail_yet(tmp_path: Path) -> None:
    async with serving(sink_of([])) as sink:
        assert "no mail yet" in section(await page_of(tmp_path, {"inbox": sink}), "inbox")


async def test_services_are_ready_starting_or_away(tmp_path: Path) -> None:
    async with serving(answering({})) as ready, serving(answering({}, 503)) as starting:
        services = [
            {"name": "order-svc", "url": ready, "docs": "/v1/order/docs"},
            {"name": "stock-svc", "url": "http://127.0.0.1:1", "ready": f"{ready}/elsewhere"},
            {"name": "catalog-svc", "url": starting},
            {"name": "account-svc", "url": "http://127.0.0.1:1"},
        ]
        page = await page_of(tmp_path, {"services": services})
    states = re.findall(r'class="state (\w+)"', section(page, "services"))
    assert states == ["ready", "ready", "starting", "away"]
    assert '<a href="/v1/order/docs">order-svc</a>' in section(page, "documents")


@pytest.mark.parametrize(
    ("status", "body", "note"),
    [
        (401, {}, "refuses this page&#39;s token (401)"),
        (404, {}, "not there yet"),
        (503, {}, "answers 503"),
        (200, "text", "answers no list"),
        (200, {"items": "text"}, "answers no list"),
        (200, {"items": []}, "no order yet"),
        (200, {"items": [{"external_id": "x" * 9_000_000}]}, "answers more than this page can show"),
    ],
)
async def test_a_source_that_cannot_be_shown_is_a_note(tmp_path: Path, status: int, body: object, note: str) -> None:
    async with serving(answering(body, status)) as service:
        orders = section(await page_of(tmp_path, routed("/v1/orders", service)), "orders")
    assert note in orders
    assert "<table" not in orders


async def test_rows_of_a_shape_that_nobody_expects_are_shown_as_far_as_they_go(tmp_path: Path) -> None:
    odd = [{}, 7, None, {"external_id": {"name": "n"}, "placed_at": "soon", "lines": [1, {}], "status": True}]
    async with serving(answering(odd)) as service:
        orders = section(await page_of(tmp_path, routed("/v1/orders", service)), "orders")
    assert orders.count("<tr>") == 3
    assert "soon" in orders


async def test_silent_sources_hold_the_page_up_only_once(tmp_path: Path) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    async with await asyncio.start_server(silence, "127.0.0.1", 0) as target:
        url = f"http://127.0.0.1:{target.sockets[0].getsockname()[1]}"
        services = [{"name": f"svc-{number}", "url": url} for number in range(4)]
        started = time.monotonic()
        page = await page_of(tmp_path, routed("/v1", url) | {"services": services, "inbox": url})
        seconds = time.monotonic() - started
    assert page.count("no answer within") == 7
    assert seconds < 4


async def test_hostile_names_stay_text(tmp_path: Path) -> None:
    entry = dict.fromkeys(("external_id", "placed_at", "status", "sku", "on_hand", "subject", "to", "at"), HOSTILE)
    async with serving(answering([entry | {"lines": [{"sku": HOSTILE, "quantity": HOSTILE}]}])) as service:
        content = routed("/v1", service) | {
            "inbox": service,
            "services": [{"name": HOSTILE, "url": service, "docs": "javascript:alert(1)"}],
            "simulators": [
                {"name": HOSTILE, "url": "javascript:alert(1)"},
                {"name": "s", "url": 'http://x/"onclick="alert(1)'},
            ],
        }
        page = await page_of(tmp_path, content)
    assert page.count("&lt;script&gt;") >= 10
    assert "<script" not in page
    assert "javascript:" not in page
    assert '"onclick' not in page
    assert '"onload' not in page
    assert ">49<" not in page


async def test_the_token_may_stand_in_a_file_and_never_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("ey.synthetic.token\n")
    async with serving(answering([ORDER])) as service:
        content = routed("/v1/orders", service) | {"token": str(tmp_path / "token")}
        page = await page_of(tmp_path, content)
        without = await page_of(tmp_path, content | {"token": str(tmp_path / "none")})
    assert "123456-20260301-0000000001" in page
    assert "synthetic" not in page
    assert "token (401)" in section(without, "orders")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("/v1/order/docs", True),
        ("http://127.0.0.1:1/", True),
        ("https://x.example.invalid", True),
        ("//x.example.invalid", False),
        ("/\\x.example.invalid", False),
        ("JavaScript:alert(1)", False),
        ("data:text/html,x", False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(url: str | None, kept: bool) -> None:  # noqa: FBT001  a table's column
    assert safe_url(url) == (url if kept else "")
