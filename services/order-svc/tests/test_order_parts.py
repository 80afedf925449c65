"""Parts of sightings are written as pydantic's own filter writes them."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from order_sightings import NOON, account, seen

from hanro.marketplace.types import SeenOrder
from hanro.money import Money
from order_svc.domain.parts import part_writer
from order_svc.domain.readings import BUYERS_PART, SEEN, SHEET
from order_svc.domain.reconcile import reconcile
from order_svc.store.order_rows import Document, document_of

PLAIN: Mapping[Any, Any] = {
    str: "見本",
    bytes: b"{}",
    bool: True,
    int: 2,
    Decimal: Decimal("0.1"),
    Money: Money(Decimal(1980), "JPY"),
    type(NOON): NOON,
    date: NOON.date(),
    time: time(12),
}


def filled(kind: Any) -> Any:
    """Give a value of a type in which nothing is left out, lists with two of each."""
    inner = get_args(kind)
    origin = get_origin(kind) or kind
    found = PLAIN.get(origin)
    if origin in {types.UnionType, Union}:
        found = filled(next(one for one in inner if one is not type(None)))
    elif origin in {tuple, frozenset}:
        found = origin([filled(inner[0])] * 2)
    elif origin is Mapping:
        names = ("network", "external_id", "name") if inner[0] is str else (filled(inner[0]),)
        found = {name: filled(inner[1]) for name in names}
    elif isinstance(origin, type) and issubclass(origin, Enum):
        found = next(iter(origin))
    elif found is None and is_dataclass(origin):
        hints = get_type_hints(origin)
        found = kind(**{field.name: filled(hints[field.name]) for field in fields(origin)})
    assert found is not None, f"no value for {origin}"
    return found


@pytest.mark.parametrize("part", [BUYERS_PART, SHEET, {"placed"}, {"packages": {"__all__": {"address": {"pickup"}}}}])
@pytest.mark.parametrize("sighting", [filled(SeenOrder), seen()])
def test_a_part_of_a_sighting_is_written_as_the_filter_writes_it(part: Any, sighting: SeenOrder) -> None:
    assert part_writer(SEEN, part)(sighting) == SEEN.dump_json(sighting, include=part)


def test_a_part_of_a_text_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="of a str no part"):
        part_writer(SEEN, {"external_id": {"first"}})


def test_a_part_that_names_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no member sender, weight"):
        part_writer(SEEN, {"packages": {"__all__": {"external_id", "weight", "sender"}}})


def test_a_document_holds_of_an_order_what_is_read_from_it() -> None:
    change = reconcile(None, filled(SeenOrder), account=account(), route="placed", at=NOON)
    assert change is not None
    order = replace(change.order, unmapped={"line-1": None})
    document = Document.model_validate_json(document_of(order))
    for name in Document.model_fields:
        assert getattr(document, name) == getattr(order, name), name
    assert document.refunds
    assert document.claims
