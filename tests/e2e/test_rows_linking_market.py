"""What a shop set up at the marketplace: read there, typed where it cannot be, and what changed told by name."""

from typing import Any

import pytest
from row_shops import ANY_VERSION, Row

# Twenty requests at the pace of a group each, behind the probes that began before them.
READ_SECONDS = 150.0
ADDRESS = {"postal_code": "100-0000", "region": "東京都", "city": "架空区", "street": "見本町1-2-3"}
RETURN_ADDRESS = {"entries": [{"name": "返品センター", "address": ADDRESS}]}


async def kinds_of(row: Row) -> dict[str, dict[str, Any]]:
    shown = await row.ask("GET", "/market-information")
    return {kind["kind"]: kind for kind in shown["kinds"]}


async def is_read(row: Row) -> bool:
    return (await row.ask("GET", "/market-information"))["read_at"] is not None


async def is_over(row: Row, operation: dict[str, Any]) -> bool:
    path = f"/v1/account/operations/{operation['id']}"
    operation.update((await row.doors.hanro.call("GET", path)).json())
    return operation["status"] in {"applied", "rejected"}


@pytest.mark.row("A15", kind="walks")
async def test_what_is_set_up_there_is_read_and_what_changed_is_a_fact_with_its_names(working: Row) -> None:
    await working.hurry(READ_SECONDS, lambda: is_read(working))
    shown = await working.ask("GET", "/market-information")
    assert "RMS" in shown["guide"]["ja"]
    assert "refresh it here" in shown["guide"]["en"]
    kinds = await kinds_of(working)
    assert [one["name"] for one in kinds["shipping_group"]["entries"]] == ["宅配便", "クール便"]
    assert kinds["category"]["status"] == "read"
    absent = kinds["return_address"]
    assert (absent["status"], absent["can_be_typed"], bool(absent["absent"]["reason"]["ja"])) == ("absent", True, True)
    assert kinds["brand"]["absent"]["reason"]["en"]

    typed = await working.ask("PUT", "/market-information/return_address", RETURN_ADDRESS, more=ANY_VERSION)
    assert (typed["status"], typed["entries"][0]["details"]["city"]) == ("typed", "架空区")
    moved = {"entries": [{"name": "返品センター", "address": ADDRESS | {"building": "2F"}}]}
    for _ in range(2):
        await working.ask("PUT", "/market-information/return_address", moved, more=ANY_VERSION)
    began = await working.seller.place_in_journal()
    change = {"match": {"deliverySetId": "2"}, "set": {"deliverySetName": "冷凍便"}}
    await working.simulator("PATCH", "/resources/deliverySetInfo", change)
    asked = await working.ask("POST", "/market-information:refresh", expected=(202,))
    assert asked["estimated_seconds"] > 0
    await working.hurry(READ_SECONDS, lambda: is_over(working, asked))
    assert (asked["status"], asked["answer"]["changed"]) == ("applied", ["shipping_group 2"])
    told = [fact["changed"] for fact in await working.facts("market_information_refreshed")]
    assert told[-3:] == [["return_address"], ["return_address"], ["shipping_group 2"]]
    changes = (await working.ask("GET", "/market-changes?limit=2"))["items"]
    assert [(one["kind"], one["what"], one["name"], one["fields"]) for one in changes] == [
        ("shipping_group", "changed", "冷凍便", ["name"]),
        ("return_address", "changed", "返品センター", ["building"]),
    ]
    assert "見本町" not in str(changes) + str(await working.facts("market_information_refreshed"))
    seen = await working.seller.requests(began)
    assert "/es/1.0/shop/deliverySetInfo" in {one["path"] for one in seen}
    assert [one["path"] for one in seen if one["has_effect"]] == []
    deeds = [deed for deed in await working.deeds() if "market-information" in deed[0]]
    assert deeds[:2] == [("refresh-market-information", []), ("type-market-information", ["return_address"])]


@pytest.mark.row("A15", kind="refuses")
async def test_what_the_marketplace_tells_is_not_typed_and_an_address_is_whole(working: Row, draft: Row) -> None:
    await working.hurry(READ_SECONDS, lambda: is_read(working))
    before = await working.facts("market_information_refreshed")
    groups = {"entries": [{"name": "宅配便"}]}
    own = await working.ask("PUT", "/market-information/shipping_group", groups, more=ANY_VERSION, expected=(409,))
    assert (own["code"], "再取得" in own["remedy"]["ja"]) == ("kind-is-read", True)
    for address, pointer in (
        (None, "/entries/0/address"),
        (ADDRESS | {"postal_code": "１００-0000"}, "/entries/0/address/postal_code"),
        (ADDRESS | {"city": "\u3000"}, "/entries/0/address/city"),
    ):
        body = {"entries": [{"name": "返品センター", "address": address}]}
        problem = await working.ask(
            "PUT", "/market-information/return_address", body, more=ANY_VERSION, expected=(422,)
        )
        assert pointer in [one["pointer"] for one in problem["errors"]]
    await working.ask("PUT", "/market-information/return_address", RETURN_ADDRESS, expected=(428,))
    assert await working.facts("market_information_refreshed") == before
    unread = await draft.ask("POST", "/market-information:refresh", expected=(409,))
    assert (unread["code"], unread["state"]) == ("account-state", "draft")
    assert await draft.seller.requests() == []
