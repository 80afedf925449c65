"""Draws three to six faults at a time by a seed, heals, and checks from outside.

Run by name alone (`make faults SEEDS=20`, `make faults SEED=7`): `make test` looks for `test_*.py`.
"""

import asyncio
import contextlib
import random
import time

import pytest
from fault_checks import differences, look
from fault_deeds import ABSENCES, DEEDS, Deed
from fault_forms import seeds
from fault_shop import Shop
from fault_stack import FaultStack

pytestmark = pytest.mark.fault
LOAD_SECONDS = 20.0
# The last fault begins while there is load, and is over by then.
FAULTS_SECONDS = 60.0
# A lease of a minute and the pauses that failures in a row have earned.
QUIET_SECONDS = 150.0


@pytest.mark.parametrize("seed", seeds())
async def test_faults_drawn_together_lose_and_double_nothing(stack: FaultStack, shop: Shop, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  repeatable, not secret
    drawn = draw.sample(sorted(DEEDS), draw.randint(3, 6))
    plan = {name: draw.uniform(0, LOAD_SECONDS) for name in drawn}
    async with asyncio.timeout(FAULTS_SECONDS), asyncio.TaskGroup() as group:
        group.create_task(_order(stack, shop, random.Random(seed)))  # noqa: S311  repeatable, not secret
        for name, at in plan.items():
            group.create_task(_later(at, DEEDS[name], stack, shop, random.Random(f"{seed} {name}")))  # noqa: S311  the same
    await asyncio.to_thread(stack.heal)
    found = await differences(stack, shop, seconds=QUIET_SECONDS)
    assert found == {}, f"SEED={seed}: {', '.join(f'{name} at {at:.1f} s' for name, at in plan.items())}"


async def _later(seconds: float, deed: Deed, stack: FaultStack, shop: Shop, draw: random.Random) -> None:
    await asyncio.sleep(seconds)
    await deed(stack, shop, draw)


async def _order(stack: FaultStack, shop: Shop, draw: random.Random) -> None:
    """Let buyers order, and sometimes cancel what has reached everybody."""
    until, cancelled = time.monotonic() + LOAD_SECONDS, set[str]()
    while time.monotonic() < until:
        await shop.place(draw.randint(1, 3))
        await asyncio.sleep(draw.uniform(0.2, 1.0))
        if draw.random() < 0.3:
            with contextlib.suppress(*ABSENCES):
                seen = await look(stack, shop, is_log_wanted=False)
                held = {row["external_id"] for row in seen.reservations}
                told = {message["order_external_id"] for message in seen.messages}
                if ready := sorted((held & told) - cancelled):
                    cancelled.add(ready[0])
                    await shop.cancel(ready[0])
