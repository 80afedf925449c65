"""The committed contracts are what the code states, hold nothing personal, and change only by additions."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from contract_files import ROOT, SCHEMAS, breaking, wanted
from jsonschema import Draft202012Validator

from hanro.events.fact import registered

PERSONAL = re.compile(
    r"name|address|mail|phone|tel$|kana|zip|postal|street|city|buyer|recipient|sex|birth"
    r"|password|secret|token|license|credential|remark|memo|note|comment|body|subject|text|raw"
)
# Looked at one by one: none of them says who a buyer is, or what a secret is.
HARMLESS = {
    "display_name": "the staff's name for an account",
    "registered_name": "the name of a business that issues invoices (IssuerNamed)",
    "credential_version": "counts stored sets of credentials",
    "text": "an amount's characters (StatedAmount)",
    "refusal_text": "the marketplace's own code",
    "status_text": "the marketplace's own code of how far a refund is (OrderRefund)",
}


def properties(schema: dict[str, Any]) -> Iterator[str]:
    yield from schema.get("properties", {})
    for inner in (*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()):
        yield from properties(inner)


def test_every_committed_contract_is_what_the_code_states() -> None:
    differing = [
        str(file.relative_to(ROOT)) for file, text in wanted().items() if not file.exists() or file.read_text() != text
    ]
    assert differing == [], "run make contracts, and look at the difference"


def test_no_schema_is_left_of_a_fact_that_is_gone() -> None:
    assert {file.stem for file in SCHEMAS.glob("*.json")} == {fact.type for fact in registered()}


@pytest.mark.parametrize("fact", registered(), ids=lambda fact: fact.type)
def test_a_fact_has_no_personal_field(fact: Any) -> None:
    schema = fact.model_json_schema(mode="serialization")
    Draft202012Validator.check_schema(schema)
    assert {name for name in properties(schema) if PERSONAL.search(name) and name not in HARMLESS} == set()


def test_the_search_for_personal_fields_finds_one() -> None:
    schema: dict[str, Any] = {"properties": {"lines": {"properties": {"buyer_name": {}}}}}
    assert [name for name in properties(schema) if PERSONAL.search(name)] == ["buyer_name"]


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["properties"].pop("sku"),
        lambda schema: schema["properties"]["on_hand"].update(type="string"),
        lambda schema: schema["required"].remove("on_hand"),
        lambda schema: schema["properties"]["cause"]["enum"].append("gift"),
    ],
    ids=["removed", "another type", "no longer there", "a new value"],
)
def test_a_change_that_readers_stumble_over_is_refused(change: Any) -> None:
    old = json.loads((SCHEMAS / "hanro.stock.changed.v1.json").read_text())
    new = copy.deepcopy(old)
    change(new)
    assert breaking(old, new)


def test_an_optional_field_more_is_fine() -> None:
    old = json.loads((SCHEMAS / "hanro.stock.changed.v1.json").read_text())
    new = copy.deepcopy(old)
    new["properties"]["bin"] = {"type": "string"}
    assert breaking(old, new) == []
