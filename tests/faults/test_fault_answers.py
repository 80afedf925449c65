"""Lets the marketplace fail in one way after the other: fault 19."""

import time
from typing import Any

import httpx
import pytest
from fault_checks import await_stored, differences, look
from fault_figures import over_the_limit
from fault_forms import form
from fault_journal import ORDERS
from fault_shop import Shop
from fault_shops import Shops
from fault_stack import FaultStack

from hanro_local.demo.api import until

pytestmark = pytest.mark.fault
SECONDS = 60.0
# Silence costs a whole deadline.
SHOWN_SECONDS = 75.0
# A breaker's waits double with each call that fails, up to five minutes.
HEALED_SECONDS = 300.0
# Behind a silent shop another would wait for 20 s.
BESIDE_SECONDS = 12.0
DIALS: dict[str, dict[str, Any]] = {
    "503": {"kind": "status", "status": 503},
    "a cut body": {"kind": "cut-body"},
    "HTML with 200": {"kind": "html"},
    "a wrong charset": {"kind": "wrong-charset"},
    "30 s of silence": {"kind": "silence", "seconds": 30},
}


async def _dial(shop: Shop, path: str, **fault: Any) -> int:
    dial = {**fault, "match": {"path": path, "shop": shop.number}}
    return int((await shop.simulator.call("POST", "/_sim/faults", dial)).json()["id"])


async def _breakers(shop: Shop) -> list[dict[str, Any]]:
    answer = await shop.hanro.call("GET", f"/v1/order/breakers?account_id={shop.account_id}")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def _suffer(stack: FaultStack, shop: Shop, beside: Shop, name: str, known: int) -> None:
    """Let an order come while a fault lasts, until its breaker shows; another shop's order is stored meanwhile."""
    is_silent = DIALS[name]["kind"] == "silence"
    dial_id = await _dial(shop, ORDERS, **DIALS[name])
    await shop.place(1)

    async def is_shown() -> bool:
        return any(one["open_until"] or is_silent for one in await _breakers(shop))

    await until(SHOWN_SECONDS, is_shown)
    began = time.monotonic()
    await beside.place(1)
    await await_stored(stack, beside, known, SECONDS)
    assert time.monotonic() - began < BESIDE_SECONDS, name
    assert await _breakers(beside) == [], name
    assert len((await look(stack, shop, is_log_wanted=False)).orders) < known, name
    await shop.simulator.call("DELETE", f"/_sim/faults/{dial_id}")

    async def is_healed() -> bool:
        return not await _breakers(shop)

    await await_stored(stack, shop, known, HEALED_SECONDS)
    await until(SECONDS, is_healed)


async def test_one_kind_of_failing_answer_after_the_other_opens_the_circuit_of_that_shop_alone(
    stack: FaultStack, shop: Shop, shops: Shops
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        beside = await shops.take(client)
        early = await over_the_limit(shop, beside)
        for place, name in enumerate(form(short=["a cut body"], whole=list(DIALS)), start=1):
            await _suffer(stack, shop, beside, name, place)
        assert [await differences(stack, one) for one in (shop, beside)] == [{}, {}]
        assert await over_the_limit(shop, beside) == early
