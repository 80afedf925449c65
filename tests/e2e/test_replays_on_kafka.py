"""A replay over REST on the real broker: the same bytes under the same ids, in the order of each order's life."""

import secrets
from collections.abc import Iterable
from typing import Any

from sellers import open_sellers

from hanro_local.demo.api import until
from hanro_local.demo.checker.log import Event, read_all
from hanro_local.stack import Stack

SECONDS = 30.0
ORDERS = "hanro.orders"


def by_order(events: Iterable[Event]) -> dict[str, list[tuple[str, bytes]]]:
    """Give id and bytes of each event, by order, as they came first: a relay may send one twice."""
    found: dict[str, dict[str, bytes]] = {}
    for event in events:
        found.setdefault(event.key, {}).setdefault(event.id, event.value)
    return {key: list(one.items()) for key, one in found.items()}


async def test_what_was_told_of_orders_is_told_again_to_a_topic_of_its_asker(shared_stack: Stack) -> None:
    topic = f"hanro.replay.{secrets.token_hex(4)}"
    async with open_sellers(shared_stack, "再送の店") as sellers:
        seller = sellers["再送の店"]
        await seller.begin()
        hanro, number = seller.doors.hanro, await seller.sell()
        told: set[str] = set()

        async def is_told() -> bool:
            after, told_of = 0, set[str]()
            while True:
                page = (await hanro.call("GET", f"/v1/order/events?after={after}&limit=200")).json()
                if not page["items"]:
                    return number in told_of
                told.update(item["id"] for item in page["items"] if item["topic"] == ORDERS)
                told_of.update(item["data"].get("external_id", "") for item in page["items"])
                after = page["next"]

        await until(SECONDS, is_told)
        asked = await hanro.call("POST", "/v1/order/replays", {"topic": topic, "source_topic": ORDERS}, expected=(202,))
        done: dict[str, Any] = {}

        async def is_done() -> bool:
            done.update((await hanro.call("GET", asked.headers["location"])).json())
            return bool(done["status"] == "applied")

        await until(SECONDS, is_done)
    events = await read_all(shared_stack.kafka)
    live = [event for event in events if event.topic == ORDERS]
    again = [event for event in events if event.topic == topic]
    assert done["answer"]["published_count"] == len(again)
    assert {event.id for event in again} >= told
    first, second = by_order(live), by_order(again)
    assert {key: first[key][: len(found)] for key, found in second.items()} == second
