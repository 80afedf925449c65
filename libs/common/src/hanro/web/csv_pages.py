"""Writes a page of a list as CSV that a spreadsheet may open: no cell of it is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from fastapi import Response

MEDIA_TYPE = "text/csv; charset=utf-8"
# What spreadsheets begin a formula with, Japanese ones in full width too; the apostrophe makes it a text.
# Source: OWASP, CSV injection.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_page(columns: Sequence[str], rows: Iterable[Mapping[str, str]], *, headers: Mapping[str, str]) -> Response:
    """Answer a page as CSV, its header line first; `headers` are those of the answer, the link to the next page too."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(map(safe_cell, columns))
    for row in rows:
        writer.writerow([safe_cell(row.get(column, "")) for column in columns])
    return Response(written.getvalue().encode(), media_type=MEDIA_TYPE, headers=dict(headers))


def safe_cell(text: str) -> str:
    """Give a cell that no spreadsheet takes for a formula; any other text stays as it is."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
