"""A new seller's walk in order, over REST: an account with all that it may do, then orders, parcels, files, paper.

Steps 1 to 7, the part of 13 that is Ichiba's, 14 and 18.
"""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest
from row_shops import ANY_VERSION
from running_stack import doors
from seller_walk import SECONDS, Walk
from sellers import open_shop
from test_one_order import became
from test_rows_orders_csv import download, take_in
from test_rows_orders_documents import note_of, pages

from hanro_local.demo.api import until
from hanro_local.demo.shop import wait_for_state
from hanro_local.stack import DATABASE, Stack

STOCK = "inventories.bulk.upsert"
READY = 300
NUMBER = "123456789012"
SHIPPING = "/es/2.0/order/updateOrderShipping"
ISSUER = {"name": "見本商事株式会社", "number": "T7000012050002"}
PARCELS = "{% for parcel in parcels %}{{ parcel.number }} {{ parcel.url }}\n{% endfor %}"
LETTERS = {
    "new_order": ("walk-ordered", "ご注文 {{ order.external_id }}\n"),
    "shipped": ("walk-shipped", f"発送 {{{{ order.external_id }}}}\n{PARCELS}"),
}


@pytest.mark.row("A1", kind="walks")
@pytest.mark.row("A3", kind="walks")
@pytest.mark.row("A4", kind="walks")
@pytest.mark.row("A10", kind="walks")
@pytest.mark.row("A11", kind="walks")
@pytest.mark.row("A19", kind="refuses")
@pytest.mark.row("O5", kind="walks")
@pytest.mark.row("O11", kind="walks")
@pytest.mark.row("O13", kind="walks")
@pytest.mark.row("O18", kind="walks")
@pytest.mark.row("O18", kind="refuses")
async def test_a_new_seller_links_a_shop(shared_stack: Stack) -> None:
    async with doors(shared_stack) as opened:
        walk = Walk(opened, shared_stack)
        for step in (
            _1_finds_three_marketplaces_and_one_next_step,
            _2_reads_the_guide,
            _3_mistypes_two_fields,
            _4_saves_a_wrong_key,
            _5_saves_the_right_key_while_stock_is_off,
            _6_switches_it_on_and_checks_again,
            _7_chooses_orders_from_now_and_three_old_ones_are_listed_without_a_mail,
            _13_ships_with_a_number_that_is_none_and_then_with_one,
            _14_imports_one_known_and_one_new_order_twice,
            _18_names_an_issuer_whose_number_the_delivery_note_shows,
        ):
            async with asyncio.timeout(SECONDS * 2):
                await step(walk)
        await opened.hanro.call("POST", f"/v1/accounts/{walk.account_id}:disable")


async def _1_finds_three_marketplaces_and_one_next_step(walk: Walk) -> None:
    hanro = walk.opened.hanro
    listed = (await hanro.call("GET", "/v1/marketplaces")).json()["items"]
    assert {"qoo10_japan", "rakuten_france", "rakuten_ichiba"} <= {one["id"] for one in listed}
    internal = (await hanro.call("POST", "/v1/shops", {"display_name": "歩く店"})).json()
    wish = {"marketplace_id": "rakuten_ichiba", "display_name": "歩く店", "shop_ids": [internal["id"]]}
    made = (await hanro.call("POST", "/v1/accounts", wish)).json()
    walk.account_id = made["id"]
    walk.shop = await open_shop(walk.opened.simulator)
    assert (made["state"], made["label"]["ja"], made["reason"]["code"]) == ("draft", "無効", "credentials-missing")
    assert made["next_step"]["text"]["ja"]
    assert made["next_step"]["menu"]["steps"]


async def _2_reads_the_guide(walk: Walk) -> None:
    guide = (await walk.opened.hanro.call("GET", "/v1/marketplaces/rakuten_ichiba")).json()["guide"]
    assert any(step["menu"] and step["menu"]["steps"][0] == "RMS" for step in guide["steps"])
    assert any(step["cost"] and step["cost"]["ja"] and step["cost"]["en"] for step in guide["steps"])
    assert guide["prerequisites"]


async def _3_mistypes_two_fields(walk: Walk) -> None:
    path = f"/v1/accounts/{walk.account_id}/credentials"
    body = walk.seller.form(license_key="ＳＬ９９９００１＿ＡＢＣ", smtp_id=" ")
    refused = (await walk.opened.hanro.call("PUT", path, body, expected=(422,))).json()
    assert {one["pointer"] for one in refused["errors"]} == {"/values/license_key", "/values/smtp_id"}
    assert "ＳＬ９９９００１" not in str(refused)
    assert (await walk.account())["credentials"]["version"] == 0


async def _4_saves_a_wrong_key(walk: Walk) -> None:
    await walk.seller.enter(license_key=f"{walk.shop['license_key'][:-4]}0000")

    async def is_refused() -> bool:
        return bool((await walk.account())["reason"]["code"] == "credential-refused")

    await until(SECONDS, is_refused)
    wrong = await walk.account()
    assert (wrong["state"], wrong["label"]["ja"]) == ("draft", "無効")
    assert wrong["reason"]["marketplace"]["code"] == "GA0001"
    assert wrong["reason"]["marketplace"]["http_status"] == 401
    assert wrong["next_step"]["text"]["ja"]
    assert wrong["next_step"]["step_ids"]


async def _5_saves_the_right_key_while_stock_is_off(walk: Walk) -> None:
    simulator, number = walk.opened.simulator, walk.shop["id"]
    await simulator.call("PUT", f"/_sim/shops/{number}/grants/{STOCK}", {"enabled": False})
    await walk.seller.enter()
    await wait_for_state(walk.opened.hanro, walk.account_id, ("active", "degraded"))
    await _half_an_hour_later(walk)
    await _check_again(walk)
    shown = await wait_for_state(walk.opened.hanro, walk.account_id, ("degraded",))
    assert shown["label"]["ja"] == "有効"
    found = await walk.rows()
    denied = [grant_id for grant_id, row in found.items() if row["state"] == "denied"]
    assert denied == [STOCK]
    assert [one["capability"] for one in await walk.groups() if one["state"] == "lost"] == ["set_stock"]
    assert found[STOCK]["menu"]["steps"]
    assert (shown["next_step"]["grant_id"], bool(shown["next_step"]["step_ids"])) == (STOCK, True)


async def _6_switches_it_on_and_checks_again(walk: Walk) -> None:
    number = walk.shop["id"]
    await walk.opened.simulator.call("PUT", f"/_sim/shops/{number}/grants/{STOCK}", {"enabled": True})
    await _check_again(walk)
    shown = await wait_for_state(walk.opened.hanro, walk.account_id, ("active",))
    assert (shown["grants"]["denied"], shown["lost_capabilities"], shown["next_step"]) == (0, [], None)

    async def is_known() -> bool:
        return bool((await walk.account())["credentials"]["expiries"])

    await until(SECONDS, is_known)
    expiry = (await walk.account())["credentials"]["expiries"][0]
    shop = (await walk.opened.simulator.call("GET", f"/_sim/shops/{number}")).json()
    assert datetime.fromisoformat(expiry["expires_at"]) == datetime.fromisoformat(shop["license_expires_at"])


async def _7_chooses_orders_from_now_and_three_old_ones_are_listed_without_a_mail(walk: Walk) -> None:
    hanro = walk.opened.hanro
    for trigger, (name, body) in LETTERS.items():
        await hanro.call("PUT", f"/v1/templates/{name}", {"subject": "{{ shop.name }}", "body": body})
        await hanro.call("PUT", f"/v1/bindings/{walk.account_id}/{trigger}", {"template": name})
    now = datetime.now(UTC).isoformat()
    await hanro.call("PATCH", f"/v1/accounts/{walk.account_id}", {"orders_from": now})
    await _is_heard(walk)
    old = await walk.buy(count=3, placed_days_ago=1)
    assert [(await walk.order(number))["is_backfilled"] for number in old] == [True] * 3
    # A mail of what is bought from now on, so that none of the old ones is no accident.
    (new,) = await walk.buy()
    walk.bought = await walk.order(new)
    assert walk.bought["is_backfilled"] is False

    async def is_mailed() -> bool:
        return bool(await walk.mails(new))

    await until(SECONDS, is_mailed)
    assert [await walk.mails(number) for number in old] == [[]] * 3


async def _is_heard(walk: Walk) -> None:
    """Wait until order-svc knows from when orders are wanted: before, to it every order is new."""
    connection = await asyncpg.connect(walk.running.postgres.url(DATABASE), timeout=SECONDS)
    query = "select orders_from is not null from orders.accounts where id = $1"
    try:
        await until(SECONDS, lambda: connection.fetchval(query, walk.account_id))
    finally:
        await connection.close(timeout=SECONDS)
    # What is under way goes on with what it knew, and the next one may have begun to.
    for _ in range(2):
        await _is_asked_again(walk)


async def _is_asked_again(walk: Walk) -> None:
    """Wait until every route was asked anew."""
    path = f"/v1/order/coverage?account_id={walk.account_id}"

    async def runs() -> dict[str, datetime | None]:
        found = (await walk.opened.hanro.call("GET", path)).json()["items"]
        return {one["route"]: one["last_run_at"] and datetime.fromisoformat(one["last_run_at"]) for one in found}

    before = await runs()

    async def is_so() -> bool:
        now = await runs()
        return all(now[route] != moment for route, moment in before.items())

    await until(SECONDS, is_so)


async def _13_ships_with_a_number_that_is_none_and_then_with_one(walk: Walk) -> None:
    hanro, number = walk.opened.hanro, walk.bought["external_id"]
    path = f"/v1/orders/{walk.bought['id']}"
    await walk.row.simulator("POST", f"/orders/{number}/set", {"progress": READY})
    await became(hanro, path, "status", "ready")
    parcel = {"carrier_code": "yamato", "tracking_number": "ABC"}
    refused = (await hanro.call("POST", f"{path}/shipments", parcel, expected=(409,))).json()
    assert refused["code"] == "number-malformed"
    assert [one["pointer"] for one in refused["errors"]] == ["/tracking_number"]
    since = await walk.seller.place_in_journal()
    asked = (await hanro.call("POST", f"{path}/shipments", parcel | {"tracking_number": NUMBER})).json()
    shown = await became(hanro, f"/v1/shipments/{asked['id']}", "state", "registered")
    await became(hanro, f"/v1/order/operations/{asked['operation_id']}", "status", "applied")
    sent = [one for one in await walk.seller.requests(since) if one["path"].startswith(SHIPPING)]
    assert [NUMBER in str(one) for one in sent] == [True]
    await became(hanro, path, "work_state", "shipped")
    assert NUMBER in shown["tracking_url"]

    async def is_mailed() -> bool:
        return bool([mail for mail in await walk.mails(number) if shown["tracking_url"] in mail])

    await until(SECONDS, is_mailed)


async def _14_imports_one_known_and_one_new_order_twice(walk: Walk) -> None:
    known = walk.bought["external_id"]
    new = f"{known[:-10]}9{known[-9:]}"
    content = await download(walk.row, known, new)
    first = await take_in(walk.row, content)
    assert (first["state"], first["orders"]["new"], first["rows"]["refused"]) == ("done", 1, 0)
    assert "stock-not-moved" in {one["code"] for one in first["notices"]}
    found = await walk.order(new)
    assert (found["work_state"], found["first_seen_by"]) == ("in_progress", "csv")
    assert (await take_in(walk.row, content))["orders"]["new"] == 0


async def _18_names_an_issuer_whose_number_the_delivery_note_shows(walk: Walk) -> None:
    hanro, path = walk.opened.hanro, f"/v1/accounts/{walk.account_id}/issuer"
    wrong = ISSUER | {"number": "T8000012050002"}
    refused = (await hanro.call("PUT", path, wrong, more=ANY_VERSION, expected=(422,))).json()
    assert [(one["pointer"], one["code"]) for one in refused["errors"]] == [("/number", "check-digit-wrong")]
    await hanro.call("PUT", path, ISSUER, more=ANY_VERSION)

    async def is_printed() -> bool:
        (page,) = pages((await hanro.call("GET", note_of(walk.bought))).content)
        return ISSUER["number"] in page and ISSUER["name"] in page

    await until(SECONDS, is_printed)


async def _check_again(walk: Walk) -> None:
    """Press 再チェック and wait until it is answered."""
    hanro = walk.opened.hanro
    asked = await hanro.call("POST", f"/v1/accounts/{walk.account_id}:preflight")

    async def is_done() -> bool:
        operation = (await hanro.call("GET", asked.headers["location"])).json()
        walk.preflight_id = (operation["answer"] or {}).get("preflight_id", "")
        return bool(operation["status"] == "applied")

    await until(SECONDS, is_done)


async def _half_an_hour_later(walk: Walk) -> None:
    """Let the key be old: a young one may still settle, and what is off cannot be told from that."""
    connection = await asyncpg.connect(walk.running.postgres.url(DATABASE), timeout=SECONDS)
    try:
        await connection.execute(
            "update account.credentials set stored_at = stored_at - interval '31 minutes' where account_id = $1",
            walk.account_id,
        )
    finally:
        await connection.close(timeout=SECONDS)
