"""Rows O11, O20 and O22 where single lines and units count: a later day, parcels of a part, an exchange."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from running_stack import doors
from sandbox_shop import SandboxShop
from test_one_order import became

NUMBERS = ("123456789012", "123456789013")
ANSWER, SHIP = "/v1/orders/answer", "/v1/orders/ship"


@pytest.mark.row("O11", kind="walks")
@pytest.mark.row("O11", kind="refuses")
@pytest.mark.row("O20", kind="walks")
@pytest.mark.row("O22", kind="walks")
async def test_a_line_is_announced_as_late_then_shipped_in_two_parcels_and_exchanged(sandbox: SandboxShop) -> None:
    async with doors(sandbox.running) as opened:
        played, hanro = sandbox.at(opened), opened.hanro
        number = await played.buy({"quantity": 3}, {"quantity": 1}, state="ready")
        order = await played.order(number, status="ready")
        first, path = order["lines"][0]["id"], f"/v1/orders/{order['id']}"
        later = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
        late = {"line_ids": [first], "ships_on": later, "reason": "preparing", "note": "入荷を待っています"}
        assert (await played.over(f"{path}:announce-delay", late))["status"] == "applied"
        there = await played.there("GET", f"/orders/{number}")
        assert [line["ship_by"] == later for line in there["lines"]] == [True, False]

        parcel = {"carrier_code": "sagawa", "tracking_number": NUMBERS[0]}
        part = parcel | {"lines": [{"line_id": first, "quantity": 2}]}
        rest = parcel | {"tracking_number": NUMBERS[1]}
        asked = [(await hanro.call("POST", f"{path}/shipments", one)).json() for one in (part, rest)]
        assert (await played.refused(f"{path}/shipments", rest))["code"] == "nothing-left"
        for one in asked:
            await became(hanro, f"/v1/shipments/{one['id']}", "state", "registered")
        shipped = await played.order(number, status="shipped", work_state="shipped")
        assert [line["shipped_quantity"] for line in shipped["lines"]] == [3, 1]
        there = await played.there("GET", f"/orders/{number}")
        assert _parcels(there) == {NUMBERS[0]: {"1": 2}, NUMBERS[1]: {"1": 1, "2": 1}}

        await played.there("POST", f"/orders/{number}/request-exchange", {"line": "2", "quantity": 1})
        (claim,) = (await played.order(number, holds=["claim"]))["claims"]
        assert (claim["kind"], claim["stage"]) == ("exchange", "requested")
        said = {"claim_id": claim["external_id"], "answer": "accept"}
        assert (await played.over(f"{path}:answer", said))["status"] == "applied"
        there = await played.there("GET", f"/orders/{number}")
        assert [one["stage"] for one in there["claims"]] == ["running"]
        assert await played.writes(number) == [ANSWER, SHIP, SHIP, ANSWER]


def _parcels(there: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Give units by line of each parcel that the marketplace holds, by its number."""
    held = [one for package in there["packages"] for one in package["parcels"]]
    return {one["number"]: {part["line"]: part["quantity"] for part in one["lines"]} for one in held}
