"""Proves that a file of parcels is read row by row, acts once, and says of each row what became of it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from order_asks import NUMBER, parcels_of, ready, store
from order_edge import parts_for, serve
from order_playground import Playground, activated, means_for, prepare, tell

from hanro.clock import SystemClock
from hanro.errors import Rejected
from hanro.marketplace.types import CsvRow
from hanro.service import Parts
from hanro.testing.callers import bearer
from hanro_local.databases import SchemaUrls
from order_svc.api import shipment_imports
from order_svc.domain.permits import Ability
from order_svc.domain.shipment_files import KINDS, parcel_of
from order_svc.poller import Means
from order_svc.shipments import Desk

pytestmark = pytest.mark.schema("orders", prepare)

WRITE = bearer("orders:read", "orders:write")
PATH = "/v1/order/shipment-imports"


@pytest.fixture
def playground() -> Playground:
    return Playground()


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
    async with serve(parts, shipment_imports.make_routes(parts.db, parts.cursors, desk)) as made:
        yield made


async def bring(client: httpx.AsyncClient, text: str, *, encoding: str = "utf-8", **query: str) -> httpx.Response:
    return await client.post(
        PATH,
        params={"account_id": "acc_1", **query},
        content=text.encode(encoding),
        headers={"Content-Type": "text/csv"},
    )


async def rows(client: httpx.AsyncClient, answer: httpx.Response) -> list[dict[str, Any]]:
    listed = await client.get(f"{PATH}/{answer.json()['id']}/rows")
    return list(listed.json()["items"])


@pytest.mark.row("O19", kind="walks")
async def test_a_file_of_yamato_asks_for_each_parcel_and_says_what_is_wrong_with_the_others(
    client: httpx.AsyncClient, means: Means
) -> None:
    ids = [await store(means, ready(number)) for number in ("n-1", "n-2", "n-3")]
    text = (
        "お客様管理番号,送り状種類,伝票番号,出荷予定日\r\n"
        "n-1,0,1234-5678-9012,2026/03/02\r\n"
        "n-2,0,123,2026/03/02\r\n"
        "n-9,0,123456789013,2026/03/02\r\n"
        "n-3,0,123456789014,2026/13/02\r\n"
    )
    answer = await bring(client, text, encoding="cp932")
    shown = answer.json()
    assert (answer.status_code, shown["layout"], shown["row_count"], shown["refused_count"]) == (
        201,
        "yamato_b2",
        4,
        3,
    )
    assert shown["unknown_columns"] == ["送り状種類"]
    found = await rows(client, answer)
    assert [(one["number"], one["code"], one["column_name"], one["column_number"]) for one in found] == [
        (2, None, None, None),
        (3, "number-malformed", "伝票番号", 3),
        (4, "order-unknown", "お客様管理番号", 1),
        (5, "day-malformed", "出荷予定日", 4),
    ]
    (parcel,) = await parcels_of(means.db, ids[0])
    assert (parcel.tracking.number, str(parcel.shipped_on), parcel.id) == (
        NUMBER,
        "2026-03-02",
        found[0]["shipment_id"],
    )
    assert [await parcels_of(means.db, one) for one in ids[1:]] == [[], []]


@pytest.mark.row("O19", kind="walks")
async def test_the_same_file_acts_once_and_a_longer_one_only_for_what_is_new(
    client: httpx.AsyncClient, means: Means
) -> None:
    ids = [await store(means, ready(number)) for number in ("n-1", "n-2")]
    text = f"注文番号,配送会社,送り状番号\nn-1,ヤマト,{NUMBER}\n"
    first, again = await bring(client, text), await bring(client, text)
    assert (first.status_code, again.status_code, again.json()["is_repeat"]) == (201, 200, True)
    assert again.json()["id"] == first.json()["id"]
    longer = await bring(client, text + "n-2,ヤマト,123456789013\n")
    assert longer.json()["refused_count"] == 0
    assert [len(await parcels_of(means.db, one)) for one in ids] == [1, 1]


@pytest.mark.row("O19", kind="walks")
async def test_a_dry_run_asks_for_nothing_and_says_the_same(client: httpx.AsyncClient, means: Means) -> None:
    order_id = await store(means, ready("n-1"))
    text = f"注文番号,配送会社,送り状番号\nn-1,ヤマト,{NUMBER}\nn-2,ヤマト,{NUMBER}\n"
    dry = await bring(client, text, is_dry_run="true")
    assert (dry.json()["is_dry_run"], dry.json()["refused_count"]) == (True, 1)
    assert [(one["code"], one["shipment_id"]) for one in await rows(client, dry)] == [
        (None, None),
        ("order-unknown", None),
    ]
    assert await parcels_of(means.db, order_id) == []
    assert (await bring(client, text)).status_code == 201
    assert len(await parcels_of(means.db, order_id)) == 1


async def test_a_file_of_anybody_names_its_columns_and_its_carrier(client: httpx.AsyncClient, means: Means) -> None:
    order_id = await store(means, ready("n-1"))
    answer = await bring(
        client,
        f"倉庫伝票,いつ,番号\nn-1,20260302,{NUMBER}\n",
        order_column="倉庫伝票",
        number_column="番号",
        day_column="いつ",
        carrier_code="yamato",
    )
    assert (answer.status_code, answer.json()["refused_count"]) == (201, 0)
    (parcel,) = await parcels_of(means.db, order_id)
    assert str(parcel.shipped_on) == "2026-03-02"


@pytest.mark.row("O19", kind="refuses")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("何,か\n1,2\n", "layout-unknown"),
        ("お客様管理番号,出荷予定日\nn-1,\n", "column-missing"),
        ("お客様管理番号,伝票番号,伝票番号\nn-1,1,1\n", "column-doubled"),
        ("", "layout-unknown"),
        ("注文番号,送り状番号\n" + "n-1,1\n" * 1001, "rows-too-many"),
    ],
)
async def test_a_file_that_cannot_be_known_is_refused_whole(client: httpx.AsyncClient, text: str, code: str) -> None:
    answer = await bring(client, text)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


@pytest.mark.row("O19", kind="refuses")
async def test_a_byte_that_the_encoding_does_not_have_costs_its_row_alone(
    client: httpx.AsyncClient, means: Means
) -> None:
    order_id = await store(means, ready("n-1"))
    text = f"注文番号,配送会社,送り状番号\r\nn-1,ヤマト,{NUMBER}\r\nn-2,".encode("cp932") + b"\x80,1\r\n"
    answer = await client.post(PATH, params={"account_id": "acc_1"}, content=text, headers={"Content-Type": "text/csv"})
    found = await rows(client, answer)
    assert [(one["number"], one["code"]) for one in found] == [(2, None), (3, "text-unencodable")]
    assert "0x80" in found[1]["detail"]
    assert len(await parcels_of(means.db, order_id)) == 1


async def test_a_file_for_an_account_of_others_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        PATH,
        params={"account_id": "acc_1"},
        content=b"x",
        headers={"Content-Type": "text/csv"} | bearer("orders:write", shops=("shp_2",)),
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_of_file_reads_a_day_however_it_is_written(kind: str) -> None:
    for text in ("2026/3/2", "2026-03-02", "20260302", "2026年3月2日", "2026/03/02 10:00"):
        cells = {"order_number": " n-1 ", "tracking_number": NUMBER, "shipped_on": text}
        assert str(parcel_of(CsvRow(number=2, cells=cells), KINDS[kind]).shipped_on) == "2026-03-02"
    with pytest.raises(Rejected):
        parcel_of(CsvRow(number=2, cells={"order_number": "n-\0", "tracking_number": "1"}), KINDS[kind])
