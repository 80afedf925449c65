"""Rows O7, P3, P4 and P7: what cannot be read, or is mapped to nothing, is held back visibly and stops nothing else."""

import json
import secrets

import pytest
from running_stack import doors
from sandbox_shop import OFFER, SandboxShop
from test_rows_orders_finding import coverage

from hanro_local.demo.api import until

SECONDS = 60.0
# More than a page of the sandbox's search.
ORDERS = 110
SEARCH = "/v1/orders/search"
QUARANTINED, RELEASED = "hanro.order.quarantined.v1", "hanro.order.released.v1"


@pytest.mark.row("O7", kind="walks")
@pytest.mark.row("O7", kind="refuses")
@pytest.mark.row("P3", kind="walks")
@pytest.mark.row("P3", kind="refuses")
async def test_an_order_without_a_mapping_waits_with_its_cause_is_not_accepted_and_is_released_by_the_mapping(
    sandbox: SandboxShop,
) -> None:
    async with doors(sandbox.running) as opened:
        played = sandbox.at(opened)
        sku = f"SANDBOX-{secrets.token_hex(4).upper()}"
        goods = {"items": [{"code": sku, "title": "見本", "variants": [{"sku": sku, "title": "見本"}]}]}
        await opened.hanro.call("POST", "/v1/products:bulk", goods, expected=(207,))
        number = await played.buy({}, {"listing": sku.lower()})
        order = await played.order(number)
        why = order["quarantine"]
        assert (why["code"], why["line_ids"]) == ("unmapped-line", ["2"])
        assert sku.lower() in why["why"]
        assert "/v1/listings:adopt" in why["remedy"]["ja"]
        refused = await played.refused(f"/v1/orders/{order['id']}:accept")
        assert (refused["code"], refused["remedy"]) == ("order-quarantined", why["remedy"])
        raw = await opened.hanro.call("GET", f"/v1/orders/{order['id']}/raw")
        assert json.loads(raw.content)["id"] == number
        listed = f"/v1/orders?account_id={sandbox.account_id}&is_quarantined=true&has_error=true"
        assert order["id"] in [one["id"] for one in (await opened.hanro.call("GET", listed)).json()["items"]]

        await played.adopt(sku.lower(), sku)
        free = await played.order(number, quarantine=None)
        assert free["version"] > order["version"]
        kinds = [fact["type"] for fact in await played.facts(order["id"])]
        assert [kind for kind in kinds if kind in {QUARANTINED, RELEASED}] == [QUARANTINED, RELEASED]
        assert (await played.over(f"/v1/orders/{order['id']}:accept"))["status"] == "applied"


@pytest.mark.row("P4", kind="walks")
@pytest.mark.row("P4", kind="refuses")
async def test_a_bad_order_among_many_is_held_back_alone_and_the_pages_behind_it_are_read(sandbox: SandboxShop) -> None:
    async with doors(sandbox.running) as opened:
        played = sandbox.at(opened)
        bad = await played.buy(raw={"/lines/0/state": "nonsense"})
        wish = {"lines": [{**OFFER}], "count": ORDERS}
        numbers = set((await played.there("POST", "/orders", wish))["external_ids"])
        found: dict[str, str | None] = {}
        path = f"/v1/orders?account_id={sandbox.account_id}&limit=200"

        async def are_there() -> bool:
            async for one in opened.hanro.pages(path):
                why = one["quarantine"]
                found[str(one["external_id"])] = why["code"] if isinstance(why, dict) else None
            return numbers | {bad} <= set(found)

        await until(SECONDS, are_there)
        assert {number: found[number] for number in (numbers | {bad}) if found[number]} == {bad: "unknown-status"}
        held = await played.order(bad)
        assert (held["quarantine"]["code"], held["lines"]) == ("unknown-status", [])
        assert held["quarantine"]["remedy"]["ja"]
        rows = await coverage(opened.hanro, sandbox.account_id)
        assert [row["last_error"] for row in rows.values()] == [None] * len(rows)


@pytest.mark.row("P7", kind="walks")
@pytest.mark.row("P7", kind="refuses")
async def test_a_search_that_shows_the_same_page_again_stops_keeps_its_place_and_says_so(sandbox: SandboxShop) -> None:
    async with doors(sandbox.running) as opened:
        played, hanro = sandbox.at(opened), opened.hanro
        known = await played.buy()
        await played.order(known)
        page = {"orders": [await played.there("GET", f"/orders/{known}")], "next": "again"}
        match = {"path": SEARCH, "shop": sandbox.shop["id"]}
        headers = {"Content-Type": "application/json; charset=utf-8"}
        dial = {"kind": "status", "status": 200, "body": json.dumps(page), "headers": headers, "match": match}
        made = (await played.sandbox.call("POST", "/_sim/faults", dial)).json()

        async def is_stuck() -> bool:
            shown = (await coverage(hanro, sandbox.account_id))["placed"]
            return bool(shown["last_error"] and shown["last_error"]["code"] == "pagination-stuck")

        try:
            await until(SECONDS, is_stuck)
            stuck = (await coverage(hanro, sandbox.account_id))["placed"]
            # What was bought meanwhile cannot be seen, and the place behind which all is read does not pass it.
            hidden = await played.buy()
            await until(SECONDS, is_stuck)
            assert (await coverage(hanro, sandbox.account_id))["placed"]["covered_until"] == stuck["covered_until"]
            metrics = (await opened.internal["order-svc"].call("GET", "/metrics")).text
            stuck_here = [one for one in metrics.splitlines() if one.startswith("hanro_order_pagination_stuck_total{")]
            assert any('marketplace="sandbox"' in one and 'route="placed"' in one for one in stuck_here)
        finally:
            await played.sandbox.call("DELETE", f"/_sim/faults/{made['id']}")
        assert (await played.order(hidden))["external_id"] == hidden

        async def is_over() -> bool:
            return (await coverage(hanro, sandbox.account_id))["placed"]["last_error"] is None

        await until(SECONDS, is_over)
