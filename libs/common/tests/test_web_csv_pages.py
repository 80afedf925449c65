"""Pages as CSV: what a spreadsheet would take for a formula is a text, everything else comes back as it was."""

import csv
import io

import pytest

from hanro.web.csv_pages import csv_page, safe_cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+81", "-9999", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1+1", "＋81", "－1", "＠x"]
)
def test_a_cell_that_begins_like_a_formula_is_made_a_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


def test_a_page_is_read_back_as_it_was() -> None:
    rows = [{"id": "lst_1", "sku": 'a "b", c\nd'}, {"id": "lst_2"}]
    answer = csv_page(["id", "sku"], rows, headers={"Link": "next"})
    assert (answer.headers["content-type"], answer.headers["link"]) == ("text/csv; charset=utf-8", "next")
    read = list(csv.reader(io.StringIO(bytes(answer.body).decode(), newline="")))
    assert read == [["id", "sku"], ["lst_1", 'a "b", c\nd'], ["lst_2", ""]]
