"""Keys are rotated under load, and account-svc goes away: part of `make faults` alone, they take minutes."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fault_checks import await_stored, differences, look
from fault_forms import form
from fault_journal import advance, calls, longest_gap, sequence
from fault_keys import (
    CALL_SECONDS,
    PER_SECOND,
    POLL_SECONDS,
    SETTLES,
    enter,
    issue,
    load,
    quick_probes,
    until,
)
from fault_shop import Shop, once
from fault_shops import Shops
from fault_stack import FaultStack

pytestmark = pytest.mark.fault


@pytest.mark.row("P17", kind="walks")
async def test_a_rotation_with_two_live_keys_is_refused_nothing_and_loses_nothing(
    stack: FaultStack, shop: Shop, record_property: Any
) -> None:
    async with quick_probes(stack, shop), load(shop) as numbers:
        await await_stored(stack, shop, PER_SECOND, 60)
        begun = await sequence(shop)
        await enter(shop, await issue(shop, keeps_old=True))
        await until(shop, version=2, seconds=form(short=40.0, whole=180.0))
        promoted = await sequence(shop)
        await asyncio.sleep(form(short=3.0, whole=60.0))
        # Services took the new one: that the old one ends is nothing to them.
        await shop.simulator.call("POST", f"/_sim/shops/{shop.number}/keys/retire")
        await asyncio.sleep(form(short=2.0, whole=20.0))
    assert await differences(stack, shop, seconds=120) == {}
    asked = await calls(shop, after=begun)
    assert [one for one in await calls(shop, after=promoted) if one.is_refused] == []
    gap = longest_gap(asked)
    record_property("longest_gap_seconds", gap)
    assert gap <= 2 * (POLL_SECONDS + CALL_SECONDS), gap
    assert len((await look(stack, shop)).orders) == len(numbers)


@pytest.mark.row("P17", kind="walks")
async def test_a_cut_over_pauses_calls_and_the_gap_is_filled_within_a_minute(
    stack: FaultStack, shop: Shop, record_property: Any
) -> None:
    settles = form(short=SETTLES, whole=900.0)
    async with load(shop) as numbers:
        await await_stored(stack, shop, PER_SECOND, 60)
        issued = await issue(shop, keeps_old=False, active_after_seconds=settles)
        issued_at = datetime.now(UTC)
        await enter(shop, issued)
        waiting = await until(shop, state="suspended", reason="key-settling")
        assert waiting["label"]["ja"] == "無効"
        paused = await sequence(shop)
        if form(short=False, whole=True):
            # Orders wait at the marketplace; its clock alone is what the key waits for.
            await asyncio.sleep(20)
            await advance(stack, shop, settles)
        await until(shop, version=2, state="active", seconds=90)
    assert await differences(stack, shop, seconds=180) == {}
    asked = await calls(shop, after=paused)
    taken = next(number for number, one in enumerate(asked) if not one.is_refused)
    # Until the key is taken only the probes ask, now and then.
    assert len(asked[:taken]) <= 2 * (settles / 15 + 2)
    assert [one for one in asked[taken:] if one.is_refused] == []
    if form(short=True, whole=False):
        resumed = (asked[taken].at - issued_at).total_seconds() - settles
        record_property("resumed_after_seconds", resumed)
        assert resumed <= 60, resumed
    assert len((await look(stack, shop)).orders) == len(numbers)


@pytest.mark.row("A14", kind="walks")
async def test_polling_goes_on_while_account_svc_is_away_and_new_credentials_wait(
    stack: FaultStack, shop: Shop
) -> None:
    await shop.place(1)
    await await_stored(stack, shop, 1, 60)
    count = 1
    async with stack.down("account-svc"):
        async with asyncio.timeout(form(short=60, whole=700)):
            end = asyncio.get_running_loop().time() + form(short=5.0, whole=600.0)
            while asyncio.get_running_loop().time() < end:
                count += len(await shop.place(PER_SECOND))
                await asyncio.sleep(1)
            await await_stored(stack, shop, count, 60)
        issued = await issue(shop, keeps_old=True)
        answer = await shop.hanro.call(
            "PUT", f"/v1/accounts/{shop.account_id}/credentials", {"values": {}}, expected=(502, 503, 504)
        )
        assert answer.headers["content-type"] == "application/problem+json"
    await once(lambda: enter(shop, issued))
    async with quick_probes(stack, shop):
        await until(shop, version=2, seconds=form(short=60.0, whole=180.0))
    await shop.place(1)
    assert await differences(stack, shop, seconds=120) == {}


@pytest.mark.row("P15", kind="walks")
async def test_a_key_that_expires_in_flight_stops_its_account_alone_and_the_gap_of_two_days_is_filled(
    stack: FaultStack, shop: Shop, shops: Shops
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        other = await shops.take(client)
        await shop.place(3)
        await await_stored(stack, shop, 3, 60)
        before = await sequence(shop)
        await shop.simulator.call("POST", f"/_sim/shops/{shop.number}/keys/expire")
        await shop.place(2)
        await until(shop, state="suspended", reason="credential-refused")
        refused = [one for one in await calls(shop, after=before) if one.is_refused]
        # One call of each route in flight; what account-svc asks to find out is a probe of each function of orders.
        functions = {one.path for one in refused}
        assert len(refused) <= 2 + len(functions)
        stopped = await sequence(shop)
        for _ in range(2):
            await shop.place(2)
            await other.place(2)
            await advance(stack, shop, 86_400)
        await await_stored(stack, other, 4, 60)
        asked = await calls(shop, after=stopped)
        assert all(one.is_refused for one in asked)
        assert len(asked) <= 8
        assert await _told(stack, shop, "suspended") == 1

        await enter(shop, await issue(shop, active_after_seconds=0))
        await until(shop, state="active", version=2)
        assert await differences(stack, shop, seconds=120) == {}
        assert await differences(stack, other, seconds=60) == {}
        assert len((await look(stack, shop)).orders) == 9


async def _told(stack: FaultStack, shop: Shop, what: str) -> int:
    """Count the facts of a kind about the account."""
    async with stack.database() as connection:
        return int(
            await connection.fetchval(
                "select count(*) from account.archive where key = $1 and type = $2",
                shop.account_id,
                f"hanro.account.{what}.v1",
            )
        )
