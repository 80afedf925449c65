"""Takes Kafka away, or its answers: faults 11 and 13. No service is started again for it."""

import asyncio

import pytest
from fault_checks import await_stored, differences
from fault_forms import form
from fault_health import KAFKA, await_server, read_all, same_processes, statuses
from fault_proxy import Cut, is_produce
from fault_shop import Shop
from fault_stack import FaultStack

pytestmark = pytest.mark.fault
HEAL_SECONDS = 90.0


async def test_a_broker_that_is_down_is_a_metric_and_stops_neither_polling_nor_the_api(
    stack: FaultStack, shop: Shop
) -> None:
    with same_processes(stack):
        async with stack.down("kafka"):
            await shop.place(3)
            await await_stored(stack, shop, 3, 30)
            await await_server(stack, KAFKA, is_up=False)
            assert {answer.status_code for answer in await read_all(shop)} == {200}
            assert await statuses(stack, "/readyz") == {200}
            await asyncio.sleep(form(short=0.0, whole=60.0))
        await shop.place(1)
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}
        await await_server(stack, KAFKA, is_up=True)


@pytest.mark.parametrize("is_answer", [False, True], ids=["request-lost", "answer-lost"])
async def test_produce_requests_that_are_cut_lose_and_reorder_nothing(
    stack: FaultStack, shop: Shop, *, is_answer: bool
) -> None:
    with same_processes(stack):
        cut = Cut(is_produce, is_answer=is_answer, count=form(short=3, whole=20))
        stack.proxies.kafka.cut = cut
        await shop.place(3)
        assert await differences(stack, shop, seconds=HEAL_SECONDS) == {}
        assert cut.hits
