"""Says what the files of carriers and warehouses look like, and reads a parcel out of a row."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from hanro.errors import Rejected
from hanro.marketplace.types import CsvColumn, CsvLayout, CsvRow

ORDER, NUMBER, CARRIER, DAY, PACKAGE = "order_number", "tracking_number", "carrier", "shipped_on", "package_id"
ENCODINGS = ("utf-8", "cp932")
LONGEST_CELL = 200
_DAY = re.compile(r"(\d{4})[/\-.年]?(\d{1,2})[/\-.月]?(\d{1,2})日?(?:[ T].*)?")
# What a failure calls a field, and in which column that stands.
_COLUMN_OF = {
    "carrier_code": CARRIER,
    "url": NUMBER,
    "package_id": PACKAGE,
    "shipped_on": DAY,
    "lines": ORDER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelRow:
    """Be a row as far as it tells a parcel; `carrier` None: the account's, `shipped_on` None: today."""

    number: int
    external_id: str
    tracking_number: str
    carrier: str | None
    shipped_on: date | None
    package_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """Be a kind of file: its layout, and the carrier of all its parcels where it names none."""

    layout: CsvLayout
    carrier: str | None


def _kind(name: str, its_carrier: str | None, **columns: tuple[str, ...]) -> FileKind:
    """Describe a kind; each column is known by several headings, since programs rename them between versions."""
    layout = CsvLayout(
        name=name,
        version="1",
        encodings=ENCODINGS,
        columns=tuple(
            CsvColumn(name=column, aliases=headings, is_required=column in {ORDER, NUMBER})
            for column, headings in columns.items()
        ),
        # Rows stand for themselves: one that cannot be read costs no other.
        group_by=(ORDER, NUMBER),
        covers=frozenset(),
        download=None,
    )
    return FileKind(layout=layout, carrier=its_carrier)


# The headings of the carriers' programs are told by their users, no document is public [?]; whoever has another version
# names the columns.
KINDS: Mapping[str, FileKind] = {
    one.layout.name: one
    for one in (
        _kind(
            "generic",
            None,
            order_number=("注文番号", "受注番号", "order", "order_id"),
            tracking_number=("送り状番号", "お荷物伝票番号", "追跡番号", "number"),
            carrier=("配送会社", "運送会社", "carrier_code"),
            shipped_on=("発送日", "出荷日", "ship_date"),
            package_id=("送付先ID",),
        ),
        _kind(
            "yamato_b2",
            "yamato",
            order_number=("お客様管理番号",),
            tracking_number=("伝票番号",),
            shipped_on=("出荷予定日",),
        ),
        _kind(
            "sagawa_ehiden",
            "sagawa",
            order_number=("お客様管理ナンバー", "お客様管理No"),
            tracking_number=("お問い合せ送り状NO", "お問い合せ送り状No", "お問い合せ送り状No.", "お問合せ送り状No"),
            shipped_on=("出荷日付",),
        ),
        _kind(
            "japan_post_yupri",
            "japan_post",
            order_number=("お客様側管理番号",),
            tracking_number=("お問い合わせ番号",),
            shipped_on=("発送予定日",),
        ),
    )
}


def kinds_for(name: str | None, headings: Mapping[str, str], carrier: str | None) -> dict[str, FileKind]:
    """Give the kinds that a file may be of, by name: the one named or any; `headings` name columns of its own.

    `carrier` of all its parcels, where its rows name none; None: as the kind has it.

    Raises:
        Rejected: there is no such kind (layout-unknown).
    """
    if name is not None and name not in KINDS:
        raise Rejected(f"known layouts: {', '.join(KINDS)}", code="layout-unknown", field="layout")
    chosen = [KINDS[name]] if name is not None else [KINDS["generic"]] if headings else list(KINDS.values())
    return {
        one.layout.name: FileKind(layout=_renamed(one.layout, headings), carrier=carrier or one.carrier)
        for one in chosen
    }


def parcel_of(row: CsvRow, kind: FileKind) -> ParcelRow:
    """Read a parcel out of a row.

    Raises:
        Rejected: no order number or tracking number (cell-needed), one that is too long or not printable
            (cell-malformed), a day that is none (day-malformed).
    """
    cells = {name: text.strip() for name, text in row.cells.items()}
    for column in (ORDER, NUMBER):
        if not cells.get(column):
            raise Rejected("this cell must not be empty", code="cell-needed", field=column)
    for column in (ORDER, NUMBER, CARRIER, PACKAGE):
        text = cells.get(column, "")
        if len(text) > LONGEST_CELL or not text.isprintable():
            raise Rejected("this cell is too long or not printable", code="cell-malformed", field=column)
    return ParcelRow(
        number=row.number,
        external_id=cells[ORDER],
        tracking_number=cells[NUMBER],
        carrier=cells.get(CARRIER) or kind.carrier,
        shipped_on=_day(cells.get(DAY, "")),
        package_id=cells.get(PACKAGE) or None,
    )


def column_of(field: str | None) -> str:
    """Give the column in which a failure's field stands: the order number where it is about the order."""
    return _COLUMN_OF.get(field or "", field if field in {ORDER, NUMBER, CARRIER, DAY, PACKAGE} else ORDER)


def _renamed(layout: CsvLayout, headings: Mapping[str, str]) -> CsvLayout:
    known = {column.name: column for column in layout.columns}
    for name, heading in headings.items():
        known[name] = CsvColumn(name=name, aliases=(heading,), is_required=True)
    return replace(layout, columns=tuple(known.values()))


def _day(text: str) -> date | None:
    if not text:
        return None
    found = _DAY.fullmatch(text)
    malformed = Rejected("a day is written like 2026/01/31", code="day-malformed", field=DAY)
    if found is None:
        raise malformed
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        raise malformed from None
