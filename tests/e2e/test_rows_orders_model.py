"""What an order says, on its way through the whole stack: amounts, holds, addresses, and a return."""

import json
from typing import Any

import pytest
from running_stack import Doors, Linked, doors
from test_one_order import became, stored
from test_rows_orders_shipping import place_of

from hanro_local.demo import marketplace
from hanro_local.demo.api import until
from hanro_local.stack import Stack

SECONDS = 40.0
OPEN = -9999
UNDECIDED = {"postagePrice": OPEN, "totalPrice": OPEN, "requestPrice": OPEN}
SHIPPED, CANCELLED = 600, 900
SETTLED = "2026-06-03T09:00:00+0900"


async def placed(opened: Doors, linked: Linked, wish: dict[str, Any]) -> dict[str, Any]:
    """Let a buyer order, and give the order once hanro shows it."""
    path = f"/_sim/shops/{linked.shop.number}/orders"
    number = (await opened.simulator.call("POST", path, wish)).json()["external_ids"][0]
    found = await stored(opened.hanro, linked.account.account_id, number)
    return await shown(opened, found["id"])


async def shown(opened: Doors, order_id: str) -> dict[str, Any]:
    """Show an order."""
    found: dict[str, Any] = (await opened.hanro.call("GET", f"/v1/orders/{order_id}")).json()
    return found


async def moved(opened: Doors, order: dict[str, Any]) -> dict[str, Any]:
    """Wait until hanro knows a newer version of an order, and give it."""
    found: dict[str, Any] = {}

    async def is_newer() -> bool:
        found.update(await shown(opened, order["id"]))
        return bool(found["version"] > order["version"])

    await until(SECONDS, is_newer)
    return found


@pytest.mark.row("O8", kind="walks")
@pytest.mark.row("O8", kind="refuses")
@pytest.mark.row("JP4", kind="walks")
@pytest.mark.row("JP4", kind="refuses")
async def test_an_order_with_open_postage_waits_with_its_reason_until_the_amount_is_fixed(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        order = await placed(opened, linked, {"is_plain": True, "raw": UNDECIDED})
        assert order["holds"] == ["amount"]
        assert order["hold_reasons"][0]["code"] == "amount"
        for name in ("postage", "total", "payable"):
            assert order["totals"][name] == {"text": "-9999", "amount": None, "currency": None}
        assert order["summed_totals"] == {}
        refused = await opened.hanro.call("POST", f"/v1/orders/{order['id']}:accept", expected=(409,))
        assert refused.json()["code"] == "order-held"
        assert order["hold_reasons"][0]["ja"] in refused.json()["remedy"]["ja"]
        await opened.simulator.call("POST", f"{place_of(linked, order['external_id'])}/mend")
        fixed = await moved(opened, order)
        assert (fixed["holds"], fixed["hold_reasons"]) == ([], [])
        there = (await opened.simulator.call("GET", place_of(linked, order["external_id"]))).json()["tree"]
        assert fixed["totals"]["total"]["amount"] == str(there["totalPrice"])


@pytest.mark.row("O9", kind="walks")
@pytest.mark.row("P21", kind="walks")
async def test_every_amount_is_the_marketplaces_own_and_so_are_the_orders_bytes(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        order = await placed(opened, linked, {})
        there = (await opened.simulator.call("GET", place_of(linked, order["external_id"]))).json()["tree"]
        names = {"goods": "goodsPrice", "postage": "postagePrice", "total": "totalPrice", "payable": "requestPrice"}
        assert {name: order["totals"][name]["text"] for name in names} == {
            name: str(there[theirs]) for name, theirs in names.items()
        }
        rows = [(row["rate"], row["gross"]["text"], row["tax"]["text"]) for row in order["stated"]["taxes"]]
        assert rows == [
            (str(row["taxRate"]), str(row["reqPrice"]), str(row["reqPriceTax"])) for row in there["TaxSummaryModelList"]
        ]
        assert order["stated"]["differences"] == []
        raw = await opened.hanro.call("GET", f"/v1/orders/{order['id']}/raw")
        assert json.loads(raw.content) == there


@pytest.mark.row("O9", kind="refuses")
@pytest.mark.row("P21", kind="refuses")
async def test_a_sum_that_does_not_add_up_is_reported_and_stands(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        order = await placed(opened, linked, {"is_plain": True, "raw": {"totalPrice": 1}})
        assert order["totals"]["total"] == {"text": "1", "amount": "1", "currency": "JPY"}
        (difference,) = [one for one in order["stated"]["differences"] if one["rule"] == "totalPrice"]
        assert difference["stated"] == {"amount": "1", "currency": "JPY"}
        assert int(difference["computed"]["amount"]) > 1
        assert order["summed_totals"] == {}


@pytest.mark.row("P22", kind="walks")
@pytest.mark.row("P22", kind="refuses")
async def test_an_address_of_255_characters_is_stored_whole_and_the_limit_stands_where_a_text_goes_out(
    shared_stack: Stack, linked: Linked
) -> None:
    streets = {"kanji": "渡邉﨑髙" * 63 + "見本町", "latin": ("Sample Street 1-2-3, " * 13)[:255]}
    async with doors(shared_stack) as opened:
        for street in streets.values():
            assert len(street) == 255
            wish = {"is_plain": True, "raw": {"/PackageModelList/0/SenderModel/subAddress": street}}
            order = await placed(opened, linked, wish | {"buyer": {"subAddress": street}})
            assert street in "".join(order["personal"]["buyer"]["address"]["lines"])
            assert street in "".join(order["personal"]["packages"][0]["address"]["lines"])
        body = {"reason": "other", "comment": "あ" * 401}
        refused = await opened.hanro.call("POST", f"/v1/orders/{order['id']}:cancel", body, expected=(422,))
        assert [one["pointer"] for one in refused.json()["errors"]] == ["/comment"]
        assert "400" in refused.json()["errors"][0]["detail"]


@pytest.mark.row("O22", kind="walks")
async def test_a_return_is_told_as_the_marketplace_reports_it(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        order = await placed(opened, linked, {"is_plain": True, "progress": SHIPPED, "lines": [{"units": 2}]})
        assert [(line["status"], line["shipped_quantity"]) for line in order["lines"]] == [("shipped", 2)]
        returned = {
            "changeId": 800000077,
            "changeType": 2,
            "changeTypeDetail": None,
            "changeReason": 1,
            "changeReasonDetail": 2,
            "changeApplyDatetime": SETTLED,
            "changeFixDatetime": SETTLED,
            "changeCmplDatetime": SETTLED,
        }
        change = {"progress": CANCELLED, "raw": {"ChangeReasonModelList": [returned]}}
        await opened.simulator.call("POST", f"{place_of(linked, order['external_id'])}/set", change)
        after = await became(opened.hanro, f"/v1/orders/{order['id']}", "status", "cancelled")
        claims = [(one["kind"], one["stage"], one["by"]) for one in after["claims"]]
        assert claims == [("cancel", "done", "buyer")]
        assert after["stated"]["claims"][0]["completed"]["local"] == SETTLED
        assert after["personal"]["claims"] == [{"external_id": "800000077", "reason": "受取後の返品"}]
        # What left the house stays counted as such: stock does not come back by itself.
        (line,) = after["lines"]
        assert (line["shipped_quantity"], line["cancelled_quantity"], line["open_quantity"]) == (2, 2, 0)
        held = await opened.hanro.call("GET", f"/v1/reservations?order_id={order['id']}")
        assert [one["reserved"] for one in held.json()["items"]] in ([], [0])


@pytest.mark.row("O22", kind="refuses")
async def test_units_that_no_order_has_cannot_be_returned(shared_stack: Stack, linked: Linked) -> None:
    async with doors(shared_stack) as opened:
        number = (await marketplace.place(opened.simulator, is_plain=True))[0]
        order = await stored(opened.hanro, linked.account.account_id, number)
        line = order["lines"][0]
        body = {"lines": [{"line_id": line["id"], "quantity": line["quantity"] + 1}], "reason": "returned"}
        refused = await opened.hanro.call("POST", f"/v1/orders/{order['id']}:cancel", body, expected=(409,))
        assert refused.json()["code"] == "too-many-units"
