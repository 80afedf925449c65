"""Waits until nothing is under way any more: every order stored, every fact published and read, every mail settled."""

import asyncio
import time
from dataclasses import dataclass

from hanro_local.demo.holdings import Outside
from hanro_local.demo.marketplace import SHOP_NUMBER
from hanro_local.progress import Step

LOOK_PAUSE_SECONDS = 0.5
# What a look found at rest is looked at again: a fact may pass between two looks.
LOOKS = 3


@dataclass(frozen=True)
class Backlog:
    """Count what is left to do."""

    order_count: int
    unstored: int
    unpublished: int
    unread: int
    unsent: int

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is left."""
        return not (self.unstored or self.unpublished or self.unread or self.unsent)

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.order_count - self.unstored} of {self.order_count} orders stored; facts to publish"
            f" {self.unpublished}, to read {self.unread}; mails to send {self.unsent}"
        )


async def look(outside: Outside) -> Backlog:
    """Count what is left to do now."""
    truth = (await outside.simulator.call("GET", f"/_sim/shops/{SHOP_NUMBER}/orders")).json()["orders"]
    return Backlog(
        order_count=len(truth),
        unstored=await outside.count_outdated({order["external_id"]: order["progress"] for order in truth}),
        unpublished=await outside.count_unpublished(),
        unread=await outside.count_unread(),
        unsent=await outside.count_unsent(),
    )


async def wait(outside: Outside, seconds: float, step: Step) -> None:
    """Wait until nothing is left, at most so long; the step tells what is left, and at its end what was."""
    gives_up_at = time.monotonic() + seconds
    calm = 0
    while True:
        backlog = await look(outside)
        step.detail = backlog.__str__
        calm = calm + 1 if backlog.is_empty else 0
        is_late = time.monotonic() > gives_up_at
        if calm >= LOOKS or is_late:
            step.result = f"{'not quiet in time, ' if not backlog.is_empty else ''}{backlog}"
            return
        await asyncio.sleep(LOOK_PAUSE_SECONDS)
