"""How orders are found on the whole path: by each way, again by number, long ago, and by other systems."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from row_shops import Row
from running_stack import doors
from sandbox_shop import SandboxShop

from hanro_local.demo.api import Api, until

SECONDS = 60.0
GET_ORDER = "/es/2.0/order/getOrder"
COMPLETED = 700
ORDERER = {
    "familyName": "探田",
    "firstName": "索子",
    "phoneNumber1": "03",
    "phoneNumber2": "4712",
    "phoneNumber3": "9958",
}


async def placed(row: Row, **wish: object) -> str:
    """Let a buyer order, and give the number."""
    answer = await row.simulator("POST", "/orders", {"count": 1, "is_plain": True} | wish)
    return str(answer["external_ids"][0])


async def order(row: Row, number: str) -> dict[str, Any]:
    """Wait until hanro lists the order, and give it."""
    path = f"/v1/orders?account_id={row.seller.account_id}&external_id={number}"
    found: list[dict[str, Any]] = []

    async def is_there() -> bool:
        found[:] = (await row.doors.hanro.call("GET", path)).json()["items"]
        return bool(found)

    await until(SECONDS, is_there)
    return found[0]


async def done(row: Row, path: str, body: object = None) -> dict[str, Any]:
    """Ask for something that is done later, and give its operation once it is over."""
    operation: dict[str, Any] = (await row.doors.hanro.call("POST", path, body, expected=(202,))).json()

    async def is_over() -> bool:
        operation.update((await row.doors.hanro.call("GET", f"/v1/order/operations/{operation['id']}")).json())
        return operation["status"] in {"applied", "rejected"}

    await until(SECONDS, is_over)
    return operation


async def asked_for(row: Row, since: int) -> list[str]:
    """Give the paths that the marketplace was asked for behind a place in its journal."""
    return [one["path"].rstrip("/") for one in await row.seller.requests(since)]


async def coverage(hanro: Api, account_id: str) -> dict[str, dict[str, Any]]:
    """Show how an account's orders are found, by route."""
    path = f"/v1/order/coverage?account_id={account_id}"
    return {one["route"]: one for one in (await hanro.call("GET", path)).json()["items"]}


async def asked_anew(hanro: Api, account_id: str, *routes: str) -> None:
    """Wait until routes have read a window that they began after this moment: the second end from now on is one."""
    ends: dict[str, set[str | None]] = {route: set() for route in routes}

    async def is_so() -> bool:
        shown = await coverage(hanro, account_id)
        for route, moments in ends.items():
            moments.add(shown[route]["last_done_at"])
        return all(len(moments) > 2 for moments in ends.values())

    await until(SECONDS, is_so)


async def found_by(row: Row, finder: str) -> float:
    """Give how many orders order-svc has counted as found first by one kind of route, at this marketplace."""
    text = (await row.doors.internal["order-svc"].call("GET", "/metrics")).text
    head = "hanro_order_found_total{"
    counted = [line for line in text.splitlines() if line.startswith(head) and f'finder="{finder}"' in line]
    return sum(float(line.rpartition(" ")[2]) for line in counted if 'marketplace="rakuten_ichiba"' in line)


@pytest.mark.row("O2", kind="walks")
@pytest.mark.row("P1", kind="walks")
@pytest.mark.row("O1", kind="walks")
@pytest.mark.row("P20", kind="walks")
async def test_an_order_that_one_way_hides_is_found_by_the_other_and_both_are_shown(working: Row) -> None:
    before = await found_by(working, "sweep")
    hidden = await placed(working, hidden_from=["placed"])
    shipped = await placed(working, hidden_from=["open"])
    finders = [(await order(working, number))["first_seen_by"] for number in (hidden, shipped)]
    assert finders == ["open", "placed"]
    assert await found_by(working, "sweep") > before
    rows = await coverage(working.doors.hanro, working.seller.account_id)
    assert {name: row["reach_days"] for name, row in rows.items()} == {"open": 730, "placed": 730}
    assert all(row["last_request_count"] >= 1 and row["overlap_seconds"] >= 600 for row in rows.values())
    assert all(row["backfill_required"] is None for row in rows.values())


@pytest.mark.row("O2", kind="refuses")
@pytest.mark.row("P1", kind="refuses")
async def test_an_order_that_every_way_hides_is_not_made_up_and_is_read_by_its_number_when_asked_for(
    sandbox: SandboxShop,
) -> None:
    async with doors(sandbox.running) as opened:
        played, hanro = sandbox.at(opened), opened.hanro
        ways = ("placed", "open", "changed")
        number = await played.buy(hidden_from=ways, country="ES")
        await asked_anew(hanro, sandbox.account_id, *ways)
        path = f"/v1/orders?account_id={sandbox.account_id}&external_id={number}"
        assert (await hanro.call("GET", path)).json()["items"] == []
        wish = {"account_id": sandbox.account_id, "external_ids": [number]}
        assert (await played.over("/v1/orders:fetch", wish))["status"] == "applied"
        found = await played.order(number)
        assert found["first_seen_by"] not in ways
        assert found["personal"]["buyer"]["address"]["country"] == "ES"


@pytest.mark.row("P20", kind="walks")
@pytest.mark.row("P20", kind="refuses")
async def test_a_time_without_an_offset_is_the_marketplaces_and_one_in_a_request_is_refused(working: Row) -> None:
    # A minute before midnight in Japan: in UTC, and in Europe, it is another day.
    moment = (datetime.now(UTC) - timedelta(days=2)).replace(hour=14, minute=59, second=0, microsecond=0)
    number = await placed(working, placed_at=moment.isoformat())
    found = await order(working, number)
    assert datetime.fromisoformat(found["placed_at"]) == moment
    assert f"{moment:%Y-%m-%d}T23:59:00" in found["placed_local"]
    narrowed = f"/v1/orders?account_id={working.seller.account_id}&external_id={number}&placed_from="
    for start, expected in ((moment, 1), (moment + timedelta(seconds=1), 0)):
        listed = await working.doors.hanro.call("GET", f"{narrowed}{start:%Y-%m-%dT%H:%M:%SZ}")
        assert len(listed.json()["items"]) == expected
    path = f"/v1/order/accounts/{working.seller.account_id}:backfill"
    naive = {"from": "2026-01-01T00:00:00", "to": "2026-01-02T00:00:00+09:00"}
    refused = (await working.doors.hanro.call("POST", path, naive, expected=(422,))).json()
    assert [one["pointer"] for one in refused["errors"]] == ["/from"]
    assert "offset" in refused["errors"][0]["detail"]


@pytest.mark.row("O12", kind="walks")
@pytest.mark.row("O12", kind="refuses")
async def test_an_order_is_read_again_now_and_what_is_not_there_is_told(working: Row) -> None:
    number = await placed(working)
    known = await order(working, number)
    since = await working.seller.place_in_journal()
    again = await done(working, f"/v1/orders/{known['id']}:fetch")
    assert (again["status"], again["answer"]["outcomes"][0]["status"]) == ("applied", "read")
    assert GET_ORDER in await asked_for(working, since)
    gone = number[:-4] + "0000"
    wish = {"account_id": working.seller.account_id, "external_ids": [number, gone]}
    both = await done(working, "/v1/orders:fetch", wish)
    assert [one["status"] for one in both["answer"]["outcomes"]] == ["read", "missing"]
    stranger = working.caller("shp_of_others")
    for path, body in ((f"/v1/orders/{known['id']}:fetch", None), ("/v1/orders:fetch", wish)):
        assert (await stranger.call("POST", path, body, expected=(404,))).json()["code"] == "not-found"
    too_many = wish | {"external_ids": [f"{number[:-4]}{place:04}" for place in range(101)]}
    refused = (await working.doors.hanro.call("POST", "/v1/orders:fetch", too_many, expected=(422,))).json()
    assert [one["pointer"] for one in refused["errors"]] == ["/external_ids"]


@pytest.mark.row("O18", kind="walks")
@pytest.mark.row("O18", kind="refuses")
@pytest.mark.row("JP3", kind="walks")
@pytest.mark.row("JP3", kind="refuses")
@pytest.mark.row("O1", kind="refuses")
async def test_orders_of_long_ago_are_read_silently_when_asked_for_and_not_beyond_the_reach(working: Row) -> None:
    number = await placed(working, placed_days_ago=100, progress=COMPLETED)
    path = f"/v1/order/accounts/{working.seller.account_id}:backfill"
    beyond = {"from": "2020-01-01T00:00:00+09:00", "to": "2020-02-01T00:00:00+09:00"}
    problem = (await working.doors.hanro.call("POST", path, beyond, expected=(409,))).json()
    assert problem["code"] == "beyond-reach"
    assert problem["errors"][0]["pointer"] == "/from"
    assert problem["remedy"]["ja"]
    asked = {"from": (datetime.now(UTC) - timedelta(days=101)).isoformat(), "to": "2999-01-01T00:00:00Z"}
    operation = await done(working, path, asked)
    assert operation["status"] == "applied", operation
    found = await order(working, number)
    assert (found["first_seen_by"], found["is_backfilled"]) == ("backfill", True)
    # Behind a newer order's fact, which notifier-svc took in, the older one's has been decided as well.
    told = f"/v1/messages?order_id={found['id']}"
    said = (await working.doors.hanro.call("GET", told)).json()["items"]
    assert [one for one in said if one["state"] != "suppressed"] == []


@pytest.mark.row("O14", kind="walks")
async def test_what_erp_acknowledged_wms_still_sees(working: Row) -> None:
    known = await order(working, await placed(working))
    answer = await working.doors.hanro.call(
        "POST",
        "/v1/consumers/erp/acks",
        {"items": [{"order_id": known["id"], "version": known["version"]}]},
        expected=(207,),
    )
    assert answer.json()["items"][0]["status"] in {"acknowledged", "changed"}
    list_of = f"/v1/orders?account_id={working.seller.account_id}&external_id={known['external_id']}&unacknowledged_by="
    seen = {name: (await working.doors.hanro.call("GET", list_of + name)).json()["items"] for name in ("erp", "wms")}
    is_acknowledged = answer.json()["items"][0]["status"] == "acknowledged"
    assert (len(seen["erp"]), len(seen["wms"])) == (0 if is_acknowledged else 1, 1)


@pytest.mark.row("O14", kind="walks")
@pytest.mark.row("O14", kind="refuses")
async def test_an_order_is_found_by_its_buyers_exact_name_or_phone_by_those_alone_who_may(working: Row) -> None:
    known = await order(working, await placed(working, buyer=ORDERER))
    hanro, others = working.doors.hanro, working.caller("shp_of_others")
    name = ORDERER["familyName"] + ORDERER["firstName"]
    phone = "-".join(ORDERER[f"phoneNumber{part}"] for part in (1, 2, 3))
    for by, text in (("name", name), ("phone", phone)):
        sought = {"by": by, "text": text}
        found = (await hanro.call("POST", "/v1/orders:search", sought)).json()["items"]
        assert known["id"] in [one["id"] for one in found]
        assert (await others.call("POST", "/v1/orders:search", sought)).json()["items"] == []
        refused = await working.caller(scopes=("orders:read",)).call(
            "POST", "/v1/orders:search", sought, expected=(403,)
        )
        assert refused.json()["code"] == "scope-missing"
    part = {"by": "name", "text": name[:-1]}
    found = (await hanro.call("POST", "/v1/orders:search", part)).json()["items"]
    assert known["id"] not in [one["id"] for one in found]
    acks = {"items": [{"order_id": known["id"], "version": known["version"] + 7}]}
    answer = (await hanro.call("POST", "/v1/consumers/erp/acks", acks, expected=(207,))).json()["items"]
    assert answer[0]["status"] not in {"acknowledged", "changed"}
