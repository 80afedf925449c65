"""Products, stock and listings over HTTP on a real Postgres: versions guard, bulk answers each entry."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from catalog_svc.app import SERVICE
from catalog_svc.domain.reservations import Reservation
from catalog_svc.settings import CatalogSettings
from catalog_svc.store import listings as listing_store
from catalog_svc.store import reservations as reservation_store
from catalog_svc.store.listings import AccountCopy
from hanro.db import Database, migrate
from hanro.service import Parts, make_apps, open_parts
from hanro.testing.callers import SpokenCallers, bearer, fixed_keyring
from hanro_local.databases import SchemaUrls

MIGRATIONS = Path(__file__).parents[1] / "migrations"
SCOPES = tuple(f"{noun}:{verb}" for noun in ("products", "stock", "listings") for verb in ("read", "write"))
TOWEL = {
    "title": "見本タオル",
    "variants": [{"sku": "TOWEL-M-WH", "title": "M ホワイト"}, {"sku": "TOWEL-S-WH", "title": "S ホワイト"}],
}


def prepare(urls: SchemaUrls) -> None:
    migrate(urls.owner, schema="catalog", migrations=MIGRATIONS, runtime_role="catalog_runtime")


pytestmark = pytest.mark.schema("catalog", prepare)


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    settings = CatalogSettings(database_url=urls.runtime, issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/x"))
    made = open_parts(SERVICE, settings, keyring=fixed_keyring())
    yield made
    await made.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    settings = CatalogSettings(database_url="x", issuer="x", jwks_url="http://x.invalid/", keys_dir=Path("/x"))
    built = SERVICE.build(parts, settings)
    apps = make_apps(SERVICE, parts, built, authenticator=SpokenCallers(), missing=lambda: None)
    transport = httpx.ASGITransport(apps.public)
    async with httpx.AsyncClient(transport=transport, base_url="http://catalog", headers=bearer(*SCOPES)) as made:
        yield made


async def link(db: Database) -> None:
    async with db.begin() as tx:
        known = AccountCopy(id="acc_1", marketplace_id="rakuten_ichiba", state="active", epoch=0, shop_ids=("shp_1",))
        await listing_store.save_accounts(tx, [known])


async def test_a_product_put_twice_is_the_same_and_a_change_needs_its_version(client: httpx.AsyncClient) -> None:
    made = await client.put("/v1/products/TOWEL", json=TOWEL)
    again = await client.put("/v1/products/TOWEL", json=TOWEL)
    assert (made.status_code, again.status_code, again.headers["etag"]) == (201, 200, made.headers["etag"])
    changed = {**TOWEL, "title": "見本バスタオル"}
    assert (await client.put("/v1/products/TOWEL", json=changed)).status_code == 428
    stale = await client.put("/v1/products/TOWEL", json=changed, headers={"If-Match": '"v7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    done = await client.put("/v1/products/TOWEL", json=changed, headers={"If-Match": made.headers["etag"]})
    assert (done.status_code, done.json()["title"], done.headers["etag"]) == (200, "見本バスタオル", '"v2"')


async def test_a_refused_product_names_the_field(client: httpx.AsyncClient) -> None:
    twice = {"title": "x", "variants": [{"sku": "A", "title": "a"}, {"sku": "A", "title": "b"}]}
    answer = await client.put("/v1/products/X", json=twice)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (409, "/variants/1/sku")
    unknown = await client.put("/v1/products/X", json={**TOWEL, "colour": "white"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/colour")


async def test_a_sku_of_another_product_and_one_in_stock_are_refused(client: httpx.AsyncClient) -> None:
    await client.put("/v1/products/TOWEL", json=TOWEL)
    taken = await client.put("/v1/products/OTHER", json={"title": "x", "variants": TOWEL["variants"][:1]})
    assert (taken.status_code, taken.json()["code"]) == (409, "already-exists")
    await client.post("/v1/stock:bulk", json={"items": [{"sku": "TOWEL-S-WH", "on_hand": 1}]})
    fewer = {"title": "見本タオル", "variants": TOWEL["variants"][:1]}
    refused = await client.put("/v1/products/TOWEL", json=fewer, headers={"If-Match": "*"})
    assert (refused.status_code, "TOWEL-S-WH" in refused.json()["detail"]) == (409, True)


async def test_bulk_answers_each_entry_and_one_bad_one_stops_nothing(client: httpx.AsyncClient) -> None:
    items = [
        {"code": "A", **TOWEL},
        {"code": "B", **TOWEL},
        {"code": "C", "title": "c", "variants": [{"sku": "C", "title": "c"}]},
    ]
    answer = await client.post("/v1/products:bulk", json={"items": items})
    assert answer.status_code == 207
    assert [(one["key"], one["status"]) for one in answer.json()["items"]] == [("A", 201), ("B", 409), ("C", 201)]
    listed = await client.get("/v1/products")
    assert [one["code"] for one in listed.json()["items"]] == ["A", "C"]


@pytest.mark.parametrize("codes", [("TOWEL", "TOWEL"), ("TOWEL", "OTHER")])
async def test_twins_that_make_a_product_or_a_sku_at_once_do_it_once(
    client: httpx.AsyncClient, codes: tuple[str, str]
) -> None:
    for number in range(10):
        bodies = [
            {
                "title": title,
                "variants": [{"sku": f"S-{number}", "title": title}, {"sku": f"{title}-{number}", "title": "x"}],
            }
            for title in ("one", "two")
        ]
        answers = await asyncio.gather(
            *(client.put(f"/v1/products/{code}-{number}", json=body) for code, body in zip(codes, bodies, strict=True))
        )
        made = [answer for answer in answers if answer.status_code == 201]
        assert sorted(answer.status_code for answer in answers) == [201, 409 if codes[0] != codes[1] else 428]
        code = made[0].json()["code"]
        assert (await client.get(f"/v1/products/{code}")).json() == made[0].json()


async def test_a_code_that_no_index_holds_and_a_version_of_nothing_are_refused(client: httpx.AsyncClient) -> None:
    long = await client.put(f"/v1/products/{'x' * 3000}", json=TOWEL)
    assert (long.status_code, long.json()["errors"][0]["parameter"]) == (422, "code")
    gone = await client.put("/v1/products/TOWEL", json=TOWEL, headers={"If-Match": '"v1"'})
    assert (gone.status_code, gone.json()["code"]) == (412, "precondition-failed")


async def test_a_sku_that_goes_while_an_offer_is_mapped_to_it_is_kept_or_unknown(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    await link(parts.db)
    fewer = {"title": "見本タオル", "variants": TOWEL["variants"][:1]}
    mapping = {"account_id": "acc_1", "items": [{"keys": {"manage_number": "t-01"}, "sku": "TOWEL-S-WH"}]}
    await client.put("/v1/products/TOWEL", json=TOWEL)
    adopted, dropped = await asyncio.gather(
        client.post("/v1/listings:adopt", json=mapping),
        client.put("/v1/products/TOWEL", json=fewer, headers={"If-Match": "*"}),
    )
    statuses = (adopted.json()["items"][0]["status"], dropped.status_code)
    assert statuses in {(200, 409), (404, 200)}


async def test_more_units_than_a_sku_can_hold_are_refused(client: httpx.AsyncClient) -> None:
    await client.put("/v1/products/TOWEL", json=TOWEL)
    answers = [
        await client.post(
            "/v1/stock/TOWEL-M-WH/movements",
            json={"delta": 1_000_000_000, "cause": "delivery"},
            headers={"Idempotency-Key": f"k-{number}"},
        )
        for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 409]


async def test_what_other_shops_have_mapped_and_sold_is_not_listed(client: httpx.AsyncClient, parts: Parts) -> None:
    await link(parts.db)
    await client.put("/v1/products/TOWEL", json=TOWEL)
    mapping = {"account_id": "acc_1", "items": [{"keys": {"manage_number": "t-01"}, "sku": "TOWEL-S-WH"}]}
    await client.post("/v1/listings:adopt", json=mapping)
    line = Reservation(
        order_id="ord_1",
        line_id="lin_1",
        account_id="acc_1",
        external_id="x",
        placed_at=parts.clock.now(),
        match_key=None,
        title="見本",
        sku=None,
        wanted=1,
        reserved=0,
        shipped=0,
    )
    async with parts.db.begin() as tx:
        await reservation_store.save_reservations(tx, [line])
    for path in ("/v1/listings", "/v1/reservations"):
        mine, theirs = [
            (await client.get(path, headers=bearer(*SCOPES, shops=(shop,)))).json()["items"]
            for shop in ("shp_1", "shp_2")
        ]
        assert (len(mine), theirs) == (1, [])


async def test_stock_is_set_with_its_version(client: httpx.AsyncClient) -> None:
    await client.put("/v1/products/TOWEL", json=TOWEL)
    here = await client.get("/v1/stock/TOWEL-M-WH")
    assert (await client.put("/v1/stock/TOWEL-M-WH", json={"on_hand": 5})).status_code == 428
    done = await client.put("/v1/stock/TOWEL-M-WH", json={"on_hand": 5}, headers={"If-Match": here.headers["etag"]})
    assert (done.status_code, done.json()["available"], done.json()["version"]) == (200, 5, 1)
    late = await client.put("/v1/stock/TOWEL-M-WH", json={"on_hand": 6, "if_version": 0})
    assert late.status_code == 412
    same = await client.put("/v1/stock/TOWEL-M-WH", json={"on_hand": 5, "if_version": 1})
    assert (same.status_code, same.json()["version"]) == (200, 1)


async def test_a_movement_repeated_under_its_key_moves_once(client: httpx.AsyncClient) -> None:
    await client.put("/v1/products/TOWEL", json=TOWEL)
    move = {"delta": 4, "cause": "delivery", "note": "納品"}
    assert (await client.post("/v1/stock/TOWEL-M-WH/movements", json=move)).status_code == 400
    key = {"Idempotency-Key": "delivery-1"}
    first = await client.post("/v1/stock/TOWEL-M-WH/movements", json=move, headers=key)
    second = await client.post("/v1/stock/TOWEL-M-WH/movements", json=move, headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.headers["idempotency-replayed"], second.json()) == ("true", first.json())
    other = await client.post("/v1/stock/TOWEL-M-WH/movements", json={**move, "delta": 5}, headers=key)
    assert other.status_code == 422
    history = (await client.get("/v1/stock/TOWEL-M-WH/movements")).json()["items"]
    assert [(one["delta"], one["on_hand_after"], one["by"]) for one in history] == [(4, 4, "tester")]


async def test_units_that_are_not_there_cannot_leave(client: httpx.AsyncClient) -> None:
    await client.put("/v1/products/TOWEL", json=TOWEL)
    answer = await client.post(
        "/v1/stock/TOWEL-M-WH/movements", json={"delta": -1, "cause": "loss"}, headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (409, "/delta")


async def test_bulk_stock_refuses_the_unknown_the_repeated_and_the_outdated(client: httpx.AsyncClient) -> None:
    await client.put("/v1/products/TOWEL", json=TOWEL)
    items: list[dict[str, object]] = [
        {"sku": "TOWEL-M-WH", "on_hand": 9},
        {"sku": "NOWHERE", "on_hand": 1},
        {"sku": "TOWEL-M-WH", "on_hand": 1},
        {"sku": "TOWEL-S-WH", "on_hand": 1, "if_version": 4},
    ]
    answer = (await client.post("/v1/stock:bulk", json={"items": items})).json()["items"]
    assert [one["status"] for one in answer] == [200, 404, 409, 409]
    assert (await client.get("/v1/stock/TOWEL-M-WH")).json()["on_hand"] == 9


async def test_offers_are_mapped_once_and_bad_ones_are_named(client: httpx.AsyncClient, parts: Parts) -> None:
    await link(parts.db)
    await client.put("/v1/products/TOWEL", json=TOWEL)
    keys = {"manage_number": "Towel-01", "variant_id": "m-white"}
    items = [
        {"keys": keys, "sku": "TOWEL-M-WH"},
        {"keys": {"variant_id": "x"}, "sku": "TOWEL-M-WH"},
        {"keys": {"colour": "x"}, "sku": "TOWEL-M-WH"},
        {"keys": {"manage_number": "y"}, "sku": "NOWHERE"},
    ]
    answer = (await client.post("/v1/listings:adopt", json={"account_id": "acc_1", "items": items})).json()["items"]
    assert [one["status"] for one in answer] == [200, 409, 409, 404]
    # The marketplace folds the listing's key, not the variant's.
    same = {"account_id": "acc_1", "items": [{"keys": {**keys, "manage_number": "TOWEL-01"}, "sku": "TOWEL-M-WH"}]}
    again = (await client.post("/v1/listings:adopt", json=same)).json()["items"]
    assert again[0]["version"] == 1
    assert len((await client.get("/v1/listings?account_id=acc_1")).json()["items"]) == 1


async def test_an_account_of_another_shop_is_refused(client: httpx.AsyncClient, parts: Parts) -> None:
    await link(parts.db)
    body = {"account_id": "acc_1", "items": [{"keys": {"manage_number": "x"}, "sku": "x"}]}
    answer = await client.post("/v1/listings:adopt", json=body, headers=bearer(*SCOPES, shops=("shp_2",)))
    assert (answer.status_code, answer.json()["code"]) == (403, "shop-not-yours")


async def test_a_list_goes_on_by_its_cursor_and_refuses_a_changed_one(client: httpx.AsyncClient) -> None:
    await client.put("/v1/products/TOWEL", json=TOWEL)
    first = await client.get("/v1/stock?limit=1")
    second = await client.get(first.links["next"]["url"])
    assert [one["sku"] for one in (*first.json()["items"], *second.json()["items"])] == ["TOWEL-M-WH", "TOWEL-S-WH"]
    assert "next" not in second.links
    changed = await client.get("/v1/stock?limit=1&cursor=" + first.json()["next"][:-2] + "xx")
    assert (changed.status_code, changed.json()["code"]) == (400, "cursor-invalid")
