"""Shows the local stack on one page: services, orders, stock, mails, and where to go on from there.

Everything is asked for when the page is read, with short timeouts; what does not answer becomes a note of one line.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import httpx
from jinja2 import Environment, PackageLoader, StrictUndefined

from hanro_local.gateway_routes import RoutesFile, RunningService

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
JST = timezone(timedelta(hours=9), "JST")
SOURCE_SECONDS = 1.5
# The sink's list carries the raw mails.
LARGEST_ANSWER_BYTES = 8 * 1024 * 1024
ORDER_COUNT = 20
STOCK_COUNT = 20
MAIL_COUNT = 10

_NOT_THERE = "not there yet: no service answers for this path"


@dataclass(frozen=True)
class Link:
    """A way on from the page; `url` is empty when what the routes file says is no web address."""

    name: str
    url: str


@dataclass(frozen=True)
class ServiceState:
    """A service as it answered just now: `state` is ready, starting or away."""

    name: str
    state: str
    note: str
    docs: str


@dataclass(frozen=True)
class Table:
    """Rows of text under a section, or the reason why there are none."""

    rows: tuple[tuple[str, ...], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Page:
    """All that the page shows. Times are JST."""

    read_at: str
    services: tuple[ServiceState, ...]
    orders: Table
    stock: Table
    mails: Table
    inbox: str
    simulators: tuple[Link, ...]


class _NoAnswer(Exception):
    """A source did not answer with what the page can show; the text is the note."""


def safe_url(url: str | None) -> str:
    """Keep web addresses and paths of this gateway; anything else, such as `javascript:`, becomes empty."""
    if url and (url.startswith(("http://", "https://")) or (url.startswith("/") and url[1:2] not in {"/", "\\"})):
        return url
    return ""


def read_token(routes: RoutesFile) -> str | None:
    """Take the start page's token from the routes file, or from the file that it names; None when there is none."""
    if routes.token is None:
        return None
    told = routes.token.get_secret_value().strip()
    if told.startswith("ey") and told.count(".") == 2:  # noqa: PLR2004  a JWT in compact form: RFC 7515 3.1
        return told
    try:
        return Path(told).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None


async def _get(client: httpx.AsyncClient, url: str, token: str | None = None) -> tuple[int, bytes]:
    """Read an answer of at most `LARGEST_ANSWER_BYTES`.

    Raises:
        _NoAnswer: nobody listens, nobody answers in time, or the answer is larger or broken.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = b""
    try:
        async with (
            asyncio.timeout(SOURCE_SECONDS),
            client.stream("GET", url, headers=headers, timeout=SOURCE_SECONDS) as response,
        ):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise _NoAnswer("answers more than this page can show")
    except httpx.ConnectError as refused:
        raise _NoAnswer("not running") from refused
    except (TimeoutError, httpx.TimeoutException) as silent:
        raise _NoAnswer(f"no answer within {SOURCE_SECONDS} s") from silent
    except (httpx.HTTPError, httpx.InvalidURL) as broken:
        raise _NoAnswer("broke off its answer") from broken
    return response.status_code, body


async def _look_at_service(client: httpx.AsyncClient, service: RunningService) -> ServiceState:
    docs = safe_url(service.docs)
    try:
        status, _ = await _get(client, service.ready or f"{service.url}/readyz")
    except _NoAnswer as reason:
        return ServiceState(service.name, "away", str(reason), docs)
    if status == httpx.codes.OK:
        return ServiceState(service.name, "ready", "", docs)
    return ServiceState(service.name, "starting", f"answers {status}", docs)


async def _read_json(client: httpx.AsyncClient, url: str, token: str | None = None) -> object:
    """Read JSON.

    Raises:
        _NoAnswer: the source does not answer, refuses, or answers something else; the text says why.
    """
    status, body = await _get(client, url, token)
    if status == httpx.codes.NOT_FOUND:
        raise _NoAnswer(_NOT_THERE)
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise _NoAnswer(f"refuses this page's token ({status})")
    if status != httpx.codes.OK:
        raise _NoAnswer(f"answers {status}")
    try:
        answer: object = json.loads(body)
    except (ValueError, RecursionError) as broken:
        raise _NoAnswer("answers what is no JSON") from broken
    return answer


def _entries(answer: object) -> Sequence[Mapping[str, object]]:
    """Find the list in an answer: an array of objects, or an object with one such array in it."""
    if isinstance(answer, dict):
        answer = next((value for value in answer.values() if isinstance(value, list)), None)
    if not isinstance(answer, list):
        raise _NoAnswer("answers no list")
    return [entry for entry in answer if isinstance(entry, dict)]


async def _list_last_mails(client: httpx.AsyncClient, inbox: str) -> Sequence[Mapping[str, object]]:
    """List the newest mails, newest first. The sink lists from the oldest; its ids have no gaps."""
    head = await _read_json(client, f"{inbox}/_sim/mails?limit=1")
    oldest = _entries(head)
    total = head.get("total") if isinstance(head, dict) else None
    first_id = oldest[0].get("id") if oldest else None
    after = first_id - 1 + total - MAIL_COUNT if isinstance(first_id, int) and isinstance(total, int) else 0
    mails = _entries(await _read_json(client, f"{inbox}/_sim/mails?after={max(after, 0)}&limit={MAIL_COUNT}"))
    return list(reversed(mails))


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case str() | int() | float():
            return str(value)
        case list():
            return ", ".join(_text(part) for part in value)
        case dict():
            return _first(value, "name", "title", "address", "id", "state")
        case _:
            return ""


def _first(entry: Mapping[str, object], *names: str) -> str:
    """Read the first of several fields that says something."""
    return next((text for name in names if (text := _text(entry.get(name)))), "")


def _moment(text: str) -> str:
    """Write an ISO time in JST to the minute; what is no time stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(JST).strftime("%Y-%m-%d %H:%M")


def _lines(entry: Mapping[str, object]) -> str:
    lines = entry.get("lines")
    if not isinstance(lines, list):
        return _first(entry, "line_count", "lines")
    named: list[str] = []
    for line in lines:
        if isinstance(line, dict):
            count = _first(line, "quantity", "ordered_count", "count", "units")
            name = _first(line, "sku", "title", "name", "seller_key", "external_id", "id")
            named.append(f"{name} × {count}" if count else name)
    return "、".join(named)


def _order_row(entry: Mapping[str, object]) -> tuple[str, ...]:
    return (
        _first(entry, "external_id", "order_number", "number", "id"),
        _moment(_first(entry, "placed_at", "ordered_at", "created_at")),
        _lines(entry),
        _first(entry, "status", "state"),
    )


def _stock_row(entry: Mapping[str, object]) -> tuple[str, ...]:
    return (
        _first(entry, "sku", "sku_id", "id"),
        _first(entry, "on_hand", "on_hand_count"),
        _first(entry, "committed", "committed_count", "reserved"),
        _first(entry, "available", "available_count"),
        _first(entry, "short_count", "short"),
    )


def _mail_row(entry: Mapping[str, object]) -> tuple[str, ...]:
    return (
        _moment(_first(entry, "received_at", "at")),
        _first(entry, "envelope_recipients", "recipients", "to"),
        _first(entry, "subject"),
    )


async def _table(
    entries: Awaitable[Sequence[Mapping[str, object]]],
    row: Callable[[Mapping[str, object]], tuple[str, ...]],
    limit: int,
    nothing: str,
) -> Table:
    try:
        rows = tuple(row(entry) for entry in (await entries)[:limit])
    except _NoAnswer as reason:
        return Table(note=str(reason))
    return Table(rows=rows, note="" if rows else nothing)


async def look_around(client: httpx.AsyncClient, routes: RoutesFile, now: datetime) -> Page:
    """Ask all sources at once; takes at most a little over `SOURCE_SECONDS`, whatever is away."""
    token = read_token(routes)

    async def listed(path: str, limit: int) -> Sequence[Mapping[str, object]]:
        target = routes.target_of(path.encode())
        if target is None:
            raise _NoAnswer(_NOT_THERE)
        return _entries(await _read_json(client, f"{target}{path}?limit={limit}", token))

    async def mailed() -> Sequence[Mapping[str, object]]:
        if routes.inbox is None:
            raise _NoAnswer("not there yet: no mail sink is running")
        return await _list_last_mails(client, routes.inbox)

    async with asyncio.TaskGroup() as asking:
        services = [asking.create_task(_look_at_service(client, service)) for service in routes.services]
        orders = asking.create_task(_table(listed("/v1/orders", ORDER_COUNT), _order_row, ORDER_COUNT, "no order yet"))
        stock = asking.create_task(_table(listed("/v1/stock", STOCK_COUNT), _stock_row, STOCK_COUNT, "no stock yet"))
        mails = asking.create_task(_table(mailed(), _mail_row, MAIL_COUNT, "no mail yet"))
    return Page(
        read_at=now.astimezone(JST).strftime("%Y-%m-%d %H:%M:%S JST"),
        services=tuple(service.result() for service in services),
        orders=orders.result(),
        stock=stock.result(),
        mails=mails.result(),
        inbox=safe_url(routes.inbox and f"{routes.inbox}/_sim/inbox"),
        simulators=tuple(Link(simulator.name, safe_url(simulator.url)) for simulator in routes.simulators),
    )


def open_template() -> Callable[[Page, str | None], str]:
    """Load the template once; what comes back renders a page, and a complaint about the routes file if any."""
    environment = Environment(
        loader=PackageLoader("hanro_local", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    template = environment.get_template("start.html")

    def render(page: Page, complaint: str | None) -> str:
        return template.render(page=page, complaint=complaint)

    return render
