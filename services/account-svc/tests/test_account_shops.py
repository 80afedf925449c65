"""Internal shops over HTTP on a real Postgres: named, renamed, deleted; and what other shops' callers never reach."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from account_bench import SCOPES, Bench, open_bench, prepare

from account_svc.app import SERVICE
from hanro.service import describe
from hanro.testing.callers import bearer
from hanro.testing.documents import operations
from hanro_local.databases import SchemaUrls

pytestmark = pytest.mark.schema("account", prepare)

# The refusal must come before anything is looked at, so a body of the right form is enough everywhere.
BODIES: dict[str, object] = {}
SECRET = "himitsu-no-namae"


@pytest.fixture
async def bench(urls: SchemaUrls) -> AsyncIterator[Bench]:
    async with open_bench(urls) as opened:
        yield opened


@pytest.mark.row("A4", kind="walks")
async def test_a_shop_is_made_shown_renamed_and_deleted(bench: Bench) -> None:
    made = await bench.public.post("/v1/shops", json={"display_name": "本店"})
    path = made.headers["location"]
    assert (made.status_code, path, made.headers["etag"]) == (201, f"/v1/shops/{made.json()['id']}", '"v1"')
    assert (await bench.public.patch(path, json={"display_name": "二号店"})).status_code == 428
    renamed = await bench.public.patch(path, json={"display_name": "二号店"}, headers={"If-Match": '"v1"'})
    assert (renamed.json()["display_name"], renamed.headers["etag"]) == ("二号店", '"v2"')
    again = await bench.public.patch(path, json={"display_name": "二号店"}, headers={"If-Match": '"v2"'})
    assert again.headers["etag"] == '"v2"'
    assert (await bench.public.get(path)).json() == renamed.json()
    stale = await bench.public.patch(path, json={"display_name": "三号店"}, headers={"If-Match": '"v1"'})
    assert stale.status_code == 412
    assert (await bench.public.delete(path)).status_code == 204
    assert (await bench.public.get(path)).status_code == 404
    assert (await bench.public.delete(path)).status_code == 404


@pytest.mark.row("A4", kind="refuses")
async def test_a_shop_that_accounts_use_is_not_deleted_and_they_are_named(bench: Bench) -> None:
    first, second = await bench.link("一号"), await bench.link("二号")
    shop_id = first["shop_ids"][0]
    await bench.public.patch(
        f"/v1/accounts/{second['id']}",
        json={"shop_ids": [shop_id, *second["shop_ids"]]},
        headers={"If-Match": "*"},
    )
    answer = await bench.public.delete(f"/v1/shops/{shop_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "shop-in-use")
    assert all(one["id"] in answer.json()["detail"] for one in (first, second))
    assert answer.json()["remedy"]["ja"]
    assert (await bench.public.get(f"/v1/shops/{shop_id}")).status_code == 200
    async with bench.db.begin() as tx:
        await tx.execute("update accounts set state = 'unlinked' where id = $1", first["id"])
    await bench.public.patch(
        f"/v1/accounts/{second['id']}", json={"shop_ids": second["shop_ids"]}, headers={"If-Match": "*"}
    )
    assert (await bench.public.delete(f"/v1/shops/{shop_id}")).status_code == 204


async def test_an_account_is_never_bound_to_a_shop_that_is_deleted_at_the_same_moment(bench: Bench) -> None:
    for _ in range(5):
        shop = (await bench.public.post("/v1/shops", json={"display_name": "見本"})).json()
        wish = {"marketplace_id": "rakuten_ichiba", "display_name": "見本", "shop_ids": [shop["id"]]}
        linked, deleted = await asyncio.gather(
            bench.public.post("/v1/accounts", json=wish), bench.public.delete(f"/v1/shops/{shop['id']}")
        )
        assert (linked.status_code, deleted.status_code) in {(201, 409), (409, 204)}


@pytest.mark.row("A1", kind="walks")
@pytest.mark.row("A4", kind="walks")
async def test_several_accounts_of_one_marketplace_stand_side_by_side_each_with_its_shops(bench: Bench) -> None:
    made = [await bench.link(name) for name in ("一号", "二号", "三号")]
    listed = (await bench.public.get("/v1/accounts?marketplace_id=rakuten_ichiba")).json()["items"]
    assert [one["display_name"] for one in listed] == ["一号", "二号", "三号"]
    both = bearer(*SCOPES, shops=(made[0]["shop_ids"][0], made[2]["shop_ids"][0]))
    seen = (await bench.public.get("/v1/accounts", headers=both)).json()["items"]
    assert [one["id"] for one in seen] == [made[0]["id"], made[2]["id"]]
    shops = (await bench.public.get("/v1/shops", headers=both)).json()["items"]
    assert {one["id"] for one in shops} == {made[0]["shop_ids"][0], made[2]["shop_ids"][0]}


@pytest.mark.row("A4", kind="refuses")
async def test_every_route_of_an_account_and_of_a_shop_is_closed_to_callers_of_other_shops(bench: Bench) -> None:
    mine, other = await bench.link("私の店"), await bench.link(SECRET)
    asked = []
    for operation in operations(describe(SERVICE)):
        if "{account_id}" not in operation.path and "{shop_id}" not in operation.path:
            continue
        address = operation.address({"account_id": other["id"], "shop_id": other["shop_ids"][0]})
        answer = await bench.public.request(
            operation.method,
            address,
            json=BODIES.get(str(operation), operation.fitting_body()),
            headers=bearer(operation.scope, shops=(mine["shop_ids"][0],)) | {"If-Match": "*", "Idempotency-Key": "k"},
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "shop-not-yours"), (str(operation), answer.text)
        assert SECRET not in answer.text
        asked.append(str(operation))
    assert len(asked) > 10
    after = await bench.show(other["id"])
    assert (after["version"], after["display_name"]) == (other["version"], SECRET)
