"""Keys are rotated and end while orders arrive, and account-svc goes away: faults 25, 26 and 31."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from fault_checks import await_stored, differences, look
from fault_forms import form
from fault_journal import advance, calls, longest_gap, sequence
from fault_keys import (
    CALL_SECONDS,
    LOOK_SECONDS,
    PER_SECOND,
    POLL_SECONDS,
    REPORT_SECONDS,
    SETTLES,
    await_heard,
    await_taken,
    differences_after_load,
    enter,
    issue,
    load,
    lost_and_twice,
    quick_probes,
    reading_seconds,
    until,
)
from fault_shop import Shop, once
from fault_shops import Shops
from fault_stack import FaultStack

pytestmark = pytest.mark.fault(is_paced=True)

Note = Callable[[str, object], None]


@pytest.mark.row("P17", kind="walks")
async def test_a_rotation_with_two_live_keys_is_refused_nothing_and_loses_nothing(
    stack: FaultStack, shop: Shop, note: Note
) -> None:
    async with quick_probes(stack, shop), load(shop) as numbers:
        await await_stored(stack, shop, PER_SECOND, 60)
        begun = await sequence(shop)
        await enter(shop, await issue(shop, keeps_old=True))
        await until(shop, version=2, seconds=form(short=60.0, whole=180.0))
        promoted = await sequence(shop)
        await await_taken(stack, shop, 2)
        # A probe of account-svc with the old key learns of it with its next report.
        await asyncio.sleep(form(short=REPORT_SECONDS, whole=60.0))
        # All took the new one: that the old one ends is nothing to them.
        await shop.simulator.call("POST", f"/_sim/shops/{shop.number}/keys/retire")
        await asyncio.sleep(form(short=2.0, whole=20.0))
        asked = await calls(shop, after=begun)
    assert await differences_after_load(stack, shop, len(numbers)) == {}
    refused = [one for one in await calls(shop, after=promoted) if one.is_refused]
    gap = longest_gap(asked)
    lost, twice = await lost_and_twice(stack, shop, numbers)
    note("orders", len(numbers))
    note("refusals after promotion", len(refused))
    note(f"longest gap in seconds, at a poll interval of {POLL_SECONDS:.0f} s", gap)
    note("lost, twice", (lost, twice))
    assert refused == []
    assert gap <= 2 * (POLL_SECONDS + CALL_SECONDS), gap
    assert (lost, twice) == (0, 0)


@pytest.mark.row("P17", kind="walks")
async def test_a_cut_over_pauses_calls_and_the_gap_is_filled_within_a_minute(
    stack: FaultStack, shop: Shop, note: Note
) -> None:
    loop = asyncio.get_running_loop()
    async with load(shop) as numbers:
        await await_stored(stack, shop, PER_SECOND, 60)
        await enter(shop, await issue(shop, keeps_old=False, active_after_seconds=SETTLES))
        waiting = await until(shop, state="suspended", reason="key-settling")
        assert waiting["label"]["ja"] == "無効"
        paused, paused_at = await sequence(shop), loop.time()
        if form(short=False, whole=True):
            # Orders wait at the marketplace for a quarter of an hour, most of which its clock passes over.
            await asyncio.sleep(LOOK_SECONDS)
            await advance(stack, shop, SETTLES / 2)
            await asyncio.sleep(LOOK_SECONDS)
        taken_at = loop.time()
        await shop.simulator.call("POST", f"/_sim/shops/{shop.number}/keys/activate")
        if form(short=True, whole=False):
            await stack.try_key(shop.account_id)
        await until(shop, version=2, state="active", seconds=90)
        resumed = await _next_call(shop, after=await sequence(shop)) - taken_at
    assert await differences_after_load(stack, shop, len(numbers)) == {}
    asked = await calls(shop, after=paused)
    first = next(number for number, one in enumerate(asked) if not one.is_refused)
    refused = [one for one in asked[first:] if one.is_refused]
    lost, twice = await lost_and_twice(stack, shop, numbers)
    note("orders", len(numbers))
    note("seconds from the key's being taken to calls that go on", resumed)
    note("calls while it settled", first)
    note("refusals after promotion", len(refused))
    note("lost, twice", (lost, twice))
    assert resumed <= 60
    # Until the key is taken only the probes of each look ask: a search, and a read beside it.
    assert first <= 2 * ((taken_at - paused_at) / LOOK_SECONDS + 3)
    assert refused == []
    assert (lost, twice) == (0, 0)


@pytest.mark.row("A14", kind="walks")
async def test_polling_goes_on_while_account_svc_is_away_and_new_credentials_wait(
    stack: FaultStack, shop: Shop
) -> None:
    await shop.place(1)
    await await_stored(stack, shop, 1, 60)
    count = 1
    # The last thing that is heard of the account leaves its credentials as they are: nobody takes them for old.
    await shop.hanro.call("PATCH", f"/v1/accounts/{shop.account_id}", {"display_name": "新しい店名"})
    await await_heard(stack, shop)
    async with stack.down("account-svc"):
        end = asyncio.get_running_loop().time() + form(short=5.0, whole=600.0)
        while asyncio.get_running_loop().time() < end:
            count += len(await shop.place(2))
            await asyncio.sleep(1)
        # Services use what they were given for a quarter of an hour.
        await await_stored(stack, shop, count, reading_seconds(count))
        issued = await issue(shop, keeps_old=True)
        answer = await shop.hanro.call(
            "PUT", f"/v1/accounts/{shop.account_id}/credentials", {"values": {}}, expected=(502, 503, 504)
        )
        assert answer.headers["content-type"] == "application/problem+json"
    await once(lambda: enter(shop, issued))
    async with quick_probes(stack, shop):
        await until(shop, version=2, seconds=form(short=60.0, whole=180.0))
    await shop.place(1)
    assert await differences_after_load(stack, shop, count) == {}


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
        # What a check cannot find out is looked at again after 15 s, then after 30: there is time for both.
        await until(shop, state="active", version=2, seconds=120)
        assert await differences(stack, shop, seconds=120) == {}
        assert await differences(stack, other, seconds=60) == {}
        assert len((await look(stack, shop)).orders) == 9


async def _next_call(shop: Shop, *, after: int) -> float:
    """Wait for a call behind a place in the journal that is not refused; gives when it was seen."""
    async with asyncio.timeout(60):
        while not any(not one.is_refused for one in await calls(shop, after=after)):
            await asyncio.sleep(0.1)
    return asyncio.get_running_loop().time()


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
