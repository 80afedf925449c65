"""Plays sellers and buyers of the sandbox's simulator for the conformance suites."""

import itertools
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from hanro.marketplace import installed
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId, NoticeKind, OrderStatus, SeenOrder
from hanro.testing.conformance.controls import Controls
from hanro.testing.conformance.market import Golden, Numbers, OrderFile, Spoilt
from hanro.testing.conformance.rig import FAST
from hanro_sandbox.client import Fragment
from hanro_sandbox.mapping import map_order

FOLDER = Path(__file__).parents[1]
GOLDENS = Path(__file__).parent / "goldens"
SECONDS = 20.0
DAY_SECONDS = 86_400
CODES: Mapping[str, OrderStatus] = {
    "pending": OrderStatus.PENDING,
    "new": OrderStatus.NEW,
    "ready": OrderStatus.READY,
    "on_hold": OrderStatus.ON_HOLD,
    "shipped": OrderStatus.SHIPPED,
    "delivered": OrderStatus.COMPLETED,
    "cancelling": OrderStatus.CANCELLING,
    "cancelled": OrderStatus.CANCELLED,
    "refused": OrderStatus.CANCELLED,
    "expired": OrderStatus.CANCELLED,
}
# The first state of each status.
STATES = {status: code for code, status in list(CODES.items())[::-1]}
SPOILT: Mapping[Spoilt, Mapping[str, object]] = {
    "unreadable": {"/lines/0/quantity": "many"},
    "unknown-status": {"/lines/0/state": "mislaid"},
    "wrong-sum": {"/totals/total": 1},
}
_TWELVE = Numbers(
    good=("1234-5678-9013", "000000000011", "４２３４ ５６７８ ９０１２"),
    bad=("12345678901", "1234567890123", "1234-5678-901X"),
)
NUMBERS = {
    "yamato": _TWELVE,
    "sagawa": _TWELVE,
    "japan_post": Numbers(
        good=("1234-5678-901", "123456789012", "RN123456789JP"), bad=("1234567890", "12345678901234", "RN12345678JP")
    ),
}


REPLIES = {
    name: json.dumps({"result": name.replace("-", "_")}).encode()
    for name in ("stored", "failed", "wrong-key", "malformed")
}


@dataclass
class SandboxShop:
    """Be one shop."""

    controls: Controls
    api_key: str = field(repr=False)
    notice_key: str = field(repr=False)

    def secrets(self) -> Mapping[str, str]:
        """Give the shop's id and its keys."""
        return {"shop_id": self.controls.shop_id, "api_key": self.api_key, "notice_key": self.notice_key}

    def wrong_secrets(self) -> Mapping[str, str]:
        """Give them with another key."""
        return {**self.secrets(), "api_key": self.api_key[:-4] + "ZZZZ"}

    def sent_secrets(self) -> Sequence[str]:
        """Give the key as the header carries it."""
        return [f"Bearer {self.api_key}"]

    def end_key(self, how: Literal["expire", "revoke"]) -> None:
        """End the key."""
        self.call("POST", f"/keys/{how}")

    def renew_key(self, *, is_settling: bool = False) -> None:
        """Issue a key."""
        made = self.call("POST", "/keys/issue", {"active_after_seconds": 900 if is_settling else 0})
        self.api_key = made["api_key"]

    def switch(self, *grant_ids: str, is_on: bool) -> None:
        """Switch grants."""
        self.call("PUT", "/grants", dict.fromkeys(grant_ids, is_on))

    def place(
        self,
        count: int = 1,
        *,
        status: OrderStatus = OrderStatus.NEW,
        code: str | None = None,
        country: str | None = None,
        placed_at: datetime | None = None,
        every_seconds: float = 0,
        hidden_from: Sequence[str] = (),
        spoilt: Spoilt | None = None,
        text: str | None = None,
        title: str | None = None,
        line_count: int = 1,
        units: int = 1,
    ) -> list[str]:
        """Let buyers order."""
        named = {} if title is None else {"title": title}
        wish: dict[str, object] = {
            "count": count,
            "state": code or STATES[status],
            "country": country or "JP",
            "every_seconds": every_seconds,
            "hidden_from": list(hidden_from),
            "raw": SPOILT[spoilt] if spoilt else {},
            "lines": [
                {"listing": f"item-{number}", "unit_price": 100, "quantity": units, **named}
                for number in range(line_count)
            ],
            "buyer_text": text,
        }
        if placed_at is not None:
            wish["placed_at"] = placed_at.isoformat()
        return self.order(wish)

    def place_near_deadline(self) -> list[str]:
        """Place an order two days ago: what nobody answers in three days expires."""
        return self.place(placed_at=datetime.now(UTC) - timedelta(days=2))

    def pass_deadline(self) -> None:
        """Let two days pass."""
        self._pass(2 * DAY_SECONDS)

    def pass_queue(self) -> None:
        """Let the two seconds pass after which a job is done, and keep them: a job is as old as the clock says."""
        self.controls.call("PUT", "/clock", {"advance_seconds": 3})

    def pass_night(self) -> None:
        """Wait for nothing: what was shipped shows at once."""

    def _pass(self, seconds: int) -> None:
        """Move the simulator's clock on, and back."""
        for step in (seconds, -seconds):
            self.controls.call("PUT", "/clock", {"advance_seconds": step})

    def place_refused(self, count: int) -> list[str]:
        """Place orders whose postage is not decided."""
        return self.order({"count": count, "is_undecided": True})

    def place_varied(self, count: int) -> list[str]:
        """Let buyers order."""
        return self.order({"count": count, "is_varied": True})

    def answer_with(self, body: str) -> None:
        """Answer every read of orders so."""
        self.controls.fault("status", {"status": 200, "body": body}, "orders.get")

    def canaries(self, number: str) -> Sequence[str]:
        """Give what an order holds of people."""
        order = self.call("GET", f"/orders/{number}")
        people = [order["buyer"], *(package["recipient"] for package in order["packages"])]
        found = [str(one.get(name) or "") for one in people for name in ("family_name", "email", "phone")]
        return sorted({text for text in [*found, *(one["address"]["street"] for one in people)] if len(text) > 3})

    def refusal_bodies(self, message: str) -> Sequence[str]:
        """Write the one kind of error, of the gateway and of a function."""
        return [
            json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False)
            for code in ("key_refused", "malformed")
        ]

    def refuse_whole(self, number: str | None) -> None:
        """Refuse a list of answers once."""
        error = {"code": "malformed", "message": "書式"} | ({} if number is None else {"order": number})
        body = json.dumps({"error": error}, ensure_ascii=False, separators=(",", ":"))
        self.controls.fault("status", {"status": 400, "body": body, "count": 1}, "orders.answer")

    def move(self, number: str, status: OrderStatus) -> None:
        """Bring an order to a state."""
        self.call("POST", f"/orders/{number}/set", {"state": STATES[status]})

    def show_one_page_for_ever(self, numbers: Sequence[str]) -> None:
        """Let the search show one page, and say that there is another."""
        orders = [self.call("GET", f"/orders/{number}") for number in numbers]
        body = json.dumps({"orders": orders, "next": "behind"}, ensure_ascii=False)
        self.controls.fault("status", {"status": 200, "body": body}, "orders.search")

    def refuse_for_rate(self) -> Sequence[tuple[str, Mapping[str, object]]]:
        """Name 429."""
        return (("throttle", {}),)

    def order(self, wish: Mapping[str, object]) -> list[str]:
        """Place what a wish describes."""
        return list(self.call("POST", "/orders", wish)["external_ids"])

    def call(self, method: str, path: str, value: object = None) -> dict[str, Any]:
        """Use a control of this shop."""
        return dict(self.controls.call(method, f"/shops/{self.controls.shop_id}{path}", value) or {})


@dataclass
class SandboxMarket:
    """Be the sandbox beside its simulator."""

    port: int
    plugin: Plugin = field(default_factory=lambda: installed()[MarketplaceId("sandbox")])
    folder: Path = FOLDER
    codes: Mapping[str, OrderStatus] = field(default_factory=lambda: CODES)
    countries: Sequence[str] = ("JP", "US")
    unknown_number: str = "SBX-999999"
    tracking_numbers: Mapping[str, Numbers] = field(default_factory=lambda: NUMBERS)
    code_past_deadline: str = "decision-too-late"
    write_function: str = "orders.answer"
    ship_functions: Sequence[str] = ("orders.ship",)
    cancel_functions: Sequence[str] = ("orders.cancel",)
    notice_replies: Mapping[str, bytes] = field(default_factory=lambda: REPLIES)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def base_url(self) -> str:
        """Give the simulator's URL."""
        return f"http://127.0.0.1:{self.port}"

    def open_shop(self) -> SandboxShop:
        """Open a shop that allows as many calls as a fast rig makes; two at once, since a busy machine delays some."""
        controls = Controls(self.base_url, f"test-{next(self.numbers):05}")
        made = controls.call("POST", "/shops", {"id": controls.shop_id})
        period = self.plugin.limits.groups["orders"].period.total_seconds()
        controls.limit(FAST / period, burst=2)
        return SandboxShop(controls=controls, api_key=made["api_key"], notice_key=made["notice_key"])

    def goldens(self) -> Sequence[Golden]:
        """Give an order in which everything is stated."""
        body = (GOLDENS / "orders.json").read_text(encoding="utf-8")
        return (Golden("SBX-000001", body, GOLDENS / "mapped.json"),)

    @property
    def order_files(self) -> Sequence[OrderFile]:
        """Give the file of a shop with one order of two lines, and that order as the protocol shows it."""
        shop = self.open_shop()
        line = {"listing": "item-1", "variant": "red", "title": '見本の品 ①, "髙"', "quantity": 2}
        (number,) = shop.order({"lines": [line, {**line, "tax_percent": 8, "package": 2}], "packages": 2})
        shown = json.dumps(shop.call("GET", f"/orders/{number}"), ensure_ascii=False)
        same = map_order(Fragment(tree=json.loads(shown, parse_int=str), raw=shown.encode()), datetime.now(UTC))
        assert isinstance(same, SeenOrder)
        text = shop.call("GET", "/orders.csv")["csv"]
        return (OrderFile("orders", number, text, "line_unit_price", same),)

    def notice(self, kind: NoticeKind, number: str, key: str) -> bytes:
        """Write a notice with a key; what else it says is left alone."""
        at = "2026-05-11T10:15:30+09:00"
        more = {"id": "notice-1", "kind": kind.value, "orders": [number], "at": at, "note": "<p></p>"}
        return json.dumps({"key": key} | more).encode()

    def notice_secrets(self, key: str) -> dict[str, str]:
        """Give the key."""
        return {"notice_key": key}

    def is_sentinel(self, text: str) -> bool:
        """Tell: an amount of -1 is not decided."""
        return text == "-1"


@contextmanager
def running_simulator() -> Iterator[int]:
    """Run the simulator as a process on a free port for the length of the block, and give the port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hanro_sandbox.simulator", "--port", "0", "--seed", "1"],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], SECONDS)
        line = process.stdout.readline().decode() if readable else ""
        assert "http://" in line, f"the simulator did not start: {line!r}"
        yield int(line.strip().rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(SECONDS)
        if process.stdout is not None:
            process.stdout.close()
