"""The committed OpenAPI documents say enough to make a client from: names, shapes, descriptions, examples, problems."""

import json
from collections import Counter
from typing import Any

import pytest
from contract_files import ROOT, SERVICES
from jsonschema import Draft202012Validator

from hanro.testing.documents import VERBS

PROBLEM = "application/problem+json"
JSON = "application/json"
# What is no JSON is a file; its media type is its shape.
FILES = {"application/pdf", "text/csv", "application/octet-stream"}
# What is as it is: JSON of a marketplace's or a kind's own, which no type of ours describes.
OPEN = {"Problem"}


@pytest.fixture(params=sorted(SERVICES))
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "services" / request.param / "openapi.json").read_text())
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, entry in document["paths"].items()
        for method, operation in entry.items()
        if method in VERBS
    ]


def test_each_operation_has_a_name_of_its_own_and_says_what_it_does(document: dict[str, Any]) -> None:
    found = operations(document)
    names = Counter(operation["operationId"] for _, operation in found)
    assert [name for name, count in names.items() if count > 1 or not name.isidentifier()] == []
    assert [one for one, operation in found if not operation.get("description")] == []
    assert [one for one, operation in found if not operation.get("tags")] == []


def test_each_success_has_a_shape_with_a_name(document: dict[str, Any]) -> None:
    shapeless = []
    for one, operation in operations(document):
        successes = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
        assert successes, one
        for status, answer in successes.items():
            content = answer.get("content", {})
            if content and content.keys() <= FILES:
                continue
            schema = content.get(JSON, {}).get("schema", {})
            if ("$ref" not in schema) is (status != "204"):
                shapeless.append(f"{one} {status} {schema}")
    assert shapeless == []


def test_no_shape_is_named_by_a_module_because_another_has_its_name(document: dict[str, Any]) -> None:
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


def test_each_field_and_each_parameter_is_described(document: dict[str, Any]) -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        if name not in OPEN
        for field, inner in schema.get("properties", {}).items()
        if not inner.get("description")
    ]
    silent += [
        f"{one} {parameter['name']}"
        for one, operation in operations(document)
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    ]
    assert silent == []


def test_each_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    for one, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get(JSON)
        if content is None:
            continue
        schema = {**content["schema"], "components": document["components"]}
        faults = [error.message for error in Draft202012Validator(schema).iter_errors(content["example"])]
        assert faults == [], one


def test_each_operation_tells_its_problems(document: dict[str, Any]) -> None:
    for one, operation in operations(document):
        told = set(operation["responses"])
        assert {"401", "403", "422", "429", "503", "default"} <= told, one
        names = {parameter["name"] for parameter in operation.get("parameters", ())}
        for name, statuses in (
            ("cursor", {"400"}),
            ("Idempotency-Key", {"400", "409"}),
            ("If-Match", {"412", "428"}),
        ):
            assert name not in names or statuses <= told, (one, name)
        assert "requestBody" not in operation or {"413", "415"} <= told, one
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                continue
            named = answer["$ref"].rpartition("/")[2] if "$ref" in answer else None
            problem = document["components"]["responses"][named] if named else answer
            assert list(problem["content"]) == [PROBLEM], (one, status)


@pytest.mark.row("X4", kind="walks")
def test_no_page_is_longer_than_two_hundred_and_each_list_of_pages_names_the_next(document: dict[str, Any]) -> None:
    for one, operation in operations(document):
        parameters = {parameter["name"]: parameter["schema"] for parameter in operation.get("parameters", ())}
        if "limit" in parameters:
            assert parameters["limit"]["maximum"] <= 200, one
        if "cursor" in parameters:
            assert "limit" in parameters, one
            assert "Link" in operation["responses"]["200"]["headers"], one


@pytest.mark.row("X5", kind="walks")
def test_what_is_done_later_says_where_it_is_watched(document: dict[str, Any]) -> None:
    for one, operation in operations(document):
        if "202" in operation["responses"]:
            assert "Location" in operation["responses"]["202"]["headers"], one


@pytest.mark.row("X5", kind="walks")
def test_a_batch_answers_for_each_entry(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for one, operation in operations(document):
        assert "207" in operation["responses"] or not one.endswith(":batch"), one
        if "207" in operation["responses"]:
            name = operation["responses"]["207"]["content"][JSON]["schema"]["$ref"].rpartition("/")[2]
            entry = schemas[name]["properties"]["items"]["items"]["$ref"].rpartition("/")[2]
            assert "status" in schemas[entry]["properties"], one
