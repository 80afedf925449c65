"""Files of orders over REST and through the importer, on a real Postgres: once, twice, beside the marketplace."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest
from order_edge import parts_for, serve
from order_files import COLUMNS, DOWNLOAD, ROW, plugin, rows, written
from order_playground import Playground, activated, count, means_for, prepare, recorded, tell
from order_sightings import NOON, seen

from hanro.clock import SystemClock
from hanro.db import Database
from hanro.marketplace.types import OrderStatus
from hanro.service import Parts
from hanro.testing.callers import bearer
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc import accounts, imports
from order_svc.api import imports as imports_api
from order_svc.api import orders as orders_api
from order_svc.importer import Importer
from order_svc.poller import Poller

pytestmark = pytest.mark.schema("orders", prepare)

CALLER = bearer("orders:read", "orders:write", "orders:personal")
LARGEST = 64 * 1024
FIRST = ROW["注文番号"]


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
def playground() -> Playground:
    return Playground()


@pytest.fixture
async def client(parts: Parts, playground: Playground) -> AsyncIterator[httpx.AsyncClient]:
    await tell(parts.db, activated())
    plugins = {playground.id: plugin(playground)}
    async with serve(
        parts,
        orders_api.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors),
        imports_api.make_routes(
            parts.db, parts.keyring, parts.idempotency, parts.cursors, plugins, largest_bytes=LARGEST
        ),
        caller=CALLER,
    ) as made:
        yield made


Send = Callable[..., Any]


@pytest.fixture
def send(client: httpx.AsyncClient, parts: Parts, playground: Playground) -> Send:
    """Give what uploads a file, lets the importer work, and gives the import as it is then."""

    async def sent(content: bytes, **said: str) -> dict[str, Any]:
        fields = {"account_id": "acc_1", **said}
        answer = await client.post("/v1/order/imports", data=fields, files={"file": ("orders.csv", content)})
        assert answer.status_code == 202, answer.text
        await work(parts, playground)
        return dict((await client.get(answer.headers["Location"])).json())

    return sent


async def work(parts: Parts, playground: Playground) -> None:
    importer = Importer(parts.db, parts.keyring, {playground.id: plugin(playground)}, SystemClock())
    while await importer.take_next(asyncio.Event()):
        pass


async def poll(parts: Parts, playground: Playground) -> None:
    await Poller(means_for(parts.db, playground, FixedClock(NOON))).poll_due(asyncio.Event())


async def order(client: httpx.AsyncClient, external_id: str = FIRST) -> dict[str, Any]:
    listed = (await client.get("/v1/orders", params={"external_id": external_id})).json()["items"]
    (found,) = [one for one in listed if one["external_id"] == external_id]
    return dict((await client.get(f"/v1/orders/{found['id']}")).json())


async def refused(client: httpx.AsyncClient, made: Mapping[str, Any]) -> list[dict[str, Any]]:
    address = f"/v1/order/imports/{made['id']}/rows"
    return list((await client.get(address, params={"outcome": "refused"})).json()["items"])


async def calls(db: Database) -> int:
    return await count(db, "operations")


@pytest.mark.row("O5", kind="walks")
@pytest.mark.row("O4", kind="walks")
@pytest.mark.row("O18", kind="walks")
async def test_a_file_brings_orders_that_are_in_progress_and_nothing_goes_out(
    client: httpx.AsyncClient, send: Send, parts: Parts, playground: Playground
) -> None:
    made = await send(written(rows(3)))
    assert (made["state"], made["rows"]) == ("done", {"read": 3, "done": 3, "refused": 0})
    assert made["orders"] == {"new": 3, "changed": 0, "unchanged": 0}
    assert made["download"]["steps"] == list(DOWNLOAD.steps)
    found = await order(client)
    assert (found["work_state"], found["status"], found["first_seen_by"]) == ("in_progress", "new", "csv")
    assert found["is_backfilled"]
    assert found["personal"]["buyer"]["name"]["full"] == "見本 花子"
    bought = (await client.post("/v1/orders:search", json={"by": "name", "text": "見本花子"})).json()["items"]
    assert FIRST in {one["external_id"] for one in bought}
    assert found["lines"][0]["title"] == "煎茶 ①髙級㈱"
    assert (await calls(parts.db), playground.journal) == (0, [])
    assert await count(parts.db, "import_chunks") == 0


@pytest.mark.row("O5", kind="walks")
@pytest.mark.row("O3", kind="walks")
async def test_the_same_file_again_changes_nothing(client: httpx.AsyncClient, send: Send, parts: Parts) -> None:
    await send(written(rows(3)))
    before = await recorded(parts.db)
    again = await send(written(rows(3)))
    assert again["orders"] == {"new": 0, "changed": 0, "unchanged": 3}
    shuffled = await send(written(rows(3), columns=COLUMNS[::-1], encoding="utf-8-sig", end="\n"))
    assert shuffled["orders"] == {"new": 0, "changed": 0, "unchanged": 3}
    assert await recorded(parts.db) == before
    assert len(before) == 3
    listed = (await client.get("/v1/order/imports")).json()["items"]
    assert [one["id"] for one in listed][:2] == [shuffled["id"], again["id"]]


@pytest.mark.row("O5", kind="walks")
@pytest.mark.row("O3", kind="walks")
async def test_an_order_that_the_marketplace_showed_stays_as_it_was_shown_and_is_set_in_progress(
    client: httpx.AsyncClient, send: Send, parts: Parts, playground: Playground
) -> None:
    playground.buy(seen(FIRST))
    await poll(parts, playground)
    shown = await order(client)
    made = await send(written(rows(2, 個数="9", 氏名="別 人")))
    assert made["orders"] == {"new": 1, "changed": 1, "unchanged": 0}
    found = await order(client)
    assert (found["id"], found["work_state"], found["status"]) == (shown["id"], "in_progress", "new")
    assert (found["lines"], found["personal"]) == (shown["lines"], shown["personal"])
    again = await send(written(rows(2, 個数="9", 氏名="別 人")))
    assert again["orders"] == {"new": 0, "changed": 0, "unchanged": 2}


@pytest.mark.row("O6", kind="walks")
@pytest.mark.row("O3", kind="walks")
async def test_what_the_marketplace_shows_later_is_the_same_order_and_outranks_the_file(
    client: httpx.AsyncClient, send: Send, parts: Parts, playground: Playground
) -> None:
    await send(written(rows(1, 個数="9")))
    before = await order(client)
    assert not before["reserves_stock"]
    playground.buy(seen(FIRST))
    await poll(parts, playground)
    found = await order(client)
    assert (found["id"], found["version"], found["reserves_stock"]) == (before["id"], 2, True)
    assert (found["lines"][0]["quantity"], found["lines"][0]["id"]) == (1, before["lines"][0]["id"])
    assert (found["work_state"], found["is_backfilled"], found["first_seen_by"]) == ("in_progress", True, "csv")
    await poll(parts, playground)
    assert (await order(client))["version"] == 2


@pytest.mark.row("O6", kind="walks")
async def test_the_answer_says_whether_stock_moves_and_the_switch_lets_it(
    client: httpx.AsyncClient, send: Send
) -> None:
    quiet = await send(written(rows(1)))
    (notice,) = quiet["notices"]
    assert (notice["code"], "手動" in notice["message"]["ja"]) == ("stock-not-moved", True)
    moving = await send(written(rows(1)), reserves_stock="true")
    assert (moving["notices"], moving["orders"]["changed"]) == ([], 1)
    assert (await order(client))["reserves_stock"]
    await send(written(rows(1)))
    assert (await order(client))["reserves_stock"]


@pytest.mark.row("O5", kind="walks")
async def test_update_keeps_what_is_blank_and_overwrite_clears_it(client: httpx.AsyncClient, send: Send) -> None:
    await send(written(rows(1, メモ="至急")))
    kept = await send(written(rows(1, コメント="", 氏名="見本 太郎", 個数="2")), mode="update")
    assert kept["orders"]["changed"] == 1
    found = await order(client)
    assert found["personal"]["notes"] == {"コメント": "玄関へ", "メモ": "至急"}
    assert (found["personal"]["buyer"]["name"]["full"], found["lines"][0]["quantity"]) == ("見本 太郎", 2)
    cleared = await send(written(rows(1, コメント="", メール="")), mode="overwrite")
    assert cleared["orders"]["changed"] == 1
    found = await order(client)
    assert found["personal"]["notes"] == {}
    assert found["personal"]["buyer"]["email"] is None


async def test_a_file_never_moves_an_order_back(client: httpx.AsyncClient, send: Send) -> None:
    for status, shown in (
        ("accepted", "accepted"),
        ("shipped", "shipped"),
        ("new", "shipped"),
        ("cancelled", "cancelled"),
    ):
        for mode in ("update", "overwrite"):
            await send(written(rows(1, ステータス=status)), mode=mode)
            assert (await order(client))["status"] == shown
    assert (await order(client))["work_state"] == "cancelled"


async def test_an_order_that_is_shipped_or_cancelled_is_not_set_in_progress(
    client: httpx.AsyncClient, send: Send
) -> None:
    await send(written(rows(1, ステータス=OrderStatus.SHIPPED.value)))
    assert (await order(client))["work_state"] == "shipped"


@pytest.mark.row("O5", kind="walks")
async def test_a_dry_run_says_the_same_and_stores_nothing(client: httpx.AsyncClient, send: Send, parts: Parts) -> None:
    await send(written(rows(1)))
    before = await recorded(parts.db)
    content = written([*rows(2, 個数="3"), {**ROW, "注文番号": "x", "個数": "many"}])
    made = await send(content, dry_run="true")
    assert made["orders"] == {"new": 1, "changed": 1, "unchanged": 0}
    assert made["rows"] == {"read": 3, "done": 3, "refused": 1}
    assert [one["code"] for one in made["notices"]] == ["stock-not-moved", "dry-run"]
    listed = (await client.get(f"/v1/order/imports/{made['id']}/rows")).json()["items"]
    assert [(one["number"], one["outcome"], one["order_id"] is None) for one in listed] == [
        (2, "changed", False), (3, "new", True), (4, "refused", True),
    ]  # fmt: skip
    assert (await recorded(parts.db), await count(parts.db, "orders")) == (before, 1)
    assert (await order(client))["lines"][0]["quantity"] == 1


@pytest.mark.row("O5", kind="walks")
async def test_rows_of_an_order_that_stand_apart_are_one_order(client: httpx.AsyncClient, send: Send) -> None:
    many = rows(300)
    made = await send(written([*many, {**many[0], "明細ID": "2"}, {**many[250], "明細ID": "2"}]))
    assert made["rows"] == {"read": 302, "done": 302, "refused": 0}
    assert made["orders"]["new"] == 300
    assert [one["external_id"] for one in (await order(client))["lines"]] == ["1", "2"]


@pytest.mark.row("O5", kind="refuses")
@pytest.mark.row("P19", kind="walks")
async def test_what_cannot_be_read_is_refused_by_row_with_its_place_and_the_rest_goes_on(
    client: httpx.AsyncClient, send: Send
) -> None:
    cells = rows(5)
    cells[1]["コメント"] = "<here>"
    cells[2]["個数"] = "many"
    cells.append({**cells[1], "明細ID": "2", "コメント": ""})
    content = written(cells)
    at = content.index(b"<here>")
    made = await send(content.replace(b"<here>", b"<he\xffe>"))
    assert (made["orders"]["new"], made["rows"]["refused"]) == (3, 3)
    found = await refused(client, made)
    told = [(one["number"], one["code"], one["column"], one["byte_offset"]) for one in found]
    assert told == [
        (3, "text-undecodable", None, at + 3),
        (4, "cell-malformed", "個数", None),
        (7, "order-incomplete", None, None),
    ]
    assert all(one["message"]["ja"] and one["message"]["en"] for one in found)
    assert "3行目" in found[2]["message"]["ja"]


@pytest.mark.row("O5", kind="refuses")
@pytest.mark.parametrize(
    ("columns", "mode", "codes", "told"),
    [
        ([one for one in COLUMNS if one != "個数"], "update", {"column-missing"}, "個数"),
        (["個數" if one == "商品名" else one for one in COLUMNS], "update", {"column-missing"}, "商品名"),
        (["メモ欄" if one == "メモ" else one for one in COLUMNS], "update", {"column-missing"}, "メモ欄"),
        ([*COLUMNS, "個数"], "update", {"column-doubled"}, "個数"),
        ([one for one in COLUMNS if one != "メモ"], "overwrite", {"column-missing"}, "メモ"),
        (["a", "b"], "update", {"layout-unknown"}, "first row"),
    ],
)
async def test_a_header_is_refused_by_the_names_at_fault(
    client: httpx.AsyncClient, parts: Parts, *, columns: list[str], mode: str, codes: set[str], told: str
) -> None:
    content = written(rows(1), columns=columns)
    answer = await client.post(
        "/v1/order/imports",
        params={"account_id": "acc_1", "mode": mode},
        headers={"Content-Type": "text/csv"},
        content=content,
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "header-refused")
    assert {one["code"] for one in answer.json()["errors"]} == codes
    assert told in answer.json()["detail"]
    assert answer.json()["remedy"]["ja"]
    assert (await count(parts.db, "imports"), await count(parts.db, "import_chunks")) == (0, 0)


async def test_columns_that_are_not_known_or_need_not_be_there_are_told(send: Send) -> None:
    made = await send(written(rows(1), columns=["新しい列", *(one for one in COLUMNS if one != "メモ")]))
    assert {one["code"]: one["columns"] for one in made["notices"]} == {
        "stock-not-moved": [],
        "columns-unknown": ["新しい列"],
        "columns-absent": ["メモ"],
    }
    assert made["orders"]["new"] == 1


@pytest.mark.row("O5", kind="refuses")
@pytest.mark.parametrize("is_form", [True, False])
async def test_another_mode_is_refused_and_both_are_named(client: httpx.AsyncClient, *, is_form: bool) -> None:
    said = {"account_id": "acc_1", "mode": "replace"}
    content = written(rows(1))
    answer = (
        await client.post("/v1/order/imports", data=said, files={"file": ("x.csv", content)})
        if is_form
        else await client.post("/v1/order/imports", params=said, content=content, headers={"Content-Type": "text/csv"})
    )
    assert answer.status_code == 422
    assert "update" in answer.text
    assert "overwrite" in answer.text


@pytest.mark.row("O5", kind="refuses")
async def test_a_file_that_is_too_large_is_refused_and_nothing_of_it_is_kept(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    content = written(rows(1)) + b" " * LARGEST

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    answer = await client.post(
        "/v1/order/imports",
        params={"account_id": "acc_1"},
        headers={"Content-Type": "text/csv"},
        content=in_pieces(),
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert await count(parts.db, "imports") == 0


async def test_a_key_that_comes_again_takes_the_file_in_once(client: httpx.AsyncClient, parts: Parts) -> None:
    async def post(content: bytes) -> httpx.Response:
        return await client.post(
            "/v1/order/imports",
            params={"account_id": "acc_1"},
            headers={"Content-Type": "text/csv", "Idempotency-Key": "k1"},
            content=content,
        )

    first, again = [await post(written(rows(1))) for _ in range(2)]
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert again.json()["id"] == first.json()["id"]
    assert (await post(written(rows(2)))).json()["code"] == "idempotency-key-reused"
    assert (await count(parts.db, "imports"), await count(parts.db, "import_chunks")) == (1, 1)


@pytest.mark.parametrize("shops", [(), ("shp_2",)])
async def test_another_shops_account_is_not_there(
    client: httpx.AsyncClient, send: Send, shops: tuple[str, ...]
) -> None:
    made = await send(written(rows(1)))
    stranger = bearer("orders:read", "orders:write", shops=shops)
    answer = await client.post(
        "/v1/order/imports",
        params={"account_id": "acc_1"},
        headers={**stranger, "Content-Type": "text/csv"},
        content=written(rows(1)),
    )
    assert answer.status_code == 404
    for address in (f"/v1/order/imports/{made['id']}", f"/v1/order/imports/{made['id']}/rows"):
        assert (await client.get(address, headers=stranger)).status_code == 404
    assert (await client.get("/v1/order/imports", headers=stranger)).json()["items"] == []


@pytest.mark.row("O16", kind="refuses")
async def test_a_file_does_not_bring_an_erased_buyer_back(client: httpx.AsyncClient, send: Send, parts: Parts) -> None:
    await send(written(rows(1)))
    found = await order(client)
    await client.post(f"/v1/orders/{found['id']}:erase-buyer")
    for mode in ("update", "overwrite"):
        await send(written(rows(1, 個数="4")), mode=mode)
    after = await order(client)
    assert after["personal"] is None
    assert after["lines"][0]["quantity"] == 4
    assert (await count(parts.db, "buyers"), await count(parts.db, "raw_orders")) == (0, 0)


@pytest.mark.row("O3", kind="walks")
async def test_files_and_pages_side_by_side_make_one_order_each(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    numbers = [one["注文番号"] for one in rows(30)]
    playground.buy(*(seen(number) for number in numbers))
    for _ in range(4):
        answer = await client.post(
            "/v1/order/imports", data={"account_id": "acc_1"}, files={"file": ("x.csv", written(rows(30)))}
        )
        assert answer.status_code == 202
    await asyncio.gather(*(work(parts, playground) for _ in range(3)), *(poll(parts, playground) for _ in range(2)))
    assert await count(parts.db, "orders") == 30
    placed = [key for kind, key in await recorded(parts.db) if kind == "hanro.order.placed.v1"]
    assert (len(placed), len(set(placed))) == (30, 30)
    states = (await client.get("/v1/order/imports")).json()["items"]
    assert [one["state"] for one in states] == ["done"] * 4
    # Whoever came first: each stands as the marketplace shows it, and is being worked on.
    listed = (await client.get("/v1/orders", params={"limit": 100})).json()["items"]
    shown = [(await client.get(f"/v1/orders/{one['id']}")).json() for one in listed]
    assert {one["external_id"] for one in shown} == set(numbers)
    assert {(one["work_state"], one["status"]) for one in shown} == {("in_progress", "new")}
    as_shown = seen(numbers[0]).lines
    for one in shown:
        lines = [(line["external_id"], line["title"], line["quantity"]) for line in one["lines"]]
        assert lines == [(line.external_id, line.title, line.quantity) for line in as_shown]


async def test_layouts_show_columns_and_the_way_to_the_file(client: httpx.AsyncClient) -> None:
    for params in ({}, {"marketplace_id": "playground"}):
        (layout,) = (await client.get("/v1/order/layouts", params=params)).json()["layouts"]
        assert [one["name"] for one in layout["columns"]] == list(COLUMNS)
        assert "ユーザ名、パスワードを入力" in layout["download"]["steps"]
    assert (await client.get("/v1/order/layouts", params={"marketplace_id": "nowhere"})).status_code == 404


async def test_an_unlinked_accounts_file_is_given_up(
    client: httpx.AsyncClient, parts: Parts, playground: Playground
) -> None:
    answer = await client.post(
        "/v1/order/imports", data={"account_id": "acc_1"}, files={"file": ("x.csv", written(rows(1)))}
    )
    await tell(parts.db, activated(2, account_epoch=2, state="unlinking"))
    async with parts.db.begin() as tx:
        assert await accounts.erase(tx, "acc_1") == 2
    await work(parts, playground)
    made = (await client.get(answer.headers["Location"])).json()
    assert (made["state"], made["failure"]["code"]) == ("failed", "epoch-past")
    assert (await count(parts.db, "import_chunks"), await count(parts.db, "orders")) == (0, 0)
    late = await client.post(
        "/v1/order/imports", data={"account_id": "acc_1"}, files={"file": ("x.csv", written(rows(1)))}
    )
    assert (late.status_code, late.json()["code"]) == (409, "epoch-past")


async def test_what_is_old_is_forgotten(client: httpx.AsyncClient, send: Send, parts: Parts) -> None:
    old, young = await send(written(rows(1))), await send(written(rows(1)))
    async with parts.db.begin() as tx:
        await tx.execute("update imports set finished_at = finished_at - interval '31 days' where id = $1", old["id"])
        await tx.execute(
            "insert into imports (id, state, created_at, changed_at) select 'imp_x', 'uploading', at, at"
            " from (select orders.now() - interval '2 hours' as at) clock"
        )
    for expected in (1, 1, 0):
        async with parts.db.begin() as tx:
            assert await imports.forget_old(tx) == expected
    listed = (await client.get("/v1/order/imports")).json()["items"]
    assert [one["id"] for one in listed] == [young["id"]]
