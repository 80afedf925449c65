"""Cancellations on their way: a whole order, units of a line, and a dated parcel that stands in the way."""

from typing import Any

import pytest
from running_stack import Doors, Linked, doors
from test_one_order import became, stored
from test_rows_orders_shipping import NUMBER, READY, ask, place_of, ready

from hanro_local.demo.api import until
from hanro_local.stack import Stack

SECONDS = 40.0
CANCELLED = 900


async def cancelled(opened: Doors, order: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Ask for a cancellation, and give its operation once it is over."""
    answer = await opened.hanro.call("POST", f"/v1/orders/{order['id']}:cancel", body, expected=(202,))
    operation: dict[str, Any] = {}

    async def is_over() -> bool:
        operation.update((await opened.hanro.call("GET", answer.headers["location"])).json())
        return operation["status"] in {"applied", "rejected"}

    await until(SECONDS, is_over)
    return operation


async def five_ready(opened: Doors, linked: Linked) -> dict[str, Any]:
    """Give an order of five units of one thing that waits to be shipped."""
    wish = {"is_plain": True, "progress": READY, "lines": [{"units": 5}]}
    path = f"/_sim/shops/{linked.shop.number}/orders"
    number = (await opened.simulator.call("POST", path, wish)).json()["external_ids"][0]
    order = await stored(opened.hanro, linked.account.account_id, number)
    return await became(opened.hanro, f"/v1/orders/{order['id']}", "status", "ready")


async def tree_of(opened: Doors, linked: Linked, order: dict[str, Any]) -> dict[str, Any]:
    """Give an order as the marketplace holds it."""
    there = (await opened.simulator.call("GET", place_of(linked, order["external_id"]))).json()
    tree: dict[str, Any] = there["tree"]
    return tree


@pytest.mark.row("O10", kind="walks")
async def test_an_order_is_cancelled_at_the_marketplace_and_shows_it(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        order = await ready(opened, linked)
        operation = await cancelled(opened, order, {"reason": "out_of_stock", "restock": False})
        assert operation["status"] == "applied", operation["failure"]
        assert (await tree_of(opened, linked, order))["orderProgress"] in {800, CANCELLED}

        async def is_seen() -> bool:
            shown = (await opened.hanro.call("GET", f"/v1/orders/{order['id']}")).json()
            return shown["status"] in {"cancelling", "cancelled"}

        await until(SECONDS, is_seen)
        refused = await ask(opened, order, NUMBER, expected=409)
        assert refused["code"] == "order-cancelled"


@pytest.mark.row("O10", kind="walks")
async def test_a_dated_parcel_loses_its_day_before_its_order_is_cancelled(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        order = await ready(opened, linked)
        parcel = await ask(opened, order, NUMBER)
        await became(opened.hanro, f"/v1/shipments/{parcel['id']}", "state", "registered")
        refused = await cancelled(opened, order, {"reason": "buyer_wish"})
        assert (refused["status"], refused["failure"]["code"]) == ("rejected", "parcel-dated")
        undated = await opened.hanro.call(
            "POST", f"/v1/shipments/{parcel['id']}:correct", {"shipped_on": None}, expected=(202,)
        )
        await became(opened.hanro, f"/v1/shipments/{undated.json()['id']}", "state", "registered")
        done = await cancelled(opened, order, {"reason": "buyer_wish"})
        assert done["status"] == "applied", done["failure"]


@pytest.mark.row("O10", kind="walks")
@pytest.mark.row("P14", kind="walks")
async def test_units_of_a_line_are_cancelled_and_lines_totals_and_stock_follow(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        order = await five_ready(opened, linked)
        line = order["lines"][0]
        body = {"lines": [{"line_id": line["id"], "quantity": 3}], "reason": "out_of_stock"}
        operation = await cancelled(opened, order, body)
        assert operation["status"] == "applied", operation["failure"]
        shown: dict[str, Any] = {}

        async def is_seen() -> bool:
            shown.update((await opened.hanro.call("GET", f"/v1/orders/{order['id']}")).json())
            return [one["quantity"] for one in shown["lines"]] == [2]

        await until(SECONDS, is_seen)
        tree = await tree_of(opened, linked, order)
        assert shown["totals"]["total"]["amount"] == str(tree["totalPrice"])
