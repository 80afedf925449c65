"""States which variables a template may name, for the check and for people."""

from collections.abc import Mapping

from hanro.value import value
from notifier_svc.domain.contacts import TOTALS


@value
class Text:
    """Be a variable that prints; `means` is its documentation."""

    means: str


@value
class Record:
    """Be a variable with parts; it does not print itself."""

    parts: "Mapping[str, Kind]"


@value
class Series:
    """Be a list that a loop walks through."""

    of: "Kind"


Kind = Text | Record | Series

VARIABLES: Mapping[str, Kind] = {
    "shop": Record(parts={"name": Text(means="Name of the account, as its staff wrote it")}),
    "order": Record(
        parts={
            "external_id": Text(means="The marketplace's order number"),
            "placed_at": Text(means='When the buyer ordered, in the marketplace\'s zone: "2026-10-01 12:34"'),
        }
    ),
    "buyer": Record(parts={"name": Text(means="The buyer's name; empty where the marketplace gives none")}),
    "lines": Series(
        of=Record(
            parts={
                "title": Text(means="The product's name as sold"),
                "quantity": Text(means="Units"),
                "unit_price": Text(means='"1,980", without currency; empty where it is not stated'),
            }
        )
    ),
    "parcels": Series(
        of=Record(
            parts={
                "carrier": Text(means="The carrier's name"),
                "number": Text(means="The parcel's number; empty where it has none"),
                "url": Text(means="The carrier's page for that number; empty where it is not known"),
            }
        )
    ),
    "totals": Record(
        parts={name: Text(means='"1,980", without currency; empty where it is not stated') for name in TOTALS}
    ),
}

LOOP = Record(
    parts={
        "index": Text(means="Number of the line, from 1"),
        "first": Text(means="Whether it is the first"),
        "last": Text(means="Whether it is the last"),
    }
)


def describe() -> str:
    """List the variables for people, in Markdown."""
    return "\n".join(_rows("", VARIABLES))


def _rows(prefix: str, parts: Mapping[str, Kind]) -> list[str]:
    rows: list[str] = []
    for name, kind in parts.items():
        match kind:
            case Text():
                rows.append(f"- `{prefix}{name}`: {kind.means}")
            case Record():
                rows.extend(_rows(f"{prefix}{name}.", kind.parts))
            case Series():
                one = name.removesuffix("s")
                rows.append(f"- `{prefix}{name}`: a list; in `{{% for {one} in {name} %}}` each has")
                rows.extend(f"  {row}" for row in _rows(f"{one}.", _parts(kind.of)))
    return rows


def _parts(kind: Kind) -> Mapping[str, Kind]:
    return kind.parts if isinstance(kind, Record) else {}
