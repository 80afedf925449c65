"""Describes files: orders as the sandbox exports them, one row a line, and listings for those who prefer a file."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hanro.errors import Rejected
from hanro.marketplace.types import CsvColumn, CsvLayout, CsvRow, ListingChange, SeenOrder
from hanro_sandbox.client import Fragment
from hanro_sandbox.declared.words import SHOP_PAGE
from hanro_sandbox.mapping import map_order

# By the part of an order that a column's prefix means: its members there.
_LINE = ("listing", "variant", "title", "quantity", "unit_price", "total", "tax_percent", "state")
_PERSON = ("family_name", "given_name", "phone")
_ADDRESS = ("country", "postal_code", "region", "city", "street")
_TOTALS = ("goods", "postage", "fee", "total", "payable", "seller_fee", "payout")
_COLUMNS = (
    *("order_id", "placed_at", "remarks", "line_id", "package_id", "package_postage"),
    *(f"buyer_{name}" for name in (*_PERSON, "email")),
    *(f"line_{name}" for name in _LINE),
    *(f"recipient_{name}" for name in (*_PERSON, *_ADDRESS)),
    *(f"order_{name}" for name in _TOTALS),
)
_PREFIXES = {"lines": "line", "buyer": "buyer", "packages": "recipient", "totals": "order"}
LISTING_COLUMNS = ("listing", "variant", "sku", "title", "price", "sale")


def read_rows(rows: tuple[CsvRow, ...]) -> SeenOrder:
    """Read the rows of one order: what stands for the whole order is read from the first.

    Raises:
        Rejected: a cell is not as documented; `field` is "rows.<number>.<column>".
    """
    first, placed = rows[0].cells, rows[0].cells["placed_at"]
    by_package = {row.cells["package_id"]: row.cells for row in reversed(rows)}
    tree = {
        "id": first["order_id"],
        "is_test": True,
        "placed_at": placed,
        "changed_at": placed,
        "remarks": first["remarks"],
        "buyer": _taken(first, "buyer", (*_PERSON, "email")),
        "packages": [_package(package_id, cells) for package_id, cells in sorted(by_package.items())],
        "lines": [
            {"id": row.cells["line_id"], "package": row.cells["package_id"], **_taken(row.cells, "line", _LINE)}
            for row in rows
        ],
        "totals": _taken(first, "order", _TOTALS),
        "taxes": [],
        "discounts": [],
        "claims": [],
    }
    raw = json.dumps(tree, ensure_ascii=False).encode()
    order = map_order(Fragment(tree=tree, raw=raw), datetime.now(UTC))
    if isinstance(order, SeenOrder):
        return replace(order, seen_at=order.placed.at)
    row, column = _place(rows, (order.failure.field or "").removeprefix("/").split("/"))
    code = "unknown-status" if order.failure.code == "unknown-status" else "row-malformed"
    why = f"The {column} of row {row.number} is not as documented."
    raise Rejected(why, code=code, field=f"rows.{row.number}.{column}")


def _place(rows: tuple[CsvRow, ...], way: list[str]) -> tuple[CsvRow, str]:
    """Find the cell that a JSON Pointer into the order means."""
    row = rows[int(way[1])] if way[0] == "lines" and len(way) > 1 else rows[0]
    prefixed = f"{_PREFIXES.get(way[0], '')}_{way[-1]}"
    return row, next((name for name in (prefixed, way[-1]) if name in _COLUMNS), "order_id")


def _package(package_id: str, cells: Mapping[str, str]) -> dict[str, object]:
    recipient = {**_taken(cells, "recipient", _PERSON), "address": _taken(cells, "recipient", _ADDRESS)}
    return {"id": package_id, "recipient": recipient, "postage": cells["package_postage"], "parcels": []}


def write_listings(changes: tuple[ListingChange, ...]) -> bytes:
    """Write one row a variant, cp932."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(LISTING_COLUMNS)
    for change in changes:
        wanted = change.wanted
        for variant in wanted.variants:
            title, price = wanted.texts.get("title", ""), f"{variant.price.amount:f}"
            writer.writerow([wanted.ref.seller_key, variant.key or "", variant.sku, title, price, wanted.sale.value])
    return out.getvalue().encode("cp932", errors="strict")


ORDER_LAYOUT = CsvLayout(
    name="orders",
    version="2026.1",
    encodings=("utf-8",),
    columns=tuple(CsvColumn(name=name, is_required=True) for name in _COLUMNS),
    group_by=("order_id",),
    covers=frozenset(
        {
            *("placed", "notes", "totals", "buyer.name.full", "buyer.email", "buyer.phones"),
            *(f"lines.{name}" for name in ("keys", "title", "quantity", "unit_price", "total", "tax_rate", "status")),
            *("packages.external_id", "packages.postage", "packages.address.name.full", "packages.address.phones"),
            *(f"packages.address.{name}" for name in _ADDRESS),
        }
    ),
    download=SHOP_PAGE,
    read=read_rows,
)
LISTING_LAYOUT = CsvLayout(
    name="listings",
    version="2026.1",
    encodings=("cp932",),
    columns=tuple(CsvColumn(name=name, is_required=True) for name in LISTING_COLUMNS),
    group_by=("listing",),
    covers=frozenset(),
    download=None,
    write=write_listings,
)


def _taken(cells: Mapping[str, str], prefix: str, names: Sequence[str]) -> dict[str, str]:
    return {name: cells[f"{prefix}_{name}"] for name in names}
