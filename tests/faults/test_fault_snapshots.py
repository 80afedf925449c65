"""Lets an older snapshot of an order arrive after a newer: fault 23."""

import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from fault_checks import differences, look, quiet
from fault_forms import form
from fault_log import read_copies
from fault_routes import read_since, services_now
from fault_shop import Shop
from fault_stack import FaultStack

from hanro_local.demo.api import until

pytestmark = pytest.mark.fault
SECONDS = 60.0
LATE_SECONDS = form(short=8.0, whole=12.0)
TAKEN_BACK = "hanro.order.cancelled.v1"


async def _dial(shop: Shop, path: str, **fault: Any) -> int:
    dial = {**fault, "match": {"path": path, "shop": shop.number}}
    return int((await shop.simulator.call("POST", "/_sim/faults", dial)).json()["id"])


async def _hits(shop: Shop, dial_id: int) -> int:
    dials = (await shop.simulator.call("GET", "/_sim/faults")).json()["faults"]
    return next(int(one["hits"]) for one in dials if one["id"] == dial_id)


async def _read_late(stack: FaultStack, shop: Shop) -> list[str]:
    """Let a buyer cancel while an answer is on its way for long; gives what was told of the order, in its order."""
    (number,) = await shop.place(1)
    assert await quiet(stack, shop) == ""
    dial_id = await _dial(shop, "getOrder", kind="slow", seconds=LATE_SECONDS, count=1)

    async def is_hit() -> bool:
        return await _hits(shop, dial_id) == 1

    await until(SECONDS, is_hit)
    begun = time.monotonic()
    arrives = await services_now(stack) + timedelta(seconds=LATE_SECONDS)
    await shop.cancel(number)
    # Routes take their time: this one is read again at once, beside them.
    body = {"account_id": shop.account_id, "external_ids": [number]}
    await shop.hanro.call("POST", "/v1/orders:fetch", body, expected=(202,))
    assert await quiet(stack, shop, LATE_SECONDS, is_mail_awaited=False) == ""
    assert time.monotonic() - begun < LATE_SECONDS - 1, "the older answer did not come after the newer one"

    async def is_read() -> bool:
        return await read_since(stack, shop) > arrives

    await until(2 * SECONDS, is_read)
    assert await quiet(stack, shop) == ""
    ids = {order["id"] for order in (await look(stack, shop, is_log_wanted=False)).orders}
    copies = await read_copies(stack, lambda key: key in ids)
    return [dict(copy.headers)["ce_type"].decode() for copy in copies]


async def test_an_older_snapshot_that_arrives_after_a_newer_changes_nothing(stack: FaultStack, shop: Shop) -> None:
    types = await _read_late(stack, shop)
    assert types[-1] == TAKEN_BACK
    assert Counter(types)[TAKEN_BACK] == 1
    assert await differences(stack, shop) == {}


@pytest.mark.fault(is_long=True)
async def test_an_older_snapshot_taken_for_news_is_seen_as_a_state_that_went_back(
    stack: FaultStack, shop: Shop
) -> None:
    with stack.switches.broken("age"):
        types = await _read_late(stack, shop)
    assert types.index(TAKEN_BACK) < len(types) - 1
