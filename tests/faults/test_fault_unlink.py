"""Kills processes at the steps of an unlink while buyers order and mails leave: fault 29, I8."""

import asyncio
import contextlib
from collections import Counter
from datetime import datetime

import pytest
from fault_forms import form
from fault_journal import advance, calls, sequence, subjects, writes
from fault_shop import Shop
from fault_stack import FaultStack
from fault_unlink import (
    CALM_SECONDS,
    PROCESSING_SECONDS,
    accept,
    await_applied,
    await_listed,
    buyers,
    digest,
    ids_of,
    left_over,
    link_again,
    look_there,
    unlink,
)
from fault_week import ACCEPTANCE

pytestmark = pytest.mark.fault

WISHED, UNWISHED = form(short=6, whole=40), 4
RELEASES = ("releasing.before_commit", "releasing.after_commit")
POINTS = [
    pytest.param("order-svc", "order_svc", "releasing.before_commit"),
    *form(
        short=[],
        whole=[
            pytest.param("order-svc", "order_svc", "releasing.after_commit"),
            *(pytest.param("notifier-svc", "notifier_svc", point) for point in RELEASES),
            *(pytest.param("catalog-svc", "catalog_svc", point) for point in RELEASES),
            pytest.param("account-svc", "account_svc", "unlink.all_released"),
            pytest.param("account-svc", "account_svc", "unlink.before_commit"),
            pytest.param("account-svc", "account_svc", "unlink.after_commit"),
        ],
    ),
]


@pytest.mark.row("A16", kind="walks")
@pytest.mark.parametrize(("name", "module", "point"), POINTS)
async def test_an_unlink_whose_process_dies_ends_and_nothing_leaves_from_then_on(
    stack: FaultStack, shop: Shop, name: str, module: str, point: str
) -> None:
    left_alone = await shop.place(UNWISHED, is_plain=True)
    wished = await shop.place(WISHED, is_plain=True)
    stored = await await_listed(shop, {*left_alone, *wished})
    before, begun = await look_there(shop), await sequence(shop)
    async with buyers(shop):
        await asyncio.gather(*(accept(shop, stored[number]) for number in wished))
        applied_at = await _unlink_and_kill(stack, shop, name, module, point)
    kept, mailed = await ids_of(shop), await subjects(shop)
    await _is_let_go(stack, shop, applied_at)
    # What left for the marketplace was wished before, and once; the unlink itself changed nothing there.
    asked = await writes(shop, after=begun)
    assert {write.function for write in asked} <= {ACCEPTANCE}
    done = Counter(number for write in asked if write.has_effect for number in write.orders)
    assert set(done) <= set(wished)
    assert set(done.values()) <= {1}
    there = await look_there(shop)
    assert there.shop == before.shop
    assert {number: there.orders[number] for number in left_alone} == {
        number: before.orders[number] for number in left_alone
    }
    assert stored.items() <= kept.items()
    assert set(Counter(mailed).values()) <= {1}
    if form(short=False, whole=True):
        await _is_linked_again(shop, kept, mailed, begun)


async def _unlink_and_kill(stack: FaultStack, shop: Shop, name: str, module: str, point: str) -> datetime:
    pid = stack.pid(name)
    with contextlib.ExitStack() as held:
        if form(short=True, whole=False):
            # Its leases end with it, in place of a minute later.
            stack.switches.hold(name)
            held.callback(stack.switches.release, name)
        armed = stack.switches.arm(module, point)
        location = await unlink(shop)
        await asyncio.to_thread(stack.switches.await_reached, armed, 90.0)
        if form(short=True, whole=False):
            await stack.expire_leases()
    await asyncio.to_thread(stack.await_back, name, pid)
    return await await_applied(shop, location)


async def _is_let_go(stack: FaultStack, shop: Shop, applied_at: datetime) -> None:
    """Check that all is erased, that nobody calls for the account any more, and that nothing changes there."""
    shown = (await shop.hanro.call("GET", f"/v1/accounts/{shop.account_id}")).json()
    assert (shown["state"], shown["epoch"]) == ("unlinked", 1)
    assert not any(field["is_stored"] for field in shown["credentials"]["fields"])
    assert await left_over(stack, shop) == Counter()
    # What the marketplace itself does with accepted orders is over then.
    await advance(stack, shop, PROCESSING_SECONDS)
    mailed, state = await subjects(shop), await digest(shop)
    await asyncio.sleep(CALM_SECONDS)
    assert await digest(shop) == state
    assert await subjects(shop) == mailed
    assert [call.path for call in await calls(shop, path="/es/") if call.at > applied_at] == []


async def _is_linked_again(shop: Shop, kept: dict[str, str], mailed: list[str], begun: int) -> None:
    """Check that the shop works again under its next epoch, that its orders are the same, and that nothing old goes."""
    asked = await writes(shop, after=begun)
    assert (await link_again(shop))["epoch"] == 1
    (fresh,) = await shop.place(1, is_plain=True)
    found = await await_listed(shop, set((await look_there(shop)).orders))
    assert kept.items() <= found.items()
    await accept(shop, found[fresh])
    async with asyncio.timeout(60):
        while len(await subjects(shop)) == len(mailed) or len(await writes(shop, after=begun)) == len(asked):
            await asyncio.sleep(0.5)
    await asyncio.sleep(CALM_SECONDS)
    assert [subject.split()[-1] for subject in (await subjects(shop))[len(mailed) :]] == [fresh]
    assert [write.orders for write in (await writes(shop, after=begun))[len(asked) :]] == [(fresh,)]
