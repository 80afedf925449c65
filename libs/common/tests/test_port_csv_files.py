"""A CSV file is known by its header, read by its bytes, and refused by the name of what is wrong."""

import csv
import io

import pytest

from hanro.errors import Rejected
from hanro.marketplace import CsvFile, read_csv
from hanro.marketplace.types import CsvColumn, CsvLayout

COLUMNS = ("注文番号", "品名", "個数", "備考")


def layout(name: str, *columns: str, optional: str = "") -> CsvLayout:
    return CsvLayout(
        name=name,
        version="1",
        encodings=("cp932", "utf-8-sig"),
        columns=tuple(CsvColumn(name=one, aliases=(f"{one}（旧）",), is_required=one != optional) for one in columns),
        group_by=(columns[0],),
        covers=frozenset(),
        download=None,
    )


LAYOUTS = (layout("orders", *COLUMNS, optional="備考"), layout("old", "受注番号", "商品", "数"))


def written(*rows: tuple[str, ...], header: tuple[str, ...] = COLUMNS, encoding: str = "cp932") -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([header, *rows])
    return text.getvalue().encode(encoding)


def numbers(file: CsvFile) -> list[list[int]]:
    return [[row.number for row in group] for group in file.groups]


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
def test_a_file_is_read_whatever_its_encoding_with_line_ends_in_its_cells(encoding: str) -> None:
    file = read_csv(LAYOUTS, written(("1", "①髙表～", "2", '一行\n二行,"引用"'), encoding=encoding))
    (group,) = file.groups
    assert (file.layout.name, group[0].number) == ("orders", 2)
    assert group[0].cells == {"注文番号": "1", "品名": "①髙表～", "個数": "2", "備考": '一行\n二行,"引用"'}
    assert file.encoding == ("cp932" if encoding == "cp932" else "utf-8-sig")
    assert (file.faults, file.unknown_columns) == ((), ())


def test_rows_of_a_group_may_stand_apart_and_blank_lines_count_as_rows() -> None:
    first, *rest = written(("1", "a", "1", ""), ("2", "b", "1", ""), ("1", "c", "1", "")).splitlines(keepends=True)
    assert numbers(read_csv(LAYOUTS, first + b"".join(rest))) == [[2, 4], [3]]
    assert numbers(read_csv(LAYOUTS, first + b"\r\n" + b"\r\n".join(rest))) == [[3, 7], [5]]


def test_the_layout_with_most_known_columns_is_taken_and_aliases_count() -> None:
    assert read_csv(LAYOUTS, written(("1", "a", "1"), header=("受注番号", "商品", "数"))).layout.name == "old"
    file = read_csv(LAYOUTS, written(("1", "a", "1"), header=("注文番号", "品名（旧）", "個数")))
    assert file.groups[0][0].cells["品名"] == "a"


def test_columns_in_another_order_and_unknown_ones_are_no_fault() -> None:
    file = read_csv(LAYOUTS, written(("x", "2", "a", "1"), header=("新しい列", "個数", "品名", "注文番号")))
    assert file.unknown_columns == ("新しい列",)
    assert file.groups[0][0].cells["個数"] == "2"


@pytest.mark.parametrize(
    ("header", "code", "column", "told"),
    [
        (("注文番号", "品名"), "column-missing", "個数", "個数"),
        (("注文番号", "品名", "個数量"), "column-missing", "個数", "個数 (perhaps now 個数量)"),
        (("注文番号", "品名", "個数", "品名"), "column-doubled", "品名", "品名"),
        (("注文番号", "品名", "個数", "品名（旧）"), "column-doubled", "品名", "品名"),
        (("a", "b"), "layout-unknown", None, "first row"),
    ],
)
def test_a_header_is_refused_by_the_name_of_its_columns(
    header: tuple[str, ...], code: str, column: str | None, told: str
) -> None:
    with pytest.raises(Rejected) as refused:
        read_csv(LAYOUTS, written(header=header))
    assert (refused.value.code, refused.value.field) == (code, column)
    assert told in refused.value.why


@pytest.mark.parametrize("byte", [b"\x81", b"\xff", b"\xa0", b"\x80"])
def test_a_byte_that_the_encoding_lacks_costs_its_row_and_group_and_tells_its_place(byte: bytes) -> None:
    rows = (("1", "a", "1", ""), ("2", "@", "1", ""), ("3", "c", "1", ""), ("2", "d", "1", ""))
    content = written(*rows)
    at = content.index(b"@")
    file = read_csv(LAYOUTS, content.replace(b"@", byte))
    assert numbers(file) == [[2], [4]]
    assert [fault.row for fault in file.faults] == [3, 5]
    first, second = (fault.failure for fault in file.faults)
    assert (first.code, first.field) == ("text-unencodable", "rows.3")
    assert f"0x{byte[0]:02X} at byte {at}" in first.why
    assert (second.code, second.field) == ("row-malformed", "rows.5")


def test_a_row_with_more_or_fewer_cells_is_told_alone() -> None:
    file = read_csv(LAYOUTS, written(("1", "a", "1", ""), ("2", "b"), ("3", "c", "1", "", "", "")))
    assert numbers(file) == [[2]]
    assert [(fault.row, fault.failure.code) for fault in file.faults] == [(3, "row-malformed"), (4, "row-malformed")]


def test_quotes_without_an_end_and_an_empty_file_are_refused() -> None:
    for content, code in ((written(("1", "a", "1", ""))[:-3], "file-malformed"), (b"", "layout-unknown")):
        with pytest.raises(Rejected) as refused:
            read_csv(LAYOUTS, content)
        assert refused.value.code == code
