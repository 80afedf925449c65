"""A file is split into rows as its bytes come; what is wrong with one row takes no other with it."""

import random

import pytest
from order_files import COLUMNS, ROW, rows, written

from order_svc.domain.files import LARGEST_ROW, Record, Splitter, cells_of, read_row
from order_svc.importer import FEWEST_ORDERS, paced

CUTS = (1, 3, 17, 1_000_000)


def split(content: bytes, size: int = 1_000_000) -> list[Record]:
    splitter = Splitter()
    found = [
        record for start in range(0, len(content), size) for record in splitter.feed(content[start : start + size])
    ]
    return [*found, *splitter.end()]


def told(content: bytes, encoding: str = "cp932") -> list[tuple[int, str | None, int | None]]:
    found = []
    for record in split(content)[1:]:
        _, fault = read_row(record, COLUMNS, encoding)
        found.append((record.number, fault.code if fault else None, fault.byte_offset if fault else None))
    return found


@pytest.mark.parametrize("size", CUTS)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_rows_are_the_same_however_the_file_is_cut(size: int, end: str) -> None:
    cells = [{**one, "コメント": f'一行\n二行,"引用" {place}'} for place, one in enumerate(rows(5))]
    content = written(cells, end=end)
    found = split(content, size)
    assert [record.number for record in found] == [1, 2, 3, 4, 5, 6]
    assert b"".join(record.raw for record in found) == content
    assert [read_row(record, COLUMNS, "cp932") for record in found[1:]] == [(list(one.values()), None) for one in cells]
    assert cells_of(b"".join(record.raw for record in found[1:]), COLUMNS, "cp932") == cells


def test_a_file_may_be_taken_up_behind_any_row() -> None:
    content = written([{**one, "コメント": "a\nb"} for one in rows(4)])
    whole = split(content)
    for record in whole[1:]:
        splitter = Splitter(number=record.number, start=record.start)
        assert [*splitter.feed(content[record.start :]), *splitter.end()] == whole[record.number - 1 :]


@pytest.mark.row("P19", kind="walks")
@pytest.mark.parametrize("text", ["①㈱髙〜～", "ｶﾅｶﾞﾅ", "ソ表能申", "十貼暴―", "=1+1", "@cmd", "-2", "\\"])
def test_every_character_survives_cp932(text: str) -> None:
    said = text.replace("〜", "～")  # cp932 has the one, RMS writes it
    (record,) = split(written([{**ROW, "コメント": said}]))[1:]
    cells, fault = read_row(record, COLUMNS, "cp932")
    assert fault is None
    assert dict(zip(COLUMNS, cells, strict=True))["コメント"] == said


@pytest.mark.row("P19", kind="refuses")
@pytest.mark.parametrize("byte", [b"\x80", b"\xa0", b"\xff", b"\x81"])
def test_a_byte_that_is_no_character_costs_its_row_alone_and_is_told_by_its_place(byte: bytes) -> None:
    content = written([{**one, "コメント": f"<{place}>"} for place, one in enumerate(rows(3))])
    place = content.index(b"<1>") + 1
    spoiled = content[:place] + byte + content[place + 1 :]
    assert told(spoiled) == [(2, None, None), (3, "text-undecodable", place), (4, None, None)]


def test_bytes_of_another_encoding_are_never_guessed() -> None:
    content = written(rows(1), encoding="utf-8-sig")
    assert told(content, "utf-8-sig") == [(2, None, None)]
    assert told(content)[0][1] == "text-undecodable"


@pytest.mark.parametrize(
    "broken",
    [b'"abc\r\n', b'"a"b,"c"\r\n', b'"a","b\r\n', b'x"\r\n'],
)
def test_a_quote_that_is_not_closed_costs_its_row_alone(broken: bytes) -> None:
    first, second, third = written(rows(2)).splitlines(keepends=True)
    found = told(first + second + broken + third)
    assert [number for number, code, _ in found if code is None] == [2, 4]
    assert found[1][:2] == (3, "quote-unclosed")


def test_a_quote_that_is_open_where_the_file_ends_costs_its_row_alone() -> None:
    first, second, third = written(rows(2)).splitlines(keepends=True)
    found = told(first + b'"abc,\r\n' + second + third.replace(b'"', b""))
    assert [number for number, code, _ in found if code is None] == [3, 4]


def test_a_row_that_never_ends_is_given_up_and_does_not_fill_the_memory() -> None:
    first, second, _ = written(rows(2)).splitlines(keepends=True)
    long = b'"' + b"x" * (3 * LARGEST_ROW)
    piece = 65_536
    found = split(first + long + b"\r\n" + second, piece)
    assert max(len(record.raw) for record in found) <= LARGEST_ROW + piece
    assert found[-1].raw == second
    assert not found[1].is_closed


def test_a_row_with_other_columns_than_the_header_is_refused() -> None:
    first, second, third = written(rows(2)).splitlines(keepends=True)
    assert told(first + second.rstrip() + b',"more"\r\n' + third) == [(2, "row-malformed", None), (3, None, None)]


def test_blank_lines_count_as_a_spreadsheet_counts_and_are_no_rows() -> None:
    first, second, third = written(rows(2)).splitlines(keepends=True)
    assert [number for number, _, _ in told(first + b"\r\n\r\n" + second + b"\n" + third)] == [4, 6]


def test_whatever_the_bytes_every_one_of_them_stands_in_one_row() -> None:
    chance = random.Random(1)  # noqa: S311  repeatable on purpose
    for _ in range(300):
        content = bytes(chance.choice(b'"",,ab\r\n\n\x81\x5c') for _ in range(chance.randrange(200)))
        found = split(content, chance.choice(CUTS))
        assert split(content) == found
        held = [b""] * len(content)
        for record in found:
            assert content[record.start : record.start + len(record.raw)] == record.raw
            for place in range(record.start, record.start + len(record.raw)):
                assert held[place] == b""
                held[place] = b"x"
        missed = bytes(byte for byte, mark in zip(content, held, strict=True) if not mark)
        assert missed.strip(b"\r\n") == b""


@pytest.mark.parametrize(
    ("limit", "seconds", "following"),
    [(200, 0.1, 200), (100, 0.1, 200), (100, 0.6, 100), (100, 1.5, 50), (30, 9, FEWEST_ORDERS)],
)
def test_who_is_slow_takes_fewer_orders_at_once_so_that_progress_is_seen(
    limit: int, seconds: float, following: int
) -> None:
    assert paced(limit, seconds) == following
