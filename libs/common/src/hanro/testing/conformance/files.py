"""Checks rule 25: files of orders are known by their header, read like the API's orders, and refused by name."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import pytest

from hanro.errors import Rejected
from hanro.marketplace import CsvFile, read_csv
from hanro.marketplace.types import CsvLayout, SeenOrder
from hanro.testing.conformance.market import Market, OrderFile
from hanro.testing.conformance.values import written

# A row ends so, with the quote of its last cell.
END = b'"\r\n'
NOT_TOLD: tuple[object, ...] = (None, (), {}, [], frozenset())


class OrderFiles:
    """Rule 25, what is read."""

    def test_each_layout_reads_its_file_in_every_encoding(self, market: Market) -> None:
        assert {file.layout for file in market.order_files} == {one.name for one in market.plugin.order_layouts}
        for file in market.order_files:
            orders = [orders_of(market, file.text.encode(encoding)) for encoding in _layout(market, file).encodings]
            assert orders[0]
            assert all([one.external_id for one in found] == [file.external_id] for found in orders)
            assert all(found == orders[0] for found in orders), file.layout

    def test_a_missing_a_renamed_and_a_doubled_column_are_named(self, market: Market) -> None:
        for file in market.order_files:
            header, *rows = _records(file.text)
            for place, column in enumerate(header):
                is_required = any(one.is_required for one in _layout(market, file).columns if one.name == column)
                without = [[cell for at, cell in enumerate(row) if at != place] for row in (header, *rows)]
                if not is_required:
                    assert covered(_layout(market, file), *_orders(_read(market, without))) == covered(
                        _layout(market, file), *orders_of(market, file.text.encode())
                    ), column
                    continue
                assert column in _refusal(market, without, "column-missing"), file.layout
                renamed = [*header[:place], f"{column}{column}", *header[place + 1 :]]
                told = _refusal(market, [renamed, *rows], "column-missing")
                assert column in told, file.layout
                assert f"{column}{column}" in told, file.layout
                doubled = [[*row, row[place]] for row in (header, *rows)]
                assert column in _refusal(market, doubled, "column-doubled"), file.layout

    def test_a_new_column_is_told_and_changes_nothing(self, market: Market) -> None:
        for file in market.order_files:
            more = [[f"new {place}" if not place else "x", *row] for place, row in enumerate(_records(file.text))]
            read = _read(market, more)
            assert read.unknown_columns == ("new 0",)
            ((more_told,), (order,)) = _orders(read), orders_of(market, file.text.encode())
            assert replace(more_told, raw=order.raw) == order

    def test_a_byte_that_cannot_be_read_is_told_with_its_row_and_place(self, market: Market) -> None:
        for file in market.order_files:
            encoding = _layout(market, file).encodings[0]
            header, *rows = _records(file.text)
            name = _layout(market, file).group_by[0]
            more = [
                [f"other-{cell}" if at == name else cell for at, cell in zip(header, row, strict=True)] for row in rows
            ]
            before, row, rest = (_written(one).encode(encoding) for one in ([header, *rows], more[:1], more[1:]))
            spoilt = before + row[: -len(END)] + b"\xff" + END + rest
            read = read_csv(market.plugin.order_layouts, spoilt)
            assert [one.external_id for one in _orders(read)] == [file.external_id]
            first = read.faults[0]
            assert (first.row, first.failure.code) == (len(rows) + 2, "text-unencodable"), file.layout
            assert f"byte {len(before + row) - len(END)}." in first.failure.why

    def test_rows_of_an_order_may_stand_apart(self, market: Market) -> None:
        for file in market.order_files:
            header, *rows = _records(file.text)
            name = _layout(market, file).group_by[0]
            other = [
                [f"{cell}0" if column == name else cell for column, cell in zip(header, row, strict=True)]
                for row in rows
            ]
            mixed = [row for pair in zip(rows, other, strict=True) for row in pair]
            first, second = _orders(_read(market, [header, *mixed]))
            assert (first.external_id, second.external_id) == (file.external_id, f"{file.external_id}0")
            assert [line.title for line in first.lines] == [line.title for line in second.lines]
            assert len(first.lines) == len(rows)

    def test_what_cannot_be_read_is_told_with_its_row_and_column(self, market: Market) -> None:
        for file in market.order_files:
            header, *rows = _records(file.text)
            place = header.index(file.number_column)
            rows[-1][place] = "many"
            read = _read(market, [header, *rows])
            assert read.layout.read is not None
            with pytest.raises(Rejected) as refused:
                read.layout.read(read.groups[0])
            assert refused.value.field == f"rows.{len(rows) + 1}.{file.number_column}"
            assert "many" not in refused.value.why

    def test_what_a_layout_covers_it_states_and_states_as_the_api_does(self, market: Market) -> None:
        members = {one.name for one in fields(SeenOrder)}
        for file in market.order_files:
            (order,) = orders_of(market, file.text.encode())
            assert _layout(market, file).covers
            for path in sorted(_layout(market, file).covers):
                assert path.split(".")[0] in members, path
                found = told(order, path)
                if file.same_as is not None:
                    assert found == told(file.same_as, path), (file.layout, path)
                assert found not in NOT_TOLD or path in file.blank, (file.layout, path)


def covered(layout: CsvLayout, order: SeenOrder) -> dict[str, object]:
    """Give all that a layout covers of an order."""
    return {path: told(order, path) for path in layout.covers}


def told(value: object, path: str) -> object:
    """Give what an order says at a dotted name of `covers`, written down; moments by their time, not their letters."""
    return written(_at(value, path.split(".")), leaves_out=frozenset({"local"}))


def _at(value: object, steps: Sequence[str]) -> object:
    if not steps or value is None:
        return value
    if isinstance(value, tuple):
        found = [_at(one, steps) for one in value]
        return found if any(one not in NOT_TOLD for one in found) else None
    step, *rest = steps
    return _at(value.get(step) if isinstance(value, Mapping) else getattr(value, step), rest)


def orders_of(market: Market, content: bytes) -> list[SeenOrder]:
    """Read the orders of a file in which nothing is wrong."""
    read = read_csv(market.plugin.order_layouts, content)
    assert read.faults == ()
    return _orders(read)


def _orders(read: CsvFile) -> list[SeenOrder]:
    assert read.layout.read is not None
    return [read.layout.read(group) for group in read.groups]


def _layout(market: Market, file: OrderFile) -> CsvLayout:
    (found,) = [one for one in market.plugin.order_layouts if one.name == file.layout]
    return found


def _read(market: Market, records: Sequence[Sequence[str]]) -> CsvFile:
    return read_csv(market.plugin.order_layouts, _written(records).encode())


def _refusal(market: Market, records: Sequence[Sequence[str]], code: str) -> str:
    with pytest.raises(Rejected) as refused:
        _read(market, records)
    assert refused.value.code == code
    return refused.value.why


def _records(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def _written(records: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(records)
    return text.getvalue()
