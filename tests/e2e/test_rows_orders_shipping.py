"""Parcels on their way: asked for over REST or by file, registered once at the marketplace, told of as shipped."""

import re
from typing import Any

import httpx
import pytest
from running_stack import Doors, Linked, doors
from test_one_order import became, stored, told_of

from hanro_local.demo import marketplace
from hanro_local.demo.api import until
from hanro_local.stack import Stack

SECONDS = 40.0
READY = 300
SHIPPING = "/es/2.0/order/updateOrderShipping"
NUMBER = "123456789012"


async def ready(opened: Doors, linked: Linked) -> dict[str, Any]:
    """Let a buyer order, the marketplace finish with it, and hanro see that."""
    number = (await marketplace.place(opened.simulator, is_plain=True))[0]
    await opened.simulator.call("POST", f"{place_of(linked, number)}/set", {"progress": READY})
    order = await stored(opened.hanro, linked.account.account_id, number)
    return await became(opened.hanro, f"/v1/orders/{order['id']}", "status", "ready")


def place_of(linked: Linked, number: str) -> str:
    return f"/_sim/shops/{linked.shop.number}/orders/{number}"


async def ask(opened: Doors, order: dict[str, Any], number: str, *, expected: int = 202) -> dict[str, Any]:
    """Ask for a parcel of an order."""
    answer = await opened.hanro.call(
        "POST",
        f"/v1/orders/{order['id']}/shipments",
        {"carrier_code": "yamato", "tracking_number": number},
        expected=(expected,),
    )
    shown: dict[str, Any] = answer.json()
    return shown


async def rows_of(opened: Doors, linked: Linked, order: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the shipping rows that the marketplace holds of an order."""
    there = (await opened.simulator.call("GET", place_of(linked, order["external_id"]))).json()
    return [row for package in there["tree"]["PackageModelList"] for row in package["ShippingModelList"] or ()]


async def writes(opened: Doors, order: dict[str, Any]) -> int:
    """Count the requests that could have registered a parcel of an order."""
    page = (await opened.simulator.call("GET", f"/_sim/journal?kind=request&path={SHIPPING}&limit=10000")).json()
    return sum(order["external_id"] in str(entry) for entry in page["entries"])


@pytest.mark.row("O11", kind="walks")
@pytest.mark.row("P23", kind="walks")
async def test_a_parcel_is_registered_once_and_the_order_is_told_as_shipped(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        order = await ready(opened, linked)
        listed = await opened.hanro.call("GET", f"/v1/carriers?account_id={linked.account.account_id}")
        (carrier,) = [one for one in listed.json()["items"] if one["code"] == "yamato"]
        assert re.fullmatch(carrier["number_pattern"], NUMBER)
        asked = await ask(opened, order, "1234-5678-9012")
        assert asked["tracking_url"] == carrier["tracking_url"].replace("{tracking_number}", NUMBER)
        await became(opened.hanro, f"/v1/shipments/{asked['id']}", "state", "registered")
        (row,) = await rows_of(opened, linked, order)
        assert (row["deliveryCompany"], row["shippingNumber"]) == ("1001", NUMBER)
        assert row["shippingDate"] == asked["shipped_on"]
        assert await writes(opened, order) == 1
        shown = await became(opened.hanro, f"/v1/orders/{order['id']}", "work_state", "shipped")
        # Their own status moves at night.
        assert (shown["status"], "shipped" in shown["milestones"]) == ("ready", True)

        async def is_told() -> bool:
            return any(one.type == "hanro.order.shipped.v1" for one in await told_of(shared_stack.kafka, order["id"]))

        await until(SECONDS, is_told)
    types = [event.type for event in await told_of(shared_stack.kafka, order["id"])]
    assert types.count("hanro.order.shipped.v1") == 1


@pytest.mark.row("O11", kind="refuses")
@pytest.mark.row("P23", kind="refuses")
async def test_a_number_that_no_carrier_gives_never_reaches_the_marketplace(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        order = await ready(opened, linked)
        for parcel, code, field in (
            ({"carrier_code": "yamato", "tracking_number": "12"}, "number-malformed", "/tracking_number"),
            ({"carrier_code": "伝書鳩", "tracking_number": NUMBER}, "carrier-unsupported", "/carrier_code"),
            ({"tracking_number": NUMBER}, "carrier-needed", "/carrier_code"),
        ):
            path = f"/v1/orders/{order['id']}/shipments"
            refused = (await opened.hanro.call("POST", path, parcel, expected=(409,))).json()
            assert (refused["code"], [one["pointer"] for one in refused["errors"]]) == (code, [field])
        assert await writes(opened, order) == 0


@pytest.mark.fault
async def test_an_answer_that_is_lost_after_the_row_was_written_leaves_one_row(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        order = await ready(opened, linked)
        dial = {"kind": "reset-after", "match": {"path": SHIPPING}, "count": 1}
        dial_id = (await opened.simulator.call("POST", "/_sim/faults", dial)).json()["id"]
        asked = await ask(opened, order, NUMBER)
        await became(opened.hanro, f"/v1/shipments/{asked['id']}", "state", "registered")
        await opened.simulator.call("DELETE", f"/_sim/faults/{dial_id}")
        assert [row["shippingNumber"] for row in await rows_of(opened, linked, order)] == [NUMBER]
        assert await writes(opened, order) == 1


@pytest.mark.row("P13", kind="walks")
@pytest.mark.row("P13", kind="refuses")
@pytest.mark.row("O10", kind="refuses")
async def test_no_parcel_is_registered_for_a_cancelled_order(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        order = await ready(opened, linked)
        await marketplace.cancel(opened.simulator, order["external_id"])
        await became(opened.hanro, f"/v1/orders/{order['id']}", "status", "cancelled")
        refused = await ask(opened, order, NUMBER, expected=409)
        assert refused["code"] == "order-cancelled"
        assert refused["remedy"]["ja"]
        assert await writes(opened, order) == 0


@pytest.mark.row("O19", kind="walks")
@pytest.mark.row("O19", kind="refuses")
async def test_a_carriers_file_registers_the_parcels_of_its_rows(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        orders = [await ready(opened, linked) for _ in range(2)]
        numbers = [f"12345678901{place}" for place in range(2)]
        lines = [f"{order['external_id']},{number}" for order, number in zip(orders, numbers, strict=True)]
        wrong = [f"{orders[0]['external_id']},12", "999001-20200101-0000000001,123456789015"]
        content = "\r\n".join(["お客様管理番号,伝票番号", *lines, *wrong, ""]).encode("cp932")
        dry = await bring(opened, linked, content, is_dry_run="true")
        assert (dry.json()["row_count"], dry.json()["refused_count"]) == (4, 2)
        for order in orders:
            assert (await opened.hanro.call("GET", f"/v1/orders/{order['id']}/shipments")).json()["items"] == []
        made = await bring(opened, linked, content)
        assert (made.status_code, made.json()["refused_count"]) == (201, 2)
        rows = (await opened.hanro.call("GET", f"{made.headers['location']}/rows")).json()["items"]
        assert [row["code"] for row in rows] == [None, None, "number-malformed", "order-unknown"]
        told = [(row["number"], row["column_name"]) for row in rows[2:]]
        assert told == [(4, "伝票番号"), (5, "お客様管理番号")]
        for row in rows[:2]:
            await became(opened.hanro, f"/v1/shipments/{row['shipment_id']}", "state", "registered")
        assert (await bring(opened, linked, content)).json()["is_repeat"]
        for order, number in zip(orders, numbers, strict=True):
            held = [row["shippingNumber"] for row in await rows_of(opened, linked, order)]
            assert held == [number]
            assert await writes(opened, order) == 1
        for header, code in (("何,か", "layout-unknown"), ("お客様管理番号,伝票番号,伝票番号", "column-doubled")):
            refused = await bring(opened, linked, f"{header}\r\n1,2,3\r\n".encode("cp932"))
            assert (refused.status_code, refused.json()["code"]) == (409, code)


async def bring(opened: Doors, linked: Linked, content: bytes, **said: str) -> httpx.Response:
    """Upload a file of parcels."""
    return await opened.hanro.client.post(
        f"{opened.hanro.base}/v1/order/shipment-imports",
        params={"account_id": linked.account.account_id, **said},
        content=content,
        headers={"Authorization": f"Bearer {opened.hanro.token}", "Content-Type": "text/csv"},
    )
