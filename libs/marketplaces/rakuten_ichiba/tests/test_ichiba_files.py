"""Order files are read as RMS writes them, and as a spreadsheet leaves them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from ichiba_files import OLD_TEXT, PRESENT_TEXT, rows_of, write
from ichiba_session import open_shop_session
from ichiba_wire import open_shop, running_simulator

from hanro.errors import Rejected
from hanro.marketplace import read_csv, status_of
from hanro.marketplace.types import Detail, DiscountKind, Hold, OrderRef, OrderStatus, Party, SeenOrder
from hanro.testing.conformance.files import covered
from hanro_rakuten_ichiba.mapping.files.cells import BadCell, day, moment, phone_parts, zip_codes
from hanro_rakuten_ichiba.mapping.files.columns import OLD_COLUMNS, PRESENT_COLUMNS
from hanro_rakuten_ichiba.orders import IchibaOrders
from hanro_rakuten_ichiba.plugin import plugin


def read(text: str) -> SeenOrder:
    file = read_csv(plugin.order_layouts, text.encode("cp932", errors="strict"))
    assert file.faults == ()
    assert file.layout.read is not None
    (order,) = [file.layout.read(group) for group in file.groups]
    return order


def present(**cells: str) -> SeenOrder:
    return read(write([row | cells for row in rows_of(PRESENT_TEXT)], PRESENT_COLUMNS))


def old(**cells: str) -> SeenOrder:
    return read(write([row | cells for row in rows_of(OLD_TEXT)], OLD_COLUMNS))


def test_both_files_have_the_columns_of_the_dossier() -> None:
    assert [len(layout.columns) for layout in plugin.order_layouts] == [158, 126]
    assert all(layout.encodings == ("cp932", "utf-8-sig") for layout in plugin.order_layouts)
    download = plugin.order_layouts[0].download
    assert download is not None
    assert [step for step in download.steps if "全カラム" in step or "ユーザ名" in step]


@pytest.mark.row("O5", kind="walks")
def test_the_sample_is_read_with_what_no_column_tells_left_open() -> None:
    order = present()
    assert order.lacks == {Detail.PAYMENT, Detail.DISPATCH}
    assert order.has_all_lines
    assert order.packages[0].parcels == ()
    assert order.differences == ()
    assert order.seen_at == datetime(2026, 5, 12, 15, 7, 43, tzinfo=UTC)
    told = [(one.kind, one.paid_by, one.amount.text, one.code) for one in order.discounts]
    assert told == [
        (DiscountKind.COUPON, Party.SELLER, "500", "AAAA-BBBB-CCCC-0001"),
        (DiscountKind.COUPON, Party.MARKETPLACE, "100", "AAAA-BBBB-CCCC-0002"),
        (DiscountKind.POINTS, Party.MARKETPLACE, "300", None),
    ]


def test_a_file_that_a_spreadsheet_saved_is_the_same_order() -> None:
    def saved(row: dict[str, str]) -> dict[str, str]:
        times = {name: cell for name, cell in row.items() if name.endswith("日時") and cell}
        changed = {
            name: f"{int(cell[5:7])}/{int(cell[8:10])}/{cell[:4]} {int(cell[11:13])}:{cell[14:16]}"
            for name, cell in times.items()
        }
        stripped = {
            name: str(int(cell))
            for name, cell in row.items()
            if cell and cell.isdecimal() and ("電話番号" in name or "郵便番号" in name)
        }
        return {**row, **changed, **stripped, "お届け日指定": "5/14/2026"}

    def at_minutes(order: SeenOrder) -> list[datetime]:
        return [one.at.replace(second=0) for one in (order.placed, *order.times.values())]

    order, again = present(), read(write([saved(row) for row in rows_of(PRESENT_TEXT)], PRESENT_COLUMNS))
    assert (again.buyer, again.packages, again.wish) == (order.buyer, order.packages, order.wish)
    assert at_minutes(again) == at_minutes(order)


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("2026-05-11 10:15:30", "2026-05-11T10:15:30+0900"),
        ("5/11/2026 9:05", "2026-05-11T09:05:00+0900"),
        ("2026/5/11 9:05", "2026-05-11T09:05:00+0900"),
        ("", None),
    ],
)
def test_both_forms_of_a_time_are_read(cell: str, iso: str | None) -> None:
    assert moment(cell) == iso
    assert day(cell) == (iso and "2026-05-11")


@pytest.mark.parametrize("cell", ["13/32/2026 9:05", "2026-02-30 10:00:00", "昨日", "2026-05-11T10:15", "46153.4"])
def test_what_is_no_time_is_told(cell: str) -> None:
    with pytest.raises(BadCell):
        moment(cell)


@pytest.mark.parametrize(
    ("cells", "parts"),
    [
        (("3", "0", "1"), ("03", "0000", "0001")),
        (("03", "0000", "0001"), ("03", "0000", "0001")),
        (("45", "12", "34"), ("045", "012", "0034")),
        (("90", "12", "34"), ("090", "0012", "0034")),
        (("120", "12", "345"), ("0120", "12", "345")),
        (("+81", "3", "1"), ("+81", "3", "1")),
        (("", "", ""), (None, None, None)),
    ],
)
def test_a_telephone_number_gets_back_zeros_that_are_certain(cells: tuple[str, ...], parts: tuple[str, ...]) -> None:
    assert phone_parts(*cells) == parts


def test_a_postal_code_gets_back_its_zeros() -> None:
    assert zip_codes("6", "1") == ("006", "0001")
    assert zip_codes("100", "0000") == ("100", "0000")
    assert zip_codes("SW1A", "") == ("SW1A", None)


@pytest.mark.row("O5", kind="refuses")
@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("個数", "2個", "cell-malformed"),
        ("商品明細ID", "9.00E+07", "cell-malformed"),
        ("商品明細ID", "", "cell-malformed"),
        ("商品明細ID", "1", "cell-malformed"),
        ("単価", "-", "cell-malformed"),
        ("注文日時", "", "cell-malformed"),
        ("ステータス", "350", "unknown-status"),
        ("税込別", "2", "cell-malformed"),
        ("合計金額", "", "cell-malformed"),
    ],
)
def test_a_bad_cell_is_refused_by_row_and_column_and_not_told_again(column: str, cell: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        present(**{column: cell})
    assert refused.value.code == code
    named = "注文番号" if cell == "1" else column
    assert refused.value.field == f"rows.2.{named}"
    assert f"Row 2, column {named}" in refused.value.why
    assert "見本" not in refused.value.why


def test_undecided_money_is_no_money() -> None:
    order = present(送料合計="-9999", 合計金額="-9999", 請求金額="-9999")
    assert Hold.AMOUNT in order.holds
    assert order.totals.total is not None
    assert order.totals.total.money is None


def test_destinations_are_told_apart_and_an_island_is_certain_for_one_alone() -> None:
    first, second = rows_of(PRESENT_TEXT)
    two = [first | {"離島フラグ": "1"}, second | {"送付先ID": "90010009", "送付先姓": "別人"}]
    order = read(write(two, PRESENT_COLUMNS))
    assert [package.external_id for package in order.packages] == ["90010001", "90010009"]
    assert [line.package_id for line in order.lines] == ["90010001", "90010009"]
    assert [package.address and package.address.is_remote_island for package in order.packages] == [False, False]
    (package,) = present(離島フラグ="1").packages
    assert package.address is not None
    assert package.address.is_remote_island


def test_an_order_of_the_old_file_is_read_with_its_sentinels_and_its_parcel() -> None:
    order = old()
    assert status_of(order.lines) is OrderStatus.READY
    assert Hold.AMOUNT in order.holds
    assert order.totals.goods is not None
    assert order.totals.goods.text == "9390"
    assert [line.external_id for line in order.lines] == ["1", "2"]
    assert [line.package_id for line in order.lines] == ["1", "2"]
    ((parcel,), other) = (package.parcels for package in order.packages)
    assert (parcel.carrier_code, parcel.number, parcel.shipped_on) == ("yamato", "000000000011", date(2018, 5, 12))
    assert other == ()
    assert order.lines[0].details["delvdateInfo"] == "1〜2日以内に発送予定"


def test_a_state_that_no_list_holds_is_refused_by_its_cell() -> None:
    with pytest.raises(Rejected) as refused:
        old(受注ステータス="店長確認中")
    assert (refused.value.code, refused.value.field) == ("unknown-status", "rows.2.受注ステータス")


async def test_what_the_simulator_writes_is_read_as_the_api_shows_it(tmp_path: Path) -> None:
    with running_simulator(tmp_path) as simulator:
        shop = open_shop(simulator, "999001")
        numbers = shop.control("POST", "/orders", {"count": 40})["external_ids"]
        found = await IchibaOrders(open_shop_session(shop).session).fetch([OrderRef(external_id=n) for n in numbers])
        shown = {one.external_id: one for one in found.sightings if isinstance(one, SeenOrder)}
        for name in ("new", "old"):
            file = read_csv(
                plugin.order_layouts, simulator.send("GET", f"/_sim/shops/999001/orders.csv?layout={name}").body
            )
            assert (file.faults, file.unknown_columns, len(file.groups)) == ((), (), len(shown))
            assert file.layout.read is not None
            for order in map(file.layout.read, file.groups):
                same = shown[order.external_id]
                assert covered(file.layout, order) == covered(file.layout, same)


def test_raw_holds_the_rows_and_no_repr_shows_them() -> None:
    order = present()
    assert "見本町1-2-3" in order.raw.decode()
    assert "見本町" not in repr(order)
