"""Reads a marketplace's CSV file: finds its layout by the header, its rows by their bytes, and puts groups together."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from hanro.errors import Rejected
from hanro.marketplace.types.exchange import CsvLayout, CsvRow
from hanro.value import value

_BOM = "\ufeff"
_ALIKE = 0.5
# So alike that it is a column that was renamed, also where a file need not have it.
_RENAMED = 0.75
_LONE = ("\x80", "\uf8f0", "\uf8f1", "\uf8f2", "\uf8f3")


@value
class CsvFault:
    """Say what is wrong with one row; `row` as a spreadsheet counts."""

    row: int
    failure: Rejected


@value
class HeaderFault:
    """Say what is wrong with a header: `column` is missing or stands twice; of no layout where there is none.

    `code`: column-missing, column-doubled, layout-unknown. `alike`: what the file may call a missing column.
    """

    code: str
    column: str | None = None
    alike: str | None = None


@value
class CsvHeader:
    """Hold what the first row tells: `names` by the layout, in the file's order; what is not known, and what is absent.

    `absent` are columns that the layout has and a file need not have.
    """

    layout: CsvLayout
    encoding: str
    names: tuple[str, ...]
    unknown: tuple[str, ...]
    absent: tuple[str, ...]
    faults: tuple[HeaderFault, ...]


@value
class CsvFile:
    """Hold a file: groups in the order of their first rows, what cannot be read, and columns that nobody knows.

    A row stands in a group or has a fault, never both; of a group that lacks a row no row is in `groups`.
    """

    layout: CsvLayout
    encoding: str
    groups: tuple[tuple[CsvRow, ...], ...]
    faults: tuple[CsvFault, ...]
    unknown_columns: tuple[str, ...]


def read_csv(layouts: Sequence[CsvLayout], content: bytes) -> CsvFile:
    """Read a file by the layout and the encoding in which most of its columns are known.

    Rows of a group need not stand together. A byte that the encoding does not have costs its row, and the group.

    Raises:
        Rejected: the header (layout-unknown, column-missing, column-doubled; `field` is the first such column), or
            quotes that never end (file-malformed).
    """
    records = list(_records(content))
    if not records:
        raise Rejected("The file is empty.", code="layout-unknown")
    header = read_header(layouts, records[0].raw)
    _refuse(header.layout, header.faults)
    layout, encoding, names = header.layout, header.encoding, header.names
    rows: dict[tuple[str, ...], list[CsvRow]] = {}
    faults: list[CsvFault] = []
    broken: set[tuple[str, ...]] = set()
    for number, record in enumerate(records[1:], start=2):
        if not record.cells:
            continue
        cells, fault = _cells(record, encoding, names, number)
        key = tuple(cells.get(name, "") for name in layout.group_by)
        if fault is not None:
            faults.append(fault)
            broken.add(key)
        else:
            rows.setdefault(key, []).append(CsvRow(number=number, cells=cells))
    faults += [_lacking(row) for key in broken for row in rows.pop(key, [])]
    return CsvFile(
        layout=layout,
        encoding=encoding,
        groups=tuple(tuple(group) for group in rows.values()),
        faults=tuple(sorted(faults, key=lambda fault: fault.row)),
        unknown_columns=header.unknown,
    )


@value
class _Record:
    raw: bytes
    offset: int
    cells: tuple[str, ...]


def _records(content: bytes) -> Iterator[_Record]:
    """Split a file as bytes: no byte of a comma, a quote or a line end is part of a longer character of cp932 or UTF-8.

    Blank lines come without cells, so that rows are counted as a spreadsheet counts.
    """
    used: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(content.decode("latin-1"), newline=""):
            used.append(line)
            yield line

    reader = csv.reader(lines(), strict=True)
    offset = 0
    try:
        for cells in reader:
            raw = "".join(used).encode("latin-1")
            used.clear()
            yield _Record(raw=raw, offset=offset, cells=tuple(cells))
            offset += len(raw)
    except csv.Error as error:
        why = f"The quotes of the row that begins at byte {offset} are not closed, or the row is too long."
        raise Rejected(why, code="file-malformed") from error


def read_header(layouts: Sequence[CsvLayout], first_row: bytes) -> CsvHeader:
    """Find the layout and the encoding in which most columns are known, and say what is wrong with the header.

    Raises:
        Rejected: no column is known (layout-unknown).
    """
    best: tuple[int, CsvLayout, str, list[str]] | None = None
    for layout in layouts:
        known = _names(layout)
        for encoding in layout.encodings:
            try:
                text = first_row.decode(encoding).removeprefix(_BOM)
                (read,) = csv.reader(io.StringIO(text, newline=""))
            except (ValueError, csv.Error):
                continue
            found = [known.get(name.strip(), name.strip()) for name in read]
            score = len(set(found) & set(known.values()))
            if best is None or score > best[0]:
                best = (score, layout, encoding, found)
    if best is None or not best[0]:
        raise Rejected("The first row names no column of a layout that is known here.", code="layout-unknown")
    _, layout, encoding, names = best
    known_names = {column.name for column in layout.columns}
    unknown = tuple(name for name in names if name not in known_names)
    absent = [column for column in layout.columns if column.name not in names]
    doubled = [name for name, count in Counter(names).items() if count > 1 and name in known_names]
    faults = [HeaderFault(code="column-doubled", column=name) for name in doubled]
    faults += [
        HeaderFault(code="column-missing", column=one.name, alike=_alike(one.name, unknown))
        for one in absent
        if one.is_required or _alike(one.name, unknown, _RENAMED)
    ]
    return CsvHeader(
        layout=layout,
        encoding=encoding,
        names=tuple(names),
        unknown=unknown,
        absent=tuple(column.name for column in absent),
        faults=tuple(faults),
    )


def _names(layout: CsvLayout) -> dict[str, str]:
    """Give each column's name by its name and its aliases."""
    return {name: column.name for column in layout.columns for name in (column.name, *column.aliases)}


def _refuse(layout: CsvLayout, faults: Sequence[HeaderFault]) -> None:
    doubled = [fault.column for fault in faults if fault.code == "column-doubled" and fault.column]
    if doubled:
        why = f"Columns stand twice in the file: {', '.join(doubled)}."
        raise Rejected(why, code="column-doubled", field=doubled[0])
    missing = [fault for fault in faults if fault.code == "column-missing"]
    if missing:
        told = ", ".join(f"{one.column} (perhaps now {one.alike})" if one.alike else f"{one.column}" for one in missing)
        why = f"Columns of the layout {layout.name} are missing: {told}."
        raise Rejected(why, code="column-missing", field=missing[0].column)


def _alike(name: str, unknown: Sequence[str], cutoff: float = _ALIKE) -> str | None:
    return next(iter(get_close_matches(name, unknown, n=1, cutoff=cutoff)), None)


def _cells(
    record: _Record, encoding: str, names: Sequence[str], number: int
) -> tuple[Mapping[str, str], CsvFault | None]:
    """Decode a row; one that cannot be decoded still tells its group, as far as its bytes do."""
    fault = None
    _, place = decoded(record.raw, encoding)
    if place is not None:
        at = record.offset + place
        why = f"Row {number} holds a byte that {encoding} does not have: 0x{record.raw[place]:02X} at byte {at}."
        fault = CsvFault(row=number, failure=Rejected(why, code="text-unencodable", field=f"rows.{number}"))
    if fault is None and len(record.cells) != len(names):
        why = f"Row {number} has {len(record.cells)} cells, the header {len(names)} columns."
        fault = CsvFault(row=number, failure=Rejected(why, code="row-malformed", field=f"rows.{number}"))
    cells = (cell.encode("latin-1").decode(encoding, errors="replace") for cell in record.cells)
    return dict(zip(names, cells, strict=False)), fault


def decoded(raw: bytes, encoding: str) -> tuple[str, int | None]:
    """Decode strictly: give the text, and the place of the first byte that is no character; then marks stand for such.

    None: all are characters.
    """
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        return raw.decode(encoding, errors="replace"), error.start
    # Python takes lone bytes that Windows never writes for characters of its own. Looked for one by one: a pattern's
    # class looks at each character in turn, and costs more than decoding does.
    places = [text.index(mark) for mark in _LONE if mark in text] if encoding == "cp932" else []
    return text, len(text[: min(places)].encode(encoding)) if places else None


def _lacking(row: CsvRow) -> CsvFault:
    why = f"Row {row.number} belongs to a group of which another row cannot be read."
    return CsvFault(row=row.number, failure=Rejected(why, code="row-malformed", field=f"rows.{row.number}"))
