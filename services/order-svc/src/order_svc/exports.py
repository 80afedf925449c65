"""Writes orders as CSV, a page at a time, so that memory does not grow with the file."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from hanro.crypto import Keyring
from hanro.db import Database
from hanro.errors import LocalizedText, Rejected
from hanro.web.csv_pages import safe_cell
from order_svc import buyers, orders
from order_svc.domain.exports import COLUMNS, Row, Unencodable, cells, rows_of, unencodable
from order_svc.store.lists import Filter

PAGE = 200
MOST_TOLD = 20
MOST_CHECKED = 100_000
"""So many rows are looked through well before anybody gives up waiting for the first byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Be what an export shows, and how: `encoding` is cp932 or utf-8-sig, headers are Japanese or columns' names."""

    wanted: Filter
    columns: Sequence[str]
    encoding: str
    has_japanese_header: bool

    @property
    def header(self) -> list[str]:
        """Give the first line's cells."""
        return [COLUMNS[name].ja for name in self.columns] if self.has_japanese_header else list(self.columns)


async def find_unencodable(
    db: Database, keyring: Keyring, export: Export, *, most_rows: int = MOST_CHECKED
) -> list[Unencodable]:
    """Give characters that the encoding lacks, one a row and at most 20; the header is row 1. UTF-8 lacks none.

    Raises:
        Rejected: more rows than `most_rows` would have to be looked through before the first one leaves
            (file-too-large).
    """
    found: list[Unencodable] = []
    if export.encoding != "cp932":
        return found
    number = 1
    async for page in _pages(db, keyring, export):
        texts = [cells(row, export.columns, export.encoding) for row in page]
        if not _fits(texts, export.encoding):
            for place, row in enumerate(texts, start=number + 1):
                lacking = unencodable(row, export.columns, export.encoding, row=place)
                if lacking is not None:
                    found.append(lacking)
        number += len(page)
        if len(found) >= MOST_TOLD:
            break
        if number - 1 > most_rows:
            raise _too_large(most_rows)
    return found[:MOST_TOLD]


async def write(db: Database, keyring: Keyring, export: Export) -> AsyncIterator[bytes]:
    """Give the file in pieces: CRLF, header first, no cell that a spreadsheet takes for a formula.

    Raises:
        UnicodeEncodeError: an order changed since `find_unencodable`; the file breaks off, no character is replaced.
    """
    # The mark of UTF-8 stands once, at the beginning.
    yield _csv([export.header]).encode(export.encoding)
    encoding = "utf-8" if export.encoding == "utf-8-sig" else export.encoding
    async for page in _pages(db, keyring, export):
        rows = [[safe_cell(text) for text in cells(row, export.columns, export.encoding)] for row in page]
        yield _csv(rows).encode(encoding)


def _csv(rows: Sequence[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()


def _fits(texts: Sequence[Sequence[str]], encoding: str) -> bool:
    try:
        "".join(text for row in texts for text in row).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _too_large(most_rows: int) -> Rejected:
    return Rejected(
        f"A file in cp932 is looked through before it leaves, and may have {most_rows:,} rows.",
        code="file-too-large",
        remedy=LocalizedText(
            ja="期間やアカウントで絞り込むか、utf-8-sig を選んでください。",
            en="Narrow it by days or accounts, or choose utf-8-sig.",
        ),
    )


async def _pages(db: Database, keyring: Keyring, export: Export) -> AsyncIterator[list[Row]]:
    """Give all rows, the last order found first, a page of orders at a time, each in a transaction of its own."""
    is_personal = any(COLUMNS[name].is_personal for name in export.columns)
    before_id: str | None = None
    while True:
        async with db.begin() as tx:
            page = await orders.list_(tx, export.wanted, before_id=before_id, limit=PAGE, has_sheets=True)
            ids = [stored.order.id for stored in page] if is_personal else []
            known = await buyers.personal_of(tx, keyring, ids) if ids else {}
        if page:
            yield [
                row
                for stored in page
                for row in rows_of(stored.order, json.loads(stored.sheet), known.get(stored.order.id))
            ]
        if len(page) < PAGE:
            return
        before_id = page[-1].order.id
