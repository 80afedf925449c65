"""Puts poison and repetitions on the topics: faults 16 and 17."""

import asyncio

import pytest
from fault_checks import Entry, Sighted, differences, judge, look, quiet
from fault_forms import form
from fault_log import Copy, all_read, read_copies, send, shuffled
from fault_shop import Shop
from fault_stack import FaultStack

pytestmark = pytest.mark.fault
READERS = ("catalog", "notifier")
DEAD_SECONDS = 60.0


async def test_poison_becomes_a_dead_letter_with_its_bytes_and_others_go_on(stack: FaultStack, shop: Shop) -> None:
    await shop.place(1)
    assert await quiet(stack, shop) == ""
    before = await look(stack, shop)
    good = (await read_copies(stack, lambda key: key == before.orders[0]["id"]))[0]
    unknown = tuple((name, b"hanro.order.imagined.v1" if name == "ce_type" else text) for name, text in good.headers)
    key = f"ord_poison_{shop.prefix}".encode()
    bytes_sent = (b"\xff\x00 no JSON", b'{"id": "ord_broken"}')
    await send(stack, [*(Copy(key, value, good.headers) for value in bytes_sent), Copy(key, b"{}", unknown)])
    await shop.place(2)
    await all_read(stack, shop, seconds=10)
    assert await differences(stack, shop) == {}
    known = {letter["id"] for letter in before.dead}
    new = [letter for letter in (await look(stack, shop)).dead if letter["id"] not in known]
    assert sorted((letter["schema"], letter["value"]) for letter in new) == sorted(
        (schema, value) for schema in READERS for value in bytes_sent
    )
    assert all(letter["cause"] for letter in new)


async def test_what_a_handlers_bug_put_aside_is_handled_by_a_redrive_after_the_mend(
    stack: FaultStack, shop: Shop
) -> None:
    known = {letter["id"] for letter in (await look(stack, shop)).dead}
    letters: list[Entry] = []
    with stack.switches.broken("handler"):
        await shop.place(2)
        async with asyncio.timeout(DEAD_SECONDS):
            while len(letters) < 2:
                await asyncio.sleep(0.2)
                letters = [letter for letter in (await look(stack, shop)).dead if letter["id"] not in known]
        assert "I1" in judge(await look(stack, shop))
    assert [(letter["schema"], letter["code"]) for letter in letters] == [("catalog", "bug")] * 2
    for letter in letters:
        answer = await shop.hanro.call("POST", f"/v1/catalog/dead-letters/{letter['id']}:redrive")
        assert answer.json()["state"] == "handled"
    assert await differences(stack, shop) == {}


async def test_every_fact_many_times_in_any_order_changes_nothing(stack: FaultStack, shop: Shop) -> None:
    numbers = await shop.place(4)
    assert await quiet(stack, shop) == ""
    await shop.cancel(numbers[0])
    assert await differences(stack, shop) == {}
    before = await look(stack, shop)
    ids = {order["id"] for order in before.orders}
    copies = await read_copies(stack, lambda key: key in ids)
    await send(stack, shuffled(copies, form(short=20, whole=100), seed=17))
    # Then the whole topic, as one who starts from the beginning would read it.
    await send(stack, await read_copies(stack, bool))
    await all_read(stack, shop)
    assert await differences(stack, shop) == {}
    assert _effects(await look(stack, shop)) == _effects(before)


def _effects(seen: Sighted) -> list[str]:
    return sorted(repr(row) for row in (*seen.reservations, *seen.stock, *seen.messages, *seen.inboxes))
