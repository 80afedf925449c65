"""A seller's file of orders, as RMS gives it for download: known and new orders, twice, with what cannot be read."""

import csv
import io
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import httpx
import pytest
from row_shops import SECONDS, Row
from running_stack import Linked, doors
from sellers import Seller

from hanro_local.demo.api import until
from hanro_local.stack import Stack

KEY = "注文番号"
TITLE, FAMILY_NAME, STREET, UNITS, COMMENT = "商品名", "注文者姓", "注文者住所それ以降の住所", "個数", "コメント"
# A number in a ring, one character for "Ltd.", an old form, half-width kana, a wave, and trail bytes that are 0x5C.
AWKWARD = "①㈱髙ﾊﾝｶｸ〜ソ表能"
LONG_STREET = "見本町" * 85
LARGEST = 1024 * 1024
BOTH_WAYS = ["placed", "open"]
SKU = "SOAP-03"
SOAP = [{"manageNumber": "soap-03", "units": 2}]


async def buy(row: Row) -> str:
    """Let a buyer order at the marketplace, and wait until hanro has it."""
    external_id = str((await row.simulator("POST", "/orders", {"count": 1, "is_plain": True}))["external_ids"][0])

    async def is_there() -> bool:
        return bool(await orders(row, external_id))

    await until(SECONDS, is_there)
    return external_id


async def orders(row: Row, external_id: str) -> list[dict[str, Any]]:
    path = f"/v1/orders?account_id={row.seller.account_id}&external_id={external_id}"
    return list((await row.doors.hanro.call("GET", path)).json()["items"])


async def download(row: Row, known: str, *new: str) -> bytes:
    """Give what RMS gives of one order, and the same once more under other numbers."""
    header, mine = await rows_of(row, known)
    place = header.index(KEY)
    return written([header, *mine, *([*one[:place], number, *one[place + 1 :]] for number in new for one in mine)])


async def rows_of(row: Row, known: str) -> tuple[list[str], list[list[str]]]:
    """Give the header, and the rows of one order, of what RMS gives for download."""
    path = f"/_sim/shops/{row.seller.shop['id']}/orders.csv"
    content = (await row.doors.simulator.call("GET", path)).content
    header, *found = csv.reader(io.StringIO(content.decode("cp932"), newline=""))
    mine = [one for one in found if one[header.index(KEY)] == known]
    assert mine
    return header, mine


def written(rows: Iterable[Sequence[str]]) -> bytes:
    """Write a file as RMS does."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return in_windows(text.getvalue())


def in_windows(text: str) -> bytes:
    """Encode a text as RMS does: one character of JIS has two code points, and cp932 knows the other one."""
    return text.replace("〜", "～").encode("cp932")


async def send(row: Row, content: bytes, more: str = "") -> httpx.Response:
    """Upload a file."""
    hanro = row.doors.hanro
    return await hanro.client.post(
        f"{hanro.base}/v1/order/imports?account_id={row.seller.account_id}{more}",
        content=content,
        headers={"Authorization": f"Bearer {hanro.token}", "Content-Type": "text/csv"},
    )


async def take_in(row: Row, content: bytes, more: str = "") -> dict[str, Any]:
    """Import a file and give the import once it is over."""
    hanro = row.doors.hanro
    answer = await send(row, content, more)
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = {}

    async def is_over() -> bool:
        made.update((await hanro.call("GET", answer.headers["Location"])).json())
        return made["state"] in {"done", "failed"}

    await until(SECONDS, is_over)
    return made


@pytest.mark.row("O5", kind="walks")
@pytest.mark.row("O4", kind="walks")
@pytest.mark.row("O6", kind="walks")
@pytest.mark.row("O3", kind="refuses")
async def test_a_download_of_the_marketplace_is_imported_once_however_often_it_is_sent(working: Row) -> None:
    known = await buy(working)
    new = f"{known[:-10]}9{known[-9:]}"
    assert new != known
    content = await download(working, known, new)
    before = await working.seller.place_in_journal()

    dry = await take_in(working, content, "&dry_run=true")
    assert (dry["state"], dry["orders"]["new"], await orders(working, new)) == ("done", 1, [])
    first = await take_in(working, content)
    assert (first["state"], first["failure"], first["rows"]["refused"]) == ("done", None, 0)
    assert first["layout"]["name"] == "rms_orders"
    assert first["orders"]["new"] == 1
    assert "stock-not-moved" in {one["code"] for one in first["notices"]}
    assert "出力テンプレート「全カラム用ダウンロード」" in first["download"]["steps"]
    for external_id in (known, new):
        (found,) = await orders(working, external_id)
        assert found["work_state"] == "in_progress"
    (found,) = await orders(working, new)
    assert (found["first_seen_by"], found["reserves_stock"], found["is_backfilled"]) == ("csv", False, True)

    again = await take_in(working, content)
    assert (again["orders"]["new"], again["orders"]["changed"]) == (0, 0)
    (same,) = await orders(working, new)
    assert (same["id"], same["version"]) == (found["id"], found["version"])
    asked = {one["path"] for one in await working.seller.requests(before)}
    assert not any("confirm" in path.lower() or "update" in path.lower() for path in asked)


@pytest.mark.row("O3", kind="walks")
@pytest.mark.row("O6", kind="walks")
@pytest.mark.row("O6", kind="refuses")
async def test_orders_of_a_file_move_stock_once_when_they_are_seen_unless_a_movement_named_them(
    shared_stack: Stack, linked: Linked
) -> None:
    async with doors(shared_stack) as opened:
        hanro = opened.hanro
        row = Row(shared_stack, Seller(opened, {"id": linked.shop.number}, linked.account.account_id))
        wish = {"is_plain": True, "count": 2, "lines": SOAP, "hidden_from": BOTH_WAYS}
        numbers = (await row.simulator("POST", "/orders", wish))["external_ids"]
        header, first = await rows_of(row, numbers[0])
        made = await take_in(row, written([header, *first, *(await rows_of(row, numbers[1]))[1]]))
        assert (made["orders"]["new"], made["reserves_stock"]) == (2, False)
        assert "stock-not-moved" in {one["code"] for one in made["notices"]}
        by_hand, by_itself = [(await orders(row, number))[0] for number in numbers]
        moved = {"delta": -2, "cause": "by_hand", "order_id": by_hand["id"], "note": "CSV"}
        await hanro.call("POST", f"/v1/stock/{SKU}/movements", moved)
        seen = {"account_id": linked.account.account_id, "external_ids": numbers}
        for _ in range(2):
            asked = await hanro.call("POST", "/v1/orders:fetch", seen, expected=(202,))

            async def is_read(place: str = asked.headers["location"]) -> bool:
                return bool((await hanro.call("GET", place)).json()["status"] == "applied")

            await until(SECONDS, is_read)
        for order in (by_hand, by_itself):
            (found,) = await orders(row, order["external_id"])
            assert (found["id"], found["reserves_stock"], found["first_seen_by"]) == (order["id"], True, "csv")

        async def held(order: dict[str, Any]) -> list[int]:
            items = (await hanro.call("GET", f"/v1/reservations?order_id={order['id']}")).json()["items"]
            return [one["reserved"] for one in items if one["wanted"]]

        async def is_held() -> bool:
            return bool(await held(by_itself))

        await until(SECONDS, is_held)
        assert (await held(by_itself), await held(by_hand)) == ([2], [])


@pytest.mark.row("O5", kind="walks")
@pytest.mark.row("O5", kind="refuses")
@pytest.mark.row("P19", kind="walks")
@pytest.mark.row("P19", kind="refuses")
@pytest.mark.row("P22", kind="walks")
async def test_every_character_of_cp932_is_kept_and_a_byte_that_is_none_costs_its_row_alone(working: Row) -> None:
    known = await buy(working)
    header, (first, *_) = await rows_of(working, known)
    stem = f"{known[:-10]}8{secrets.randbelow(10**8):08}"
    numbers = [f"{stem}{place}" for place in range(3)]

    def row(number: str, **cells: str) -> list[str]:
        said = {KEY: number, TITLE: AWKWARD, FAMILY_NAME: AWKWARD, STREET: LONG_STREET} | cells
        return [said.get(name, cell) for name, cell in zip(header, first, strict=True)]

    content = written(
        [header, row(numbers[0]), row(numbers[1], **{COMMENT: "<here>"}), row(numbers[2], **{UNITS: "many"})]
    )
    at = content.index(b"<here>") + 3
    made = await take_in(working, content.replace(b"<here>", b"<he\x80e>"))
    assert (made["orders"]["new"], made["rows"]["refused"]) == (1, 2)
    hanro = working.doors.hanro
    listed = await hanro.call("GET", f"/v1/order/imports/{made['id']}/rows?outcome=refused")
    bad, wrong = listed.json()["items"]
    assert (bad["number"], bad["code"], bad["byte_offset"]) == (3, "text-undecodable", at)
    assert (wrong["number"], wrong["code"], wrong["column"]) == (4, "cell-malformed", UNITS)
    assert all(one["message"]["ja"] and one["message"]["en"] for one in (bad, wrong))
    assert [await orders(working, number) for number in numbers[1:]] == [[], []]

    (found,) = await orders(working, numbers[0])
    shown = (await hanro.call("GET", f"/v1/orders/{found['id']}")).json()
    assert shown["lines"][0]["title"] == AWKWARD
    assert AWKWARD in shown["personal"]["buyer"]["name"]["full"]
    assert LONG_STREET in " ".join(shown["personal"]["buyer"]["address"]["lines"])
    columns = "columns=title,buyer_name,buyer_address&encoding=cp932"
    path = f"/v1/orders.csv?{columns}&account_id={working.seller.account_id}&external_id={numbers[0]}"
    exported = (await hanro.call("GET", path)).content
    assert all(in_windows(text) in exported for text in (AWKWARD, LONG_STREET))
    assert b"?" not in exported


@pytest.mark.row("O5", kind="refuses")
async def test_a_file_that_is_none_is_refused_whole_with_what_is_wrong_and_where(working: Row) -> None:
    header, mine = await rows_of(working, await buy(working))
    place = header.index(UNITS)
    before = await imports(working)
    for columns, code, said in (
        ([*header[:place], "", *header[place + 1 :]], "column-missing", UNITS),
        ([*header[:place], "個數", *header[place + 1 :]], "column-missing", "個數"),
        ([*header[:-1], UNITS], "column-doubled", UNITS),
    ):
        answer = await send(working, written([columns, *mine]))
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "header-refused")
        faults = {one["code"]: one["detail"] for one in problem["errors"]}
        assert said in faults[code]
        assert said in problem["detail"]
        assert problem["remedy"]["ja"]
    answer = await send(working, written([header, *mine]), "&mode=replace")
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["parameter"]) == (422, "mode")
    assert "update" in fault["detail"]
    assert "overwrite" in fault["detail"]
    answer = await send(working, written([header, *mine]) + b" " * LARGEST)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert str(LARGEST) in answer.json()["detail"]
    assert await imports(working) == before


async def imports(row: Row) -> list[str]:
    """Give the ids of the account's imports."""
    path = f"/v1/order/imports?account_id={row.seller.account_id}&limit=200"
    return [one["id"] for one in (await row.doors.hanro.call("GET", path)).json()["items"]]
