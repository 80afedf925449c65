"""Unlinks a shop with all four services: the marketplace sees no write, its orders stay; and links it again."""

from typing import Any

import pytest
from running_stack import Doors
from sellers import Seller, open_sellers

from hanro_local.demo.api import until
from hanro_local.demo.shop import WORKING, wait_for_state
from hanro_local.stack import Stack

SECONDS = 90.0
WRITES = ("confirm", "update", "cancel", "upsert", "insert", "delete", "patch")
TEMPLATE = "unlink-thanks"
TRIGGER = "new_order"


async def bind(seller: Seller) -> None:
    hanro = seller.doors.hanro
    known = await hanro.call("GET", f"/v1/templates/{TEMPLATE}", expected=(200, 404))
    if known.status_code == 404:
        await hanro.call("PUT", f"/v1/templates/{TEMPLATE}", {"subject": "ご注文", "body": "ありがとうございます\n"})
    await hanro.call("PUT", f"/v1/bindings/{seller.account_id}/{TRIGGER}", {"template": TEMPLATE})


async def adopt(seller: Seller) -> None:
    hanro, sku = seller.doors.hanro, f"UNLINK-{seller.shop['id']}"
    product = {"title": "見本タオル", "variants": [{"sku": sku, "title": "白"}]}
    await hanro.call("PUT", f"/v1/products/{sku}", product, expected=(200, 201))
    offer = {"keys": {"manage_number": "=unlink-1", "variant_id": "wh"}, "sku": sku}
    await hanro.call("POST", "/v1/listings:adopt", {"account_id": seller.account_id, "items": [offer]}, expected=(207,))


async def counts(seller: Seller) -> dict[str, int]:
    plan = (await seller.doors.hanro.call("POST", f"/v1/accounts/{seller.account_id}:plan-unlink")).json()
    return {line["kind"]: line["count"] for line in (*plan["goes"], *plan["stays"])}


async def orders_of(seller: Seller) -> list[dict[str, Any]]:
    path = f"/v1/orders?account_id={seller.account_id}&limit=200"
    found: list[dict[str, Any]] = (await seller.doors.hanro.call("GET", path)).json()["items"]
    return found


async def unlink(seller: Seller) -> dict[str, Any]:
    """Unlink by a plan, and wait until that is applied."""
    hanro, path = seller.doors.hanro, f"/v1/accounts/{seller.account_id}"
    token = (await hanro.call("POST", f"{path}:plan-unlink")).json()["token"]
    accepted = await hanro.call("POST", f"{path}:unlink", {"token": token}, expected=(202,))
    found: dict[str, Any] = {}

    async def is_applied() -> bool:
        found.update((await hanro.call("GET", accepted.headers["location"])).json())
        return bool(found["status"] == "applied")

    await until(SECONDS, is_applied)
    return found


async def listed(doors: Doors, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await doors.hanro.call("GET", path)).json()["items"]
    return found


@pytest.mark.row("A16", kind="walks")
async def test_a_shop_is_unlinked_by_its_plan_and_linked_again_without_a_write_or_a_lost_order(
    shared_stack: Stack,
) -> None:
    async with open_sellers(shared_stack, "解除店") as sellers:
        seller = sellers["解除店"]
        hanro, account_id = seller.doors.hanro, seller.account_id
        await seller.begin()
        number = await seller.sell()
        await until(SECONDS, lambda: seller.stored(number))
        await bind(seller)
        await adopt(seller)
        await until(SECONDS, lambda: is_counted(seller))

        json_page = await listed(seller.doors, f"/v1/catalog/identifiers?account_id={account_id}")
        csv = (await hanro.call("GET", f"/v1/catalog/identifiers?account_id={account_id}&format=csv")).text
        assert json_page[0]["sku"] in csv
        # A spreadsheet must not take a key for a formula.
        assert ",'=unlink-1,wh" in csv
        assert number in (await hanro.call("GET", f"/v1/order/identifiers?account_id={account_id}&format=csv")).text

        before = await orders_of(seller)
        there = (await seller.doors.simulator.call("GET", f"/_sim/shops/{seller.shop['id']}/orders/{number}")).json()
        await hanro.call("POST", f"/v1/accounts/{account_id}:unlink", {"token": "made-up"}, expected=(409,))
        began = len(await seller.requests())
        assert (await unlink(seller))["answer"]["waiting_for"] == []
        seen = await seller.requests()
        shown = await seller.account()
        assert (shown["state"], shown["epoch"]) == ("unlinked", 1)
        assert not any(field["is_stored"] for field in shown["credentials"]["fields"])
        assert await listed(seller.doors, f"/v1/listings?account_id={account_id}") == []
        slots = await listed(seller.doors, f"/v1/bindings?account_id={account_id}")
        assert [slot for slot in slots if slot["template"]] == []
        assert await orders_of(seller) == before
        # The unlink asked the marketplace to change nothing, and nobody asks it for anything any more.
        asked = [entry["path"] for entry in seen[began:]]
        assert [path for path in asked if any(name in path for name in WRITES)] == []
        later = await seller.sell()
        assert (await seller.requests()) == seen
        now = (await seller.doors.simulator.call("GET", f"/_sim/shops/{seller.shop['id']}/orders/{number}")).json()
        assert now == there

        await hanro.call("POST", f"/v1/accounts/{account_id}:link-again")
        await seller.enter()
        await wait_for_state(hanro, account_id, WORKING)
        await until(SECONDS, lambda: seller.stored(later))
        kept = {one["external_id"]: one["id"] for one in await orders_of(seller)}
        assert kept[number] == before[0]["id"]
        assert len(kept) == 2


async def is_counted(seller: Seller) -> bool:
    found = await counts(seller)
    return (found["listings"], found["bindings"]) == (1, 1)


@pytest.mark.row("A16", kind="refuses")
async def test_a_second_account_of_a_shop_is_refused_and_told_the_first(shared_stack: Stack) -> None:
    async with open_sellers(shared_stack, "一号", "二号") as sellers:
        first, second = sellers["一号"], sellers["二号"]
        await first.enter()
        second.shop = first.shop
        path = f"/v1/accounts/{second.account_id}/credentials"
        refused = await second.doors.hanro.call("PUT", path, second.form(), expected=(409,))
        assert refused.json()["code"] == "shop-linked-already"
        assert first.account_id in refused.json()["detail"]
