"""Proves what callers ask and see of parcels, cancellations and carriers, over ASGI on a real Postgres."""

from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from order_asks import NUMBER, ready, store
from order_edge import parts_for, serve
from order_playground import Playground, activated, means_for, prepare, tell

from hanro.clock import SystemClock
from hanro.errors import LocalizedText, MenuPath
from hanro.marketplace.types import Absent, Capability
from hanro.service import Parts
from hanro.testing.callers import bearer
from hanro_local.databases import SchemaUrls
from order_svc.api import cancellations, carriers, orders, shipments
from order_svc.api.shapes import MOST_SHOWN
from order_svc.domain.permits import Ability
from order_svc.poller import Means
from order_svc.sender import Sender
from order_svc.shipments import Desk

pytestmark = pytest.mark.schema("orders", prepare)

WRITE = bearer("orders:read", "orders:write")
MENU = MenuPath(steps=("受注", "キャンセル"))
BY_HAND = Absent(reason=LocalizedText(ja="画面で行います。", en="It is done by hand there."), source="x", menu=MENU)
PARCEL = {"carrier_code": "ヤマト", "tracking_number": "1234-5678-9012"}


@pytest.fixture
def playground() -> Playground:
    played = Playground()
    played.capabilities = {**played.capabilities, Capability.CANCEL_QUANTITY: BY_HAND}
    return played


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
async def means(parts: Parts, playground: Playground) -> Means:
    await tell(parts.db, activated())
    return means_for(parts.db, playground, SystemClock())


@pytest.fixture
async def client(parts: Parts, playground: Playground, means: Means) -> AsyncIterator[httpx.AsyncClient]:
    ability = Ability(supports=playground.capabilities, grants=playground.grants)
    desk = Desk(abilities={"playground": ability}, plugins={playground.id: playground.plugin()}, clock=means.clock)
    async with serve(
        parts,
        shipments.make_routes(parts.db, parts.idempotency, parts.cursors, desk),
        cancellations.make_routes(parts.db, parts.idempotency, desk),
        carriers.make_routes(parts.db, desk),
        orders.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors),
    ) as made:
        yield made


async def post(
    client: httpx.AsyncClient, path: str, body: object, *, key: str = "k-1", headers: dict[str, str] | None = None
) -> httpx.Response:
    return await client.post(path, json=body, headers={"Idempotency-Key": key, **(headers or {})})


@pytest.mark.row("O11", kind="walks")
async def test_a_parcel_is_taken_once_for_a_key_and_followed_to_its_end(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    playground.buy(ready())
    path = f"/v1/orders/{await store(means, ready())}/shipments"
    before = means.clock.now()
    first = await post(client, path, PARCEL)
    again = await post(client, path, PARCEL)
    assert (first.status_code, again.status_code, again.headers["idempotency-replayed"]) == (202, 202, "true")
    shown = first.json()
    assert (shown["state"], shown["carrier_code"], shown["tracking_number"]) == ("waiting", "yamato", NUMBER)
    assert shown["tracking_url"] == f"https://yamato.example.invalid/track?no={NUMBER}"
    assert shown["is_last"]
    assert shown["shipped_on"] in {
        str(one.astimezone(ZoneInfo("Asia/Tokyo")).date()) for one in (before, means.clock.now())
    }
    operation = await client.get(first.headers["location"])
    assert (operation.json()["kind"], operation.json()["asked"]["shipment_id"]) == ("ship", shown["id"])
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    listed = (await client.get(path)).json()["items"]
    assert [(one["id"], one["state"]) for one in listed] == [(shown["id"], "registered")]
    assert (await client.get(first.headers["location"])).json()["status"] == "applied"
    page = (await client.get("/v1/shipments?state=registered&is_unconfirmed=false")).json()
    assert [one["id"] for one in page["items"]] == [shown["id"]]
    assert (await client.get("/v1/shipments?state=rejected")).json()["items"] == []


@pytest.mark.row("O11", kind="refuses")
@pytest.mark.row("P23", kind="refuses")
@pytest.mark.parametrize(
    ("parcel", "code"),
    [
        ({"carrier_code": "yamato", "tracking_number": "123"}, "number-malformed"),
        ({"carrier_code": "la_poste", "tracking_number": "1"}, "carrier-unsupported"),
        ({"carrier_code": "nobody", "tracking_number": "1"}, "carrier-unsupported"),
        ({"tracking_number": NUMBER}, "carrier-needed"),
        (PARCEL | {"package_id": "p9"}, "package-unknown"),
    ],
)
async def test_a_parcel_that_would_be_refused_never_goes_out(
    client: httpx.AsyncClient, means: Means, playground: Playground, parcel: dict[str, Any], code: str
) -> None:
    order_id = await store(means, ready())
    answer = await post(client, f"/v1/orders/{order_id}/shipments", parcel)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    await Sender(means).send_due()
    assert playground.journal == []


async def test_a_parcel_without_a_key_or_of_an_order_of_others_is_refused(
    client: httpx.AsyncClient, means: Means
) -> None:
    order_id = await store(means, ready())
    bare = await client.post(f"/v1/orders/{order_id}/shipments", json=PARCEL)
    assert (bare.status_code, bare.json()["code"]) == (400, "idempotency-key-missing")
    elsewhere = bearer("orders:read", "orders:write", shops=("shp_2",))
    hidden = await post(client, f"/v1/orders/{order_id}/shipments", PARCEL, headers=elsewhere)
    assert hidden.status_code == 404


async def test_many_parcels_are_taken_each_on_its_own(client: httpx.AsyncClient, means: Means) -> None:
    ids = [await store(means, ready(number)) for number in ("n-1", "n-2", "n-3")]
    items = [PARCEL | {"order_id": order_id} for order_id in (*ids, "ord_nobody")]
    items[1] |= {"tracking_number": "12"}
    answer = await post(client, "/v1/shipments:batch", {"items": items})
    assert answer.status_code == 207
    found = answer.json()["items"]
    assert [one["status"] for one in found] == [202, 409, 202, 404]
    assert found[1]["problem"]["code"] == "number-malformed"
    assert (await client.get(f"/v1/orders/{ids[1]}/shipments")).json()["items"] == []


async def test_a_registered_parcel_is_corrected_and_the_new_one_replaces_it(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    playground.buy(ready())
    path = f"/v1/orders/{await store(means, ready())}/shipments"
    wrong = (await post(client, path, PARCEL)).json()
    early = await post(client, f"/v1/shipments/{wrong['id']}:correct", {"tracking_number": "111111111111"}, key="k-2")
    assert (early.status_code, early.json()["code"]) == (409, "not-registered")
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    right = await post(client, f"/v1/shipments/{wrong['id']}:correct", {"tracking_number": "111111111111"}, key="k-3")
    assert (right.status_code, right.json()["replaces_id"]) == (202, wrong["id"])
    assert right.json()["tracking_url"].endswith("111111111111")
    await sender.send_due()
    await sender.look_again()
    listed = (await client.get(path)).json()["items"]
    assert [one["state"] for one in listed] == ["replaced", "registered"]
    assert [one.number for one in playground.parcels] == ["111111111111"]


@pytest.mark.row("O11", kind="walks")
async def test_an_order_shows_its_parcels_and_cancellations_as_their_own_lists_do(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    playground.buy(ready(quantities=(5,)))
    path = f"/v1/orders/{await store(means, ready(quantities=(5,)))}"
    assert [(await client.get(path)).json()[name] for name in ("shipments", "cancellations")] == [[], []]
    parcel = (await post(client, f"{path}/shipments", PARCEL | {"lines": [{"line_id": "1", "quantity": 2}]})).json()
    asked = (await post(client, f"{path}:cancel", {"reason": "out_of_stock"}, key="k-2")).json()
    shown = (await client.get(path)).json()
    assert [(one["id"], one["lines"], one["state"]) for one in shown["shipments"]] == [
        (parcel["id"], {"1": 2}, "waiting")
    ]
    assert [(one["id"], one["state"]) for one in shown["cancellations"]] == [(asked["id"], "waiting")]
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    shown = (await client.get(path)).json()
    assert shown["shipments"] == (await client.get(f"{path}/shipments")).json()["items"]
    assert shown["cancellations"] == (await client.get(f"{path}/cancellations")).json()["items"]
    assert [one["state"] for one in shown["shipments"]] == ["rejected"]


async def test_an_order_of_very_many_parcels_shows_those_that_were_asked_for_last(
    client: httpx.AsyncClient, means: Means
) -> None:
    path = f"/v1/orders/{await store(means, ready())}"
    first = (await post(client, f"{path}/shipments", PARCEL)).json()["id"]
    async with means.db.begin() as tx:
        # Ids in order, as time makes them.
        await tx.execute(
            """
            with made as (
                insert into operations select (jsonb_populate_record(operations,
                    jsonb_build_object('id', 'opr_z' || lpad(n::text, 3, '0'), 'status', 'rejected'))).*
                from operations, generate_series(1, $1::int) n returning id
            )
            insert into shipments select (jsonb_populate_record(shipments,
                jsonb_build_object('id', 'shi_z' || right(made.id, 3), 'operation_id', made.id))).* from shipments, made
            """,
            MOST_SHOWN,
        )
    shown = [one["id"] for one in (await client.get(path)).json()["shipments"]]
    assert shown == [f"shi_z{number:03}" for number in range(1, MOST_SHOWN + 1)]
    listed = [one["id"] for one in (await client.get(f"{path}/shipments")).json()["items"]]
    assert listed == [first, *shown]


@pytest.mark.row("O10", kind="walks")
async def test_an_order_is_cancelled_and_what_cannot_be_says_where_it_is_done(
    client: httpx.AsyncClient, means: Means, playground: Playground
) -> None:
    order = ready(quantities=(5,))
    playground.buy(order)
    path = f"/v1/orders/{await store(means, order)}"
    part = {"lines": [{"line_id": "1", "quantity": 3}], "reason": "out_of_stock"}
    refused = await post(client, f"{path}:cancel", part)
    assert (refused.status_code, refused.json()["code"]) == (501, "absent")
    assert refused.json()["menu"]["steps"] == list(MENU.steps)
    taken = await post(client, f"{path}:cancel", {"reason": "out_of_stock", "comment": "canary"}, key="k-2")
    assert (taken.status_code, taken.json()["is_whole"]) == (202, True)
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    listed = await client.get(f"{path}/cancellations")
    assert [one["state"] for one in listed.json()["items"]] == ["applied"]
    assert "canary" not in listed.text + taken.text
    again = await post(client, f"{path}:cancel", {"reason": "out_of_stock"}, key="k-3")
    assert (again.status_code, again.json()["code"]) == (409, "order-cancelled")


@pytest.mark.row("O11", kind="walks")
async def test_carriers_are_listed_for_an_account_or_a_marketplace(client: httpx.AsyncClient, means: Means) -> None:
    del means
    listed = (await client.get("/v1/carriers?account_id=acc_1")).json()
    assert listed == (await client.get("/v1/carriers?marketplace_id=playground")).json()
    yamato = listed["items"][0]
    assert (yamato["code"], yamato["marketplace_value"], yamato["number_pattern"]) == ("yamato", "1001", "[0-9]{12}")
    assert (await client.get("/v1/carriers")).status_code == 422
    assert (await client.get("/v1/carriers?marketplace_id=nowhere")).status_code == 404
    assert (await client.get("/v1/carriers?account_id=acc_9")).status_code == 404


@pytest.mark.row("O19", kind="walks")
async def test_an_account_has_a_carrier_by_default_and_names_of_its_own(
    client: httpx.AsyncClient, means: Means
) -> None:
    order_id = await store(means, ready())
    path = "/v1/order/carriers/acc_1"
    before = await client.get(path)
    assert (before.json()["default_carrier"], before.headers["etag"]) == (None, '"v0"')
    body = {"default_carrier": "ヤマト運輸", "names": {"宅配便 A": "own_van"}}
    chosen = await client.put(path, json=body, headers={"If-Match": '"v0"'})
    assert (chosen.status_code, chosen.json()["default_carrier"]) == (200, "yamato")
    assert (await client.put(path, json=body, headers={"If-Match": '"v0"'})).status_code == 412
    first = await post(
        client, f"/v1/orders/{order_id}/shipments", {"tracking_number": NUMBER, "is_last": False, "lines": None}
    )
    assert (first.status_code, first.json()["code"]) == (409, "lines-needed")
    named = await post(client, f"/v1/orders/{order_id}/shipments", {"carrier_code": "宅配便 a"}, key="k-2")
    assert (named.json()["carrier_code"], named.json()["tracking_url"]) == ("own_van", None)


@pytest.mark.row("O19", kind="refuses")
async def test_a_carrier_that_the_marketplace_does_not_take_is_no_default(
    client: httpx.AsyncClient, means: Means
) -> None:
    del means
    body = {"default_carrier": "la_poste", "names": {}}
    answer = await client.put("/v1/order/carriers/acc_1", json=body, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (409, "carrier-unsupported")
