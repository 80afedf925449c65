"""An internal system's developer's walk over orders and stock, steps 1, 3 and 5 to 8: what he may rely on."""

import secrets
from typing import Any

import pytest
from running_stack import Doors, Linked, doors
from test_one_order import became, stored, told_of
from test_rows_orders_cancelling import cancelled, five_ready, tree_of
from test_rows_orders_shipping import NUMBER, ask, place_of, ready, writes

from hanro_local.demo import marketplace, tokens
from hanro_local.demo.api import Api, until
from hanro_local.demo.checker.log import Event, read_all
from hanro_local.stack import Stack

SECONDS = 40.0
ORDERS = "hanro.orders"
BUYER = {"familyName": "架空寺", "firstName": "読美", "phoneNumber2": "7391", "phoneNumber3": "5826"}
# Four digits alone also stand in an instant or in an id by chance: they tell of the buyer as a whole value, or joined.
OF_BUYER = (BUYER["familyName"], BUYER["firstName"], "'7391'", "'5826'", "7391-5826", "73915826")


async def facts(hanro: Api) -> list[dict[str, Any]]:
    """Read the facts of orders over REST, from the first one on."""
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        page = (await hanro.call("GET", f"/v1/order/events?after={after}&limit=200")).json()
        if not page["items"]:
            return found
        found += [one for one in page["items"] if one["topic"] == ORDERS]
        after = page["next"]


@pytest.mark.row("X2", kind="walks")
async def test_step_1_a_shipment_with_a_token_that_may_only_read_is_refused_by_the_scopes_name(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        order = await ready(opened, linked)
        reader = Api(opened.hanro.client, opened.hanro.base, tokens.mint(shared_stack.state, ("orders:read",)))
        path = f"/v1/orders/{order['id']}"
        assert (await reader.call("GET", path)).json()["personal"] is None
        parcel = {"carrier_code": "yamato", "tracking_number": NUMBER}
        refused = await reader.call("POST", f"{path}/shipments", parcel, expected=(403,))
        assert refused.headers["content-type"] == "application/problem+json"
        assert (refused.json()["code"], refused.json()["status"]) == ("scope-missing", 403)
        assert "orders:write" in refused.json()["detail"]
        assert 'scope="orders:write"' in refused.headers["www-authenticate"]
        assert (await opened.hanro.call("GET", f"{path}/shipments")).json()["items"] == []
        assert await writes(opened, order) == 0


@pytest.mark.row("X3", kind="walks")
@pytest.mark.row("X3", kind="refuses")
async def test_step_3_an_adjustment_that_is_sent_twice_moves_stock_once_and_another_under_its_key_is_refused(
    shared_stack: Stack,
) -> None:
    async with doors(shared_stack) as opened:
        sku = f"WALK-{secrets.token_hex(4).upper()}"
        product = {"code": sku, "title": "見本の品", "variants": [{"sku": sku, "title": "見本の品"}]}
        await opened.hanro.call("POST", "/v1/products:bulk", {"items": [product]}, expected=(207,))
        path, key = f"/v1/stock/{sku}/movements", {"Idempotency-Key": secrets.token_hex(8)}
        movement = {"delta": 5, "cause": "returned", "note": "返品"}
        first = await opened.hanro.call("POST", path, movement, more=key)
        again = await opened.hanro.call("POST", path, movement, more=key)
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
        other = await opened.hanro.call("POST", path, movement | {"delta": 6}, more=key, expected=(422,))
        assert other.json()["code"] == "idempotency-key-reused"
        moved = (await opened.hanro.call("GET", path)).json()["items"]
        assert [(one["delta"], one["on_hand_after"]) for one in moved] == [(5, 5)]


@pytest.mark.row("X6", kind="walks")
async def test_step_5_kafka_and_rest_tell_the_same_facts_without_a_buyer_and_the_order_is_as_new_as_they(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        wish = {"is_plain": True, "buyer": BUYER}
        path = f"/_sim/shops/{linked.shop.number}/orders"
        number = (await opened.simulator.call("POST", path, wish)).json()["external_ids"][0]
        order = await stored(opened.hanro, linked.account.account_id, number)
        listed: list[dict[str, Any]] = []
        held: list[Event] = []

        async def is_told() -> bool:
            listed[:] = await facts(opened.hanro)
            held[:] = [event for event in await read_all(shared_stack.kafka) if event.topic == ORDERS]
            ids = {event.id for event in held}
            return any(one["subject"] == order["id"] for one in listed) and {one["id"] for one in listed} <= ids

        await until(SECONDS, is_told)
        # What was told between the two looks; a record of an order that is none was put there by nobody here.
        listed = await facts(opened.hanro)
        subjects = {one["subject"] for one in listed}
        by_id = {one["id"]: one for one in listed}
        for event in held:
            if event.key in subjects:
                assert (by_id[event.id]["type"], by_id[event.id]["data"]) == (event.type, event.data)
        mine = [event for event in held if event.key == order["id"]]
        said = f"{[event.data for event in mine]} {[one for one in listed if one['subject'] == order['id']]}"
        assert number in said
        assert not [secret for secret in OF_BUYER if secret in said]
        shown = (await opened.hanro.call("GET", f"/v1/orders/{order['id']}")).json()
        assert BUYER["familyName"] in str(shown["personal"])
        assert shown["version"] >= max(event.data["version"] for event in mine)


@pytest.mark.row("O14", kind="walks")
async def test_step_6_what_erp_acknowledged_wms_still_sees(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        order = await ready(opened, linked)

        async def is_acknowledged() -> bool:
            shown = (await opened.hanro.call("GET", f"/v1/orders/{order['id']}")).json()
            dealt_with = {"items": [{"order_id": order["id"], "version": shown["version"]}]}
            answer = await opened.hanro.call("POST", "/v1/consumers/erp/acks", dealt_with, expected=(207,))
            return bool(answer.json()["items"][0]["status"] == "acknowledged")

        # It comes back when it changes meanwhile.
        await until(SECONDS, is_acknowledged)
        seen = {name: await unacknowledged(opened, linked, order, name) for name in ("erp", "wms")}
    assert seen == {"erp": [], "wms": [order["id"]]}


async def unacknowledged(opened: Doors, linked: Linked, order: dict[str, Any], name: str) -> list[str]:
    """Give what a system is shown of an order while it has not dealt with it."""
    one = f"account_id={linked.account.account_id}&external_id={order['external_id']}"
    shown = (await opened.hanro.call("GET", f"/v1/orders?{one}&unacknowledged_by={name}")).json()
    return [found["id"] for found in shown["items"]]


@pytest.mark.row("O10", kind="walks")
@pytest.mark.row("P14", kind="walks")
async def test_step_7_three_units_of_five_are_cancelled_and_two_stay_reserved(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        order = await five_ready(opened, linked)
        held = f"/v1/reservations?order_id={order['id']}"

        async def are_reserved(count: int) -> bool:
            lines = (await opened.hanro.call("GET", held)).json()["items"]
            return [(one["wanted"], one["reserved"]) for one in lines] == [(count, count)]

        await until(SECONDS, lambda: are_reserved(5))
        body = {"lines": [{"line_id": order["lines"][0]["id"], "quantity": 3}], "reason": "out_of_stock"}
        operation = await cancelled(opened, order, body)
        assert operation["status"] == "applied", operation["failure"]
        await until(SECONDS, lambda: are_reserved(2))
        there = await tree_of(opened, linked, order)
        # A changed amount waits for its authorisation there: which status that is is the marketplace's matter.
        shown = (await opened.hanro.call("GET", f"/v1/orders/{order['id']}")).json()
        assert [one["open_quantity"] for one in shown["lines"]] == [2]
        assert shown["totals"]["total"]["amount"] == str(there["totalPrice"])


@pytest.mark.row("P13", kind="walks")
@pytest.mark.row("O10", kind="refuses")
async def test_step_8_a_cancelled_order_is_not_shipped(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        order = await ready(opened, linked)
        await marketplace.cancel(opened.simulator, order["external_id"])
        await became(opened.hanro, f"/v1/orders/{order['id']}", "status", "cancelled")
        refused = await ask(opened, order, NUMBER, expected=409)
        assert refused["code"] == "order-cancelled"
        assert await writes(opened, order) == 0
        there = (await opened.simulator.call("GET", place_of(linked, order["external_id"]))).json()
        assert not any(package["ShippingModelList"] for package in there["tree"]["PackageModelList"])
    types = [event.type for event in await told_of(shared_stack.kafka, order["id"])]
    assert "hanro.order.shipped.v1" not in types
