"""One order on its way: bought, stored, reserved, mailed, accepted over REST, and told of as confirmed."""

from typing import Any

import pytest
from running_stack import Linked, doors

from hanro_local.demo import marketplace
from hanro_local.demo.api import Api, until
from hanro_local.demo.checker.log import Event, read_all
from hanro_local.stack import Stack

SECONDS = 30.0
WAITING_FOR_SHIPMENT = 300


async def stored(hanro: Api, account_id: str, number: str) -> dict[str, Any]:
    """Wait until hanro lists an order, and give it."""
    found: dict[str, Any] = {}

    async def is_there() -> bool:
        listed = await hanro.call("GET", f"/v1/orders?account_id={account_id}&limit=200")
        found.update(next((one for one in listed.json()["items"] if one["external_id"] == number), {}))
        return bool(found)

    await until(SECONDS, is_there)
    return found


async def became(hanro: Api, path: str, name: str, wanted: str) -> dict[str, Any]:
    """Wait until a member of what stands at a path has a value, and give the whole."""
    found: dict[str, Any] = {}

    async def is_so() -> bool:
        found.update((await hanro.call("GET", path)).json())
        return bool(found[name] == wanted)

    await until(SECONDS, is_so)
    return found


async def told_of(bootstrap: str, order_id: str) -> list[Event]:
    """Read what Kafka holds of an order, in its order."""
    return [event for event in await read_all(bootstrap) if event.key == order_id]


@pytest.mark.row("O4", kind="walks")
async def test_an_order_is_accepted_at_the_marketplace_and_told_of_as_confirmed_once(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        number = (await marketplace.place(opened.simulator, is_plain=True))[0]
        order = await stored(opened.hanro, linked.account.account_id, number)
        path = f"/v1/orders/{order['id']}"

        # The second ask while the first is under way is given the same operation: accepting cannot be undone.
        asked = await opened.hanro.call("POST", f"{path}:accept", expected=(202,))
        again = await opened.hanro.call("POST", f"{path}:accept", expected=(202, 409))
        operation = await became(opened.hanro, asked.headers["location"], "status", "applied")
        assert again.status_code == 409 or again.json()["id"] == operation["id"]

        await became(opened.hanro, path, "status", "accepted")
        there = (await opened.simulator.call("GET", f"/_sim/shops/{linked.shop.number}/orders/{number}")).json()
        # 100 is what waits for the shop; confirming moves it on.
        assert there["tree"]["orderProgress"] != 100

        async def is_told() -> bool:
            return any(
                event.type == "hanro.order.confirmed.v1" for event in await told_of(shared_stack.kafka, order["id"])
            )

        await until(SECONDS, is_told)
    types = [event.type for event in await told_of(shared_stack.kafka, order["id"])]
    assert types.count("hanro.order.placed.v1") == 1
    assert types.count("hanro.order.confirmed.v1") == 1


async def test_an_order_is_reserved_and_mailed_once(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        number = (await marketplace.place(opened.simulator, is_plain=True))[0]
        order = await stored(opened.hanro, linked.account.account_id, number)
        held: list[dict[str, Any]] = []
        sent: list[dict[str, Any]] = []

        async def is_done() -> bool:
            held[:] = (await opened.hanro.call("GET", f"/v1/reservations?order_id={order['id']}")).json()["items"]
            sent[:] = (await opened.hanro.call("GET", f"/v1/messages?order_id={order['id']}")).json()["items"]
            return bool(held and sent and sent[0]["state"] == "handed_over")

        await until(SECONDS, is_done)
        mails = (await opened.simulator.call("GET", "/_sim/mails?limit=200")).json()
    assert [(one["wanted"], one["reserved"]) for one in held] == [(held[0]["wanted"], held[0]["wanted"])]
    assert len(sent) == 1
    assert sum(number in str(mail) for mail in mails["mails"]) == 1
