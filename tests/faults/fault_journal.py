"""Reads what a shop's calls and mails looked like from the marketplace's side, and moves time for all together."""

import base64
import email
import email.policy
import itertools
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fault_shop import Shop
from fault_stack import FaultStack

from hanro_local.databases import SCHEMAS

ALL = "/es/"
ORDERS = f"{ALL}2.0/order/"
# What order-svc asks with: their content is never at fault.
ASKED = frozenset({"searchOrder", "getOrder"})
MOST = 10_000
READS = ("search", "get")
# What a question names that cannot be asked without a name; nothing at the marketplace has it.
NO_NAME = "hanro-asks-only"


@dataclass(frozen=True)
class Call:
    """Be one request of a shop, as the marketplace's journal has it."""

    path: str
    status: int | None
    at: datetime

    @property
    def is_refused(self) -> bool:
        """Tell whether the gateway refused the key: with 400 too, as it answers a call for its content."""
        return self.status == 401 or (self.status == 400 and function_of(self.path) in ASKED)


@dataclass(frozen=True)
class Write:
    """Be one request of a shop that was to change something; `orders` are those that it names."""

    function: str
    orders: tuple[str, ...]
    has_effect: bool


def function_of(path: str) -> str:
    """Give the name of the function that a request calls."""
    return path.rstrip("/").rpartition("/")[2]


def is_read(method: str, path: str) -> bool:
    """Tell whether what is called changes nothing, whatever is asked."""
    return method == "GET" or function_of(path).startswith(READS)


async def sequence(shop: Shop) -> int:
    """Give the journal's present end."""
    return int((await shop.simulator.call("GET", "/_sim/health")).json()["sequence"])


async def calls(shop: Shop, *, after: int = 0, path: str = ORDERS) -> list[Call]:
    """Give the requests of a shop below a path behind a place in the journal, oldest first."""
    found = await _requests(shop, after, path)
    return [Call(one["path"], one["status"], datetime.fromisoformat(one["received_at"])) for one in found]


async def writes(shop: Shop, *, after: int = 0) -> list[Write]:
    """Give the requests of a shop that were to change something, behind a place in the journal, oldest first.

    A preflight asks functions that write too, without saying what to write, or of what does not exist: such a question
    is left out where the marketplace changed nothing.
    """
    found = []
    for one in await _requests(shop, after, ALL):
        path, text = one["path"], one.get("request_body", "")
        words = json.loads(text) if text.startswith("{") else {}
        is_question = not words or NO_NAME in path + text
        if one["has_effect"] or not (is_read(one["method"], path) or is_question):
            orders = words.get("orderNumberList") or [words[name] for name in ("orderNumber",) if name in words]
            found.append(Write(function_of(path), tuple(orders), one["has_effect"]))
    return found


async def subjects(shop: Shop) -> list[str]:
    """Give the subjects of all mails that the relay took from a shop, oldest first."""
    box = shop.mailbox
    while True:
        page = (await shop.simulator.call("GET", f"/_sim/mails?limit={MOST}&after={box.place}")).json()
        # Two that read at once find the same.
        if page["next"] > box.place:
            box.subjects += [_subject(mail) for mail in page["mails"] if mail["shop"] == shop.number]
            box.place = page["next"]
        if len(page["mails"]) < MOST:
            return list(box.subjects)


def _subject(mail: dict[str, Any]) -> str:
    message = email.message_from_bytes(base64.b64decode(mail["raw_base64"]), policy=email.policy.default)
    return str(message["Subject"])


def longest_gap(found: list[Call]) -> float:
    """Give the seconds of the longest time without a call."""
    times = [one.at for one in found]
    return max((after - before).total_seconds() for before, after in itertools.pairwise(times))


async def advance(stack: FaultStack, shop: Shop, seconds: float) -> None:
    """Move time together: the marketplace's, the services' and that of their schemas."""
    clock = (await shop.simulator.call("PUT", "/_sim/clock", {"advance_seconds": seconds})).json()
    offset = clock["offset_seconds"]
    stack.clock.write_text(str(offset))
    async with stack.database() as connection:
        for schema in SCHEMAS:
            await connection.execute(f'update "{schema}".clock_offset set seconds = $1', offset)  # noqa: S608  ours


async def _requests(shop: Shop, after: int, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        query = f"/_sim/journal?kind=request&path={path}&limit={MOST}&after={after}"
        page = (await shop.simulator.call("GET", query)).json()
        if not page["entries"]:
            return found
        found += [entry for entry in page["entries"] if entry.get("shop") == shop.number]
        after = page["next"]
