"""Builds the OrderModel that the rows of an order spell, and tells row and column of what cannot be read."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from hanro.errors import ContractBroken, Rejected
from hanro.marketplace.types import CsvRow, Detail, SeenOrder
from hanro_rakuten_ichiba.mapping.fields import Misread, Tree
from hanro_rakuten_ichiba.mapping.files.cells import BadCell, Cell
from hanro_rakuten_ichiba.mapping.order import LACKS, map_tree

_LACKS = LACKS | {Detail.DISPATCH}
Columns = Mapping[str, tuple[str, Cell]]
"""By member of a model: the column that holds it, and how its cell is read."""


class Builder:
    """Build models out of cells; remembers where each member came from."""

    def __init__(self, rows: Sequence[CsvRow]) -> None:
        self.rows = rows
        self._models: list[tuple[str, CsvRow, Columns]] = []

    def model(self, pointer: str, row: CsvRow, columns: Columns) -> dict[str, Any]:
        """Read the members of one model from a row; a column that the file lacks is null."""
        self._models.append((pointer, row, columns))
        # An order has some 150 cells: a call for each, besides its reading, would be a sixth of reading the order.
        find = row.cells.get
        try:
            return {member: read(find(column, "")) for member, (column, read) in columns.items()}
        except BadCell:
            return {member: self.cell(row, column, read) for member, (column, read) in columns.items()}

    def cell(self, row: CsvRow, column: str, read: Callable[[str], Any]) -> Any:
        """Read one cell.

        Raises:
            Rejected: it cannot be read.
        """
        try:
            return read(row.cells.get(column, ""))
        except BadCell as error:
            raise _rejected(row, column, str(error), "cell-malformed") from None

    def see(self, tree: Tree, key_column: str, times: Sequence[str]) -> SeenOrder:
        """Map the order as getOrder's is mapped, but for parcels; `times` are its members that tell when.

        Raises:
            Rejected: a cell is missing or not as documented (cell-malformed, unknown-status).
        """
        said = [str(tree[name]) for name in times if tree.get(name)]
        try:
            seen_at = max(map(_in_utc, said), default=datetime.min.replace(tzinfo=UTC))
            return map_tree(tree, _bytes_of(self.rows), seen_at, lacks=_LACKS)
        except Misread as error:
            row, column = self._origin(error.pointer) or (self.rows[0], key_column)
            raise _rejected(row, column, error.why, "cell-malformed") from None
        except ContractBroken as error:
            row, column = self._origin("/orderProgress") or (self.rows[0], key_column)
            raise _rejected(row, column, "is none of the documented states", error.code) from None

    def _origin(self, pointer: str) -> tuple[CsvRow, str] | None:
        """Tell where a member came from: looked for only when it cannot be read."""
        of_model, _, member = pointer.rpartition("/")
        return next(
            (
                (row, columns[member][0])
                for read, row, columns in reversed(self._models)
                if read == of_model and member in columns
            ),
            None,
        )


def _bytes_of(rows: Sequence[CsvRow]) -> bytes:
    """Give the cells as they stand in the file; all rows have the same columns, which are named once."""
    columns = list(rows[0].cells)
    return to_json({"columns": columns, "rows": [list(map(row.cells.get, columns)) for row in rows]})


def _rejected(row: CsvRow, column: str, why: str, code: str) -> Rejected:
    return Rejected(f"Row {row.number}, column {column}: {why}.", code=code, field=f"rows.{row.number}.{column}")


def _in_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
