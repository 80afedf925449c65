"""Shows the demo shop at work: a buyer orders every little while, and each order has a line when its mail has left."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from hanro_local.demo import marketplace, tokens
from hanro_local.demo.api import Api, Refused
from hanro_local.demo.marketplace import Placed
from hanro_local.demo.shop import WORKING, LinkedShop, link
from hanro_local.demo.tries import SCOPES, Tries
from hanro_local.progress import Steps
from hanro_local.stack import Stack, table

BUYER_SECONDS = 10.0
LOOK_SECONDS = 0.5
STATE_SECONDS = 2.0
FINAL = ("handed_over", "refused", "in_doubt", "suppressed")
NEWEST = 200

Say = Callable[[str], None]


@dataclass
class Watched:
    """Be an order that is followed on its way; `id` is hanro's, once it is stored."""

    placed: Placed
    began: float
    id: str = ""


@dataclass
class Show:
    """Be the demo shop in front of people; everything that is said goes through `say`."""

    hanro: Api
    simulator: Api
    linked: LinkedShop
    tries: Tries
    say: Say
    watched: dict[str, Watched] = field(default_factory=dict)
    is_first: bool = True
    state: str = ""

    async def run(self) -> None:
        """Let buyers order and tell what becomes of it, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_forever(self.place, BUYER_SECONDS))
            tasks.create_task(_forever(self.follow, LOOK_SECONDS))
            tasks.create_task(_forever(self.watch_account, STATE_SECONDS))

    async def place(self) -> None:
        """Let one buyer order; a simulator that was started again has no shop until it is opened again."""
        try:
            number = (await marketplace.place(self.simulator, is_plain=self.is_first))[0]
        except Refused:
            await marketplace.open_shop(self.simulator)
            return
        self.watched[number] = Watched(await marketplace.look_at(self.simulator, number), time.monotonic())

    async def follow(self) -> None:
        """Look where the orders are, and tell of those that have come through."""
        if not self.watched:
            return
        path = f"/v1/orders?account_id={self.linked.account_id}&limit={NEWEST}"
        for order in (await self.hanro.call("GET", path)).json()["items"]:
            if one := self.watched.get(order["external_id"]):
                one.id = order["id"]
        for number, one in list(self.watched.items()):
            line = await self._line(one) if one.id else None
            if line:
                del self.watched[number]
                self.say(line)
                if self.is_first:
                    self.is_first = False
                    self._show_tries(one.id)

    async def watch_account(self) -> None:
        """Tell when the account stops working, with the remedy, and when it works again."""
        account = (await self.hanro.call("GET", f"/v1/accounts/{self.linked.account_id}")).json()
        before, self.state = self.state, account["state"]
        if before and before != self.state:
            for line in self._change(account, was_working=before in WORKING):
                self.say(line)

    async def _line(self, one: Watched) -> str | None:
        reservations = (await self.hanro.call("GET", f"/v1/reservations?order_id={one.id}")).json()["items"]
        messages = (await self.hanro.call("GET", f"/v1/messages?order_id={one.id}")).json()["items"]
        state = messages[0]["state"] if messages else ""
        wanted, reserved = (sum(row[name] for row in reservations) for name in ("wanted", "reserved"))
        if not reservations or state not in FINAL:
            return None
        count = one.placed.line_count
        parts = (
            f"{datetime.now().astimezone():%H:%M:%S}",
            one.placed.number,
            one.placed.buyer,
            f"{count} line{'s' if count > 1 else ''}",
            f"reserved {reserved} of {wanted}",
            "mailed" if state == "handed_over" else f"mail {state}",
            f"{time.monotonic() - one.began:.1f} s",
        )
        return "  ".join(parts)

    def _show_tries(self, order_id: str) -> None:
        for line in ("", *self.tries.requests(order_id), "", *self.tries.expiry(), ""):
            self.say(line)

    def _change(self, account: dict[str, Any], *, was_working: bool) -> list[str]:
        now = (
            f"{datetime.now().astimezone():%H:%M:%S}  {self.linked.name}: {account['label']['ja']} ({account['state']})"
        )
        if account["state"] in WORKING:
            return [now]
        reason, step = account["reason"] or {}, account["next_step"] or {}
        said = [now, f"  why: {reason.get('text', '?')}"]
        if step.get("text"):
            said.append(f"  remedy: {step['text']['ja']} / {step['text']['en']}")
        if step.get("menu"):
            said.append(f"  where: {' > '.join(step['menu']['steps'])}")
        return [*said, *self.tries.mending(self.linked.account_id)] if was_working else said


async def show(stack: Stack, steps: Steps, say: Say) -> None:
    """Link the shop, show the table of services and then the shop at work, until cancelled.

    Raises:
        Refused, TimeoutError, httpx.HTTPError: the shop cannot be linked; the text says why.
    """
    tokens.write_page_token(stack.state)
    async with httpx.AsyncClient(trust_env=False) as client:
        hanro = Api(client, stack.gateway, tokens.mint(stack.state))
        simulator = Api(client, stack.simulator)
        async with steps.step("Demo shop") as step:
            linked = await link(hanro, await marketplace.open_shop(simulator))
            step.result = linked.label
        end = f"open {stack.gateway}/ in a browser; Ctrl-C stops everything and keeps its state"
        for line in ("", *table(stack), "", str(linked), end, ""):
            say(line)
        tries = Tries(stack.gateway, stack.simulator, tokens.mint(stack.state, SCOPES, subject="try"))
        await Show(hanro, simulator, linked, tries, say).run()


async def _forever(act: "Callable[[], Any]", seconds: float) -> None:
    while True:
        try:
            await act()
        except (Refused, httpx.HTTPError):
            # A service or the simulator is being started again: it is asked again.
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(seconds)
