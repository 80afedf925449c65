"""Proves that orders leave as CSV that a spreadsheet may open, nothing replaced or shown to the wrong one."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator

import httpx
import pytest
from note_subjects import bought, whole_order
from order_edge import parts_for, serve
from order_playground import Playground, activated, means_for, prepare, tell
from order_sightings import NAME, NOON, seen

from hanro.marketplace.types import Sighting
from hanro.service import Parts
from hanro.testing.callers import bearer
from hanro.testing.clock import FixedClock
from hanro_local.databases import SchemaUrls
from order_svc.api import exports
from order_svc.domain.exports import COLUMNS
from order_svc.poller import Poller

pytestmark = pytest.mark.schema("orders", prepare)

PERSONAL = bearer("orders:read", "orders:personal")
PATH = "/v1/orders.csv"


@pytest.fixture
async def parts(urls: SchemaUrls) -> AsyncIterator[Parts]:
    made = parts_for(urls)
    yield made
    await made.close()


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(parts, exports.make_routes(parts.db, parts.keyring)) as made:
        yield made


async def found(parts: Parts, *sightings: Sighting) -> None:
    await tell(parts.db, activated())
    playground = Playground()
    playground.buy(*sightings)
    await Poller(means_for(parts.db, playground, FixedClock(NOON))).poll_due(asyncio.Event())


def table(answer: httpx.Response, encoding: str = "utf-8-sig") -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.content.decode(encoding), newline="")))


@pytest.mark.row("O21", kind="walks")
async def test_chosen_columns_leave_in_their_order_a_row_a_line(client: httpx.AsyncClient, parts: Parts) -> None:
    await found(parts, whole_order())
    answer = await client.get(PATH, params={"columns": "order_number,title,options,quantity,unit_price,tax_rate,total"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith("\ufeff注文番号,商品名".encode())
    assert answer.content.count(b"\r\n") == 3
    number = "100001-20260301-0000000001"
    assert table(answer)[1:] == [
        [number, "煎茶 ①髙級㈱ 100g", "包装: 缶\n産地: 見本", "2", "1080", "0.08", "5920"],
        [number, "湯呑み 白磁", "", "1", "2980", "0.1", "5920"],
    ]


@pytest.mark.row("O21", kind="walks")
async def test_cp932_holds_what_japanese_shops_write(client: httpx.AsyncClient, parts: Parts) -> None:
    title = "①㈱髙〜ﾊﾝｶｸ表ソ能−"
    await found(parts, whole_order(lines=(bought("1", title),)))
    answer = await client.get(PATH, params={"columns": "title", "encoding": "cp932"})
    assert answer.headers["content-type"] == "text/csv; charset=windows-31j"
    # One character of JIS, two code points.
    assert table(answer, "cp932") == [["商品名"], ["①㈱髙～ﾊﾝｶｸ表ソ能－"]]


@pytest.mark.row("O21", kind="refuses")
async def test_a_character_that_cp932_lacks_is_named_with_its_place_and_nothing_is_replaced(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    await found(parts, whole_order(lines=(bought("1", "見本"), bought("2", "贈り物😀"))))
    asked = {"columns": "order_number,title", "encoding": "cp932"}
    answer = await client.get(PATH, params=asked)
    assert (answer.status_code, answer.json()["code"]) == (409, "text-unencodable")
    assert [one["detail"] for one in answer.json()["errors"]] == ["row 3, column title, character 4: U+1F600"]
    assert table(await client.get(PATH, params=asked | {"encoding": "utf-8-sig"}))[2][1] == "贈り物😀"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
@pytest.mark.row("O21", kind="refuses")
async def test_no_cell_is_taken_for_a_formula(client: httpx.AsyncClient, parts: Parts, start: str) -> None:
    await found(parts, whole_order(lines=(bought("1", f'{start}HYPERLINK("http://x.invalid")'),)))
    (_, (title,)) = table(await client.get(PATH, params={"columns": "title"}))
    assert title == f'\'{start}HYPERLINK("http://x.invalid")'


@pytest.mark.row("O21", kind="refuses")
async def test_a_buyer_leaves_only_with_the_scope_for_it(client: httpx.AsyncClient, parts: Parts) -> None:
    await found(parts, whole_order())
    asked = {"columns": "recipient_name,recipient_address,buyer_name", "header": "en"}
    refused = await client.get(PATH, params=asked)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope-missing")
    shown = table(await client.get(PATH, params=asked, headers=PERSONAL))
    assert shown[0] == asked["columns"].split(",")
    assert shown[1] == ["見本 花子", "東京都見本区見本町1-2-3 見本ビル 405号室", "贈 太郎"]
    assert NAME not in (await client.get(PATH, headers=PERSONAL)).text


async def test_a_column_that_is_not_known_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get(PATH, params={"columns": "title,titel"})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "columns")


async def test_a_file_of_many_pages_holds_every_order_once(client: httpx.AsyncClient, parts: Parts) -> None:
    numbers = [f"n-{number:03}" for number in range(401)]
    await found(parts, *(seen(number) for number in numbers))
    answer = await client.get(PATH, params={"columns": "order_number", "encoding": "cp932"})
    assert sorted(row[0] for row in table(answer, "cp932")[1:]) == numbers


@pytest.mark.row("O21", kind="refuses")
async def test_a_file_that_takes_too_long_to_look_through_is_refused_before_it_begins(parts: Parts) -> None:
    await found(parts, *(seen(f"n-{number}") for number in range(3)))
    async with serve(parts, exports.make_routes(parts.db, parts.keyring, most_rows=2)) as small:
        refused = await small.get(PATH, params={"encoding": "cp932"})
        assert (refused.status_code, refused.json()["code"]) == (409, "file-too-large")
        assert "utf-8-sig" in refused.json()["remedy"]["en"]
        one = await small.get(PATH, params={"encoding": "cp932", "external_id": "n-1"})
        whole = await small.get(PATH, params={"encoding": "utf-8-sig"})
    assert [len(table(one, "cp932")), len(table(whole))] == [2, 4]


async def test_filters_narrow_the_file_and_other_shops_see_nothing(client: httpx.AsyncClient, parts: Parts) -> None:
    await found(parts, seen("n-1"), seen("n-2"))
    one = await client.get(PATH, params={"external_id": "n-1", "columns": "order_number"})
    assert table(one)[1:] == [["n-1"]]
    assert table(await client.get(PATH, params={"is_test": "true"}))[1:] == []
    assert table(await client.get(PATH, params={"marketplace_id": "elsewhere"}))[1:] == []
    other = await client.get(PATH, headers=bearer("orders:read", shops=("shp_9",)))
    assert len(table(other)) == 1


async def test_without_a_choice_all_columns_leave_that_show_no_buyer(client: httpx.AsyncClient, parts: Parts) -> None:
    await found(parts, seen())
    answer = await client.get(PATH, params={"header": "en"})
    assert table(answer)[0] == [name for name, column in COLUMNS.items() if not column.is_personal]
