"""Splits a marketplace's CSV file into rows while its bytes come, and tells what is wrong with a row."""

import csv
import hashlib
import io
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hanro.errors import LocalizedText
from hanro.marketplace import decoded

LARGEST_ROW = 128 * 1024
"""Bytes of one row; what goes on for longer began with a quote that nobody closed."""
QUOTE, LINE_END = b'"', b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Be the bytes of one row: `number` as a spreadsheet counts, `start` is where they begin in the file.

    Not `is_closed`: a quote in it is never closed, or text stands behind one.
    """

    number: int
    start: int
    raw: bytes = field(repr=False)
    is_closed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """Say why a row is refused, without anything that stands in it; `byte_offset` counts from the file's first byte."""

    code: str
    message: LocalizedText
    column: str | None = None
    byte_offset: int | None = None


class Splitter:
    """Split a file as bytes: no byte of a comma, a quote or a line end is part of a longer character of cp932 or UTF-8.

    Line ends inside quotes are part of a row. Where quotes do not add up one line is given up, and the next one begins
    a row again: the fault of one row takes no other with it. At most one row is held in memory.
    """

    def __init__(self, *, number: int = 1, start: int = 0) -> None:
        """Begin with the row of that number, at that place of the file."""
        self._number = number
        self._start = start
        self._tail = b""
        self._open: list[bytes] = []
        self._size = 0
        self._is_quoted = False

    def feed(self, chunk: bytes) -> Iterator[Record]:
        """Give the rows that end in these bytes; blank lines are counted and not given."""
        *lines, self._tail = (self._tail + chunk).split(LINE_END)
        for bare in lines:
            line = bare + LINE_END
            if line.count(QUOTE) % 2 or self._size + len(line) > LARGEST_ROW:
                yield from self._lines([line])
            elif self._open:
                # It goes on inside the quotes that are open.
                self._open.append(line)
                self._size += len(line)
            elif bare.strip(b"\r"):
                yield self._closed(line, is_closed=True)
            else:
                self._closed(line, is_closed=True)
        if len(self._tail) > LARGEST_ROW:
            tail, self._tail = self._tail, b""
            yield from self._lines([tail])

    def end(self) -> Iterator[Record]:
        """Give what is left where the file ends."""
        if self._tail:
            tail, self._tail = self._tail, b""
            yield from self._lines([tail])
        while self._open:
            yield from self._give_up()

    def _lines(self, lines: Sequence[bytes]) -> Iterator[Record]:
        waiting = deque(lines)
        while waiting:
            line = waiting.popleft()
            self._open.append(line)
            self._size += len(line)
            self._is_quoted ^= line.count(QUOTE) % 2 == 1
            if self._is_quoted and self._size <= LARGEST_ROW:
                continue
            raw = line if len(self._open) == 1 else b"".join(self._open)
            if self._is_quoted or (len(self._open) > 1 and not _is_well_quoted(raw)):
                rest = self._open[1:]
                yield self._closed(self._open[0], is_closed=False)
                waiting.extendleft(reversed(rest))
            else:
                record = self._closed(raw, is_closed=len(raw) <= LARGEST_ROW)
                if raw.strip(b"\r\n"):
                    yield record

    def _give_up(self) -> Iterator[Record]:
        rest = self._open[1:]
        yield self._closed(self._open[0], is_closed=False)
        yield from self._lines(rest)

    def _closed(self, raw: bytes, *, is_closed: bool) -> Record:
        record = Record(number=self._number, start=self._start, raw=raw, is_closed=is_closed)
        self._number += 1
        self._start += len(raw)
        self._open, self._size, self._is_quoted = [], 0, False
        return record


def read_row(record: Record, names: Sequence[str], encoding: str) -> tuple[list[str], RowFault | None]:
    """Give a row's cells in the file's order, and what is wrong with it; then the cells are those that can be told."""
    if not record.is_closed:
        return [], _unclosed(record)
    text, place = decoded(record.raw, encoding)
    fault = None if place is None else _undecoded(record, place, encoding)
    try:
        # Not line by line: a line end outside of quotes, but the last, is a fault.
        (cells,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        return [], fault or _unclosed(record)
    if fault is None and len(cells) != len(names):
        fault = _miscounted(len(cells), len(names))
    return cells, fault


def cells_of(raw: bytes, names: Sequence[str], encoding: str) -> list[Mapping[str, str]]:
    """Give the cells by column of rows that follow each other and that `read_row` found nothing wrong with."""
    rows = csv.reader(io.StringIO(raw.decode(encoding), newline=""), strict=True)
    return [dict(zip(names, cells, strict=True)) for cells in rows]


def group_of(cells: Sequence[str], places: Sequence[int]) -> bytes:
    """Give what rows of one order have in common, in 16 bytes; `places` are those of the cells that name it."""
    key = "\0".join(cells[place] if place < len(cells) else "" for place in places)
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


def lacking(number: int) -> RowFault:
    """Say that another row of the same order cannot be read: the order would be taken in with a line too few."""
    return RowFault(
        code="order-incomplete",
        message=LocalizedText(
            ja=f"同じ注文の{number}行目を読み取れないため、この注文は取り込みません。",
            en=f"Row {number} of the same order cannot be read, so the order is not taken in.",
        ),
    )


def _is_well_quoted(raw: bytes) -> bool:
    try:
        return len(list(csv.reader([raw.decode("latin-1")], strict=True))) == 1
    except csv.Error:
        return False


def _unclosed(record: Record) -> RowFault:
    return RowFault(
        code="quote-unclosed",
        message=LocalizedText(
            ja=f'{record.number}行目の引用符(")が閉じていないか、位置が正しくありません。',
            en=f"The quotes of row {record.number} are not closed, or stand in the wrong place.",
        ),
        byte_offset=record.start,
    )


def _undecoded(record: Record, place: int, encoding: str) -> RowFault:
    at = record.start + place
    byte = f"0x{record.raw[place]:02X}"
    return RowFault(
        code="text-undecodable",
        message=LocalizedText(
            ja=f"{record.number}行目の{at}バイト目({byte})は{encoding}の文字ではありません。",
            en=f"Byte {at} ({byte}) in row {record.number} is no character of {encoding}.",
        ),
        byte_offset=at,
    )


def _miscounted(found: int, wanted: int) -> RowFault:
    return RowFault(
        code="row-malformed",
        message=LocalizedText(
            ja=f"項目数が{found}個で、見出しの{wanted}個と異なります。",
            en=f"It has {found} cells, and the header {wanted} columns.",
        ),
    )
