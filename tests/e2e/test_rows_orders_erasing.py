"""Row O16: an erased buyer is in no table, sealed or not, in no record and no document, and nothing brings it back."""

import csv
import io
import secrets
from typing import Any

import pytest
from canary_places import records, tables
from canary_seals import sealed
from canary_search import Place, hits
from row_shops import Row
from running_stack import Doors, Linked, doors
from sellers import Seller
from test_one_order import became
from test_rows_orders_csv import download, take_in
from test_rows_orders_model import placed
from test_rows_orders_shipping import place_of

from hanro_local.demo import tokens
from hanro_local.demo.api import Api
from hanro_local.demo.checker.log import read_all
from hanro_local.stack import Stack

SECONDS = 60.0
READY = 300
# Nobody else on this stack is called so: under the seals are all buyers who are not erased.
CANARIES = {
    "kanji": "朱鷺消田",
    "kana": "トキケシダ",
    "latin": "tokikeshida",
    "phone": "080-6194-2753",
    "phone in one": "08061942753",
    "mail": "0000tokikeshi000000000000000000s9@pc.fw.rakuten.ne.jp",
}
HELD_SEALED = {"orders.buyers opened", "orders.raw_orders opened", "orders.document_files read"}


def buyer_order() -> dict[str, Any]:
    """Wish for an order of that buyer, who goes by every name in every member that speaks of a person."""
    person = {
        "prefecture": "東京都",
        "city": "見本市",
        "subAddress": f"{CANARIES['kanji']}町1-2-3 {CANARIES['latin']}荘",
        "familyName": CANARIES["kanji"],
        "firstName": "忘子",
        "familyNameKana": CANARIES["kana"],
        "firstNameKana": "ワスレコ",
        **{f"phoneNumber{place}": part for place, part in enumerate(CANARIES["phone"].split("-"), start=1)},
    }
    raw: dict[str, Any] = {
        "OrdererModel": person | {"emailAddress": CANARIES["mail"]},
        "remarks": f"{CANARIES['kanji']}が受け取ります。電話 {CANARIES['phone']}",
    }
    return {
        "is_plain": True,
        "raw": raw | {f"/PackageModelList/0/SenderModel/{name}": one for name, one in person.items()},
    }


async def everywhere(running: Stack) -> list[Place]:
    """Read every table of every schema, what is sealed there, and every record of every topic."""
    found = [place async for place in tables(running)]
    found += [place async for place in sealed(running)]
    return found + [place async for place in records(running.kafka)]


async def done(hanro: Api, path: str, body: object = None) -> dict[str, Any]:
    """Ask for something that is done later, and give its operation once it is over."""
    asked = await hanro.call("POST", path, body, expected=(202,))
    return await became(hanro, asked.headers["location"], "status", "applied")


async def holding(running: Stack, text: str) -> set[str]:
    """Give the tables in which a text stands."""
    return {name async for name, rows in tables(running) if text.encode() in rows}


async def come_again(opened: Doors, linked: Linked, order: dict[str, Any]) -> None:
    """Let the order come again by everything that can bring it: a sweep, a look, a file in both modes, a replay."""
    hanro, path = opened.hanro, f"/v1/orders/{order['id']}"
    await opened.simulator.call("POST", f"{place_of(linked, order['external_id'])}/set", {"progress": READY})
    await became(hanro, path, "status", "ready")
    await done(hanro, f"{path}:fetch")


@pytest.mark.row("O16", kind="walks")
@pytest.mark.row("O16", kind="refuses")
async def test_an_erased_buyer_is_nowhere_under_no_seal_and_nothing_brings_it_back(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        hanro = opened.hanro
        order = await placed(opened, linked, buyer_order())
        assert order["personal"]["buyer"]["email"] == CANARIES["mail"]
        assert order["personal"]["buyer"]["is_email_masked"]
        path = f"/v1/orders/{order['id']}"
        reader = Api(hanro.client, hanro.base, tokens.mint(shared_stack.state, ("orders:read",)))
        assert (await reader.call("GET", path)).json()["personal"] is None
        for verb, what in (("GET", "/raw"), ("POST", ":erase-buyer")):
            refused = await reader.call(verb, f"{path}{what}", expected=(403,))
            assert refused.json()["code"] == "scope-missing"
        printed = {"order_ids": [order["id"]], "kind": "delivery_note"}
        asked = await hanro.call("POST", "/v1/order/documents", printed, expected=(202,))
        document = await became(hanro, asked.headers["location"], "status", "ready")
        row = Row(shared_stack, Seller(opened, {"id": linked.shop.number}, linked.account.account_id))
        file = await download(row, order["external_id"])
        assert hits([("file", file)], CANARIES)
        # It is there, under seals and nowhere else: where nothing can be found nothing is proven by finding nothing.
        before = hits(await everywhere(shared_stack), CANARIES)
        assert before["kanji"] >= HELD_SEALED
        assert {place for places in before.values() for place in places if "opened" not in place} <= HELD_SEALED

        erased = (await hanro.call("POST", f"{path}:erase-buyer")).json()
        await hanro.call("GET", f"{path}/raw", expected=(404,))
        await hanro.call("GET", document["href"], expected=(404,))
        await come_again(opened, linked, order)
        for mode in ("update", "overwrite"):
            made = await take_in(row, file, f"&mode={mode}")
            assert (made["state"], made["rows"]["refused"]) == ("done", 0)
        topic = f"hanro.replay.{secrets.token_hex(4)}"
        await done(hanro, "/v1/order/replays", {"topic": topic, "source_topic": "hanro.orders"})

        after = (await hanro.call("GET", path)).json()
        assert (erased["personal"], after["personal"], after["erased_at"]) == (None, None, erased["erased_at"])
        places = await everywhere(shared_stack)
        assert {"orders.orders", "notifier.messages", "topic/hanro.orders"} <= {name for name, _ in places}
        assert hits(places, CANARIES) == {}
        held = await holding(shared_stack, order["id"])
        assert held & {"orders.buyers", "orders.raw_orders", "orders.buyer_terms", "orders.document_files"} == set()
        replayed = [event for event in await read_all(shared_stack.kafka) if event.topic == topic]
        assert order["id"] in {event.key for event in replayed}
        sought = {"by": "name", "text": CANARIES["kanji"] + "忘子"}
        found = (await hanro.call("POST", "/v1/orders:search", sought)).json()["items"]
        assert order["id"] not in [one["id"] for one in found]
        exported = f"/v1/orders.csv?columns=order_number,buyer_name&external_id={order['external_id']}"
        rows = list(csv.reader(io.StringIO((await hanro.call("GET", exported)).text, newline="")))
        assert {one[1] for one in rows[1:]} == {""}
