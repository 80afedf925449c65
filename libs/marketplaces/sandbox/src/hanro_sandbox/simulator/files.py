"""Writes orders as the sandbox's file: one row a line, whose package says where it goes."""

import csv
import io
from collections.abc import Iterable, Iterator

from hanro_sandbox.simulator.wire import Tree

ORDER = ("placed_at", "remarks")
LINE = ("listing", "variant", "title", "quantity", "unit_price", "total", "tax_percent", "state")
PERSON = ("family_name", "given_name", "phone")
ADDRESS = ("country", "postal_code", "region", "city", "street")
TOTALS = ("goods", "postage", "fee", "total", "payable", "seller_fee", "payout")
COLUMNS = (
    "order_id",
    *ORDER,
    *(f"buyer_{name}" for name in (*PERSON, "email")),
    "line_id",
    *(f"line_{name}" for name in LINE),
    "package_id",
    "package_postage",
    *(f"recipient_{name}" for name in (*PERSON, *ADDRESS)),
    *(f"order_{name}" for name in TOTALS),
)


def write_orders(orders: Iterable[Tree]) -> str:
    """Write a file with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for order in orders:
        writer.writerows(_rows(order))
    return out.getvalue()


def _rows(order: Tree) -> Iterator[Tree]:
    packages = {package["id"]: package for package in order["packages"]}
    for line in order["lines"]:
        package = packages[line["package"]]
        recipient, buyer = package["recipient"], order["buyer"]
        yield {
            "order_id": order["id"],
            **{name: order[name] for name in ORDER},
            **{f"buyer_{name}": buyer[name] for name in (*PERSON, "email")},
            "line_id": line["id"],
            **{f"line_{name}": line[name] for name in LINE},
            "package_id": package["id"],
            "package_postage": package["postage"],
            **{f"recipient_{name}": recipient[name] for name in PERSON},
            **{f"recipient_{name}": recipient["address"][name] for name in ADDRESS},
            **{f"order_{name}": order["totals"][name] for name in TOTALS},
        }
