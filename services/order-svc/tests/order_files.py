"""Plays a marketplace's order file: a small layout, and files written by it; every buyer is made up."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from order_playground import Playground
from order_sightings import line, seen, yen

from hanro.errors import MenuPath, Rejected
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Buyer, CsvColumn, CsvLayout, CsvRow, OrderStatus, PersonName, SeenOrder

COLUMNS = (
    "注文番号",
    "注文日時",
    "ステータス",
    "明細ID",
    "商品名",
    "個数",
    "単価",
    "氏名",
    "メール",
    "コメント",
    "メモ",
)
DOWNLOAD = MenuPath(steps=("店舗管理", "受注", "CSV", "ユーザ名、パスワードを入力"))
ROW: Mapping[str, str] = {
    "注文番号": "100001-20260301-0000000001",
    "注文日時": "2026-03-01 11:00:00",
    "ステータス": "new",
    "明細ID": "1",
    "商品名": "煎茶 ①髙級㈱",
    "個数": "1",
    "単価": "1980",
    "氏名": "見本 花子",
    "メール": "hanako@example.invalid",
    "コメント": "玄関へ",
    "メモ": "",
}


def read(rows: tuple[CsvRow, ...]) -> SeenOrder:
    """Read the rows of one order."""
    first = rows[0].cells
    lines = tuple(
        line(
            row.cells["明細ID"],
            quantity=_number(row, "個数"),
            price=_number(row, "単価"),
            status=_status(row),
        )
        for row in rows
    )
    titled = tuple(replace(one, title=row.cells["商品名"]) for one, row in zip(lines, rows, strict=True))
    name = PersonName(full=first["氏名"]) if first["氏名"] else None
    found = seen(
        first["注文番号"],
        lines=titled,
        placed=datetime.fromisoformat(first["注文日時"]).replace(tzinfo=UTC),
        has_buyer=False,
    )
    notes = {column: first.get(column, "") for column in ("コメント", "メモ")}
    return replace(
        found,
        buyer=Buyer(name=name, address=None, email=first["メール"] or None, is_email_masked=True),
        notes={column: text for column, text in notes.items() if text},
        totals=replace(found.totals, goods=yen(sum(one.quantity for one in titled)), total=None),
        raw=repr([dict(row.cells) for row in rows]).encode(),
    )


def _number(row: CsvRow, column: str) -> int:
    if not row.cells[column].isdecimal():
        raise Rejected(
            f"Row {row.number}, column {column}: is no number.",
            code="cell-malformed",
            field=f"rows.{row.number}.{column}",
        )
    return int(row.cells[column])


def _status(row: CsvRow) -> OrderStatus:
    return OrderStatus(row.cells["ステータス"])


LAYOUT = CsvLayout(
    name="sheet",
    version="1",
    encodings=("cp932", "utf-8-sig"),
    columns=tuple(CsvColumn(name=name, is_required=name != "メモ") for name in COLUMNS),
    group_by=("注文番号",),
    covers=frozenset({"buyer", "notes", "lines.title", "lines.quantity", "lines.status", "totals"}),
    download=DOWNLOAD,
    read=read,
)


def plugin(playground: Playground) -> Plugin:
    """Give the playground with order files."""
    bare = playground.plugin()
    return cast("Plugin", SimpleNamespace(**{**vars(bare), "order_layouts": (LAYOUT,)}))


def rows(count: int, **changed: str) -> list[dict[str, str]]:
    """Give rows of that many orders of one line each."""
    return [{**ROW, "注文番号": f"100001-20260301-{number:010}", **changed} for number in range(1, count + 1)]


def written(
    cells: Sequence[Mapping[str, str]], *, columns: Sequence[str] = COLUMNS, encoding: str = "cp932", end: str = "\r\n"
) -> bytes:
    """Write a file, all cells quoted, as marketplaces do."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=end)
    writer.writerow(columns)
    writer.writerows([[row.get(name, "") for name in columns] for row in cells])
    return text.getvalue().encode(encoding)
