"""Lets pages move while they are read: fault 22."""

from datetime import timedelta

import pytest
from fault_checks import judge, look, quiet
from fault_forms import form
from fault_journal import advance
from fault_routes import read_since, services_now
from fault_shop import Shop
from fault_stack import FaultStack

from hanro_local.demo.api import until

pytestmark = pytest.mark.fault
SECONDS = 60.0
# A search shows a thousand orders a page, a read a hundred.
MANY = form(short=150, whole=1_050)


async def test_pages_that_move_while_they_are_read_lose_and_double_no_order(stack: FaultStack, shop: Shop) -> None:
    await stack.rest_accounts(shop.account_id)
    # Nobody's letters are at stake, and a thousand would hold up the next test.
    await shop.hanro.call("DELETE", f"/v1/bindings/{shop.account_id}/new_order")
    numbers = await shop.place(MANY, is_plain=True)
    begun = await services_now(stack)
    await stack.wake_account(shop.account_id)
    moves = 0

    async def is_read() -> bool:
        nonlocal moves
        # One comes at the end, two leave the search by states at its beginning, and time goes on.
        await shop.place(1, is_plain=True)
        for number in numbers[2 * moves : 2 * moves + 2]:
            await shop.cancel(number)
        await advance(stack, shop, 1)
        moves += 1
        return await read_since(stack, shop) > begun + timedelta(seconds=1)

    await until(4 * SECONDS, is_read)
    assert moves > 1
    assert await quiet(stack, shop, 2 * SECONDS, is_mail_awaited=False) == ""
    seen = await look(stack, shop)
    assert {order["external_id"] for order in seen.orders} == set(seen.truth)
    assert len(seen.orders) == MANY + moves
    assert {name: cases for name, cases in judge(seen).items() if name not in {"I1", "I3"}} == {}
