"""Reads an OpenAPI document as tests need it: its operations, bodies that fit them, and bodies spoiled in one place."""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
Steps = tuple[str | int, ...]

CANARY = "canary-3f1b"
VERBS = ("get", "put", "post", "delete", "patch")
LONG = 100_000
HUGE = 10**30
_TEXTS = (
    "sample",
    "SAMPLE",
    "12345678",
    "2026-05-11",
    "2026-05-11T03:00:00Z",
    "2026-05-12T03:00:00Z",
    "a",
    "JP",
    "acc_01JZZZZZZZZZZZZZZZZZZZZZZZ",
)
_MISFITS = (CANARY, f" {CANARY}", f"/{CANARY} ", "")


@dataclass(frozen=True, slots=True)
class Operation:
    """Be one method of one path; `body` is None where it takes none, `definitions` are what schemas refer to.

    `is_list`: it answers with `items`. `example` is a body as the document shows it.
    """

    method: str
    path: str
    scopes: tuple[str, ...]
    parameters: tuple[Schema, ...]
    body: Schema | None
    is_body_needed: bool
    definitions: Schema
    is_list: bool
    example: object

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def scope(self) -> str:
        """Give the scopes that it needs as a token names them."""
        return " ".join(self.scopes)

    def parameter(self, name: str) -> Schema | None:
        """Give a parameter by name; None where the operation has no such."""
        return next((one for one in self.parameters if one["name"].lower() == name.lower()), None)

    def address(self, known: Mapping[str, str] | None = None) -> str:
        """Give the path with its parameters filled, from `known` or with values of the right form; needed query too."""
        values = {
            one["name"]: (known or {}).get(one["name"]) or str(fitting(one["schema"], self.definitions))
            for one in self.parameters
            if one["in"] == "path" or (one["in"] == "query" and one.get("required"))
        }
        path = self.path
        for name, text in values.items():
            path = path.replace(f"{{{name}}}", text)
        query = "&".join(f"{name}={text}" for name, text in values.items() if f"{{{name}}}" not in self.path)
        return f"{path}?{query}" if query else path

    def fitting_body(self) -> object:
        """Give a body of the right form, with every member; None where the operation takes none."""
        return None if self.body is None else fitting(self.body, self.definitions)

    def other_body(self, body: object) -> object:
        """Give a body of the right form that says something else than `body` in one place.

        Raises:
            ValueError: the form leaves no room for anything else.
        """
        if self.body is None:
            raise ValueError(f"{self} takes no body")
        found = next(_others(self.body, self.definitions, body), _GONE)
        if found is _GONE:
            raise ValueError(f"{self}: nothing else can be said than {body}")
        return found

    def spoiled_bodies(self) -> Iterator[tuple[str, object]]:
        """Yield bodies that are wrong in one place, each with the JSON Pointer to it."""
        if self.body is None:
            return
        whole = fitting(self.body, self.definitions)
        for steps, value in _spoil(self.body, self.definitions, ()):
            body = copy.deepcopy(whole)
            yield "".join(f"/{step}" for step in steps), _change(body, steps, value)


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Give all operations of a document."""
    definitions = document["components"]["schemas"]
    return [
        Operation(
            method=method,
            path=path,
            scopes=tuple(operation["security"][0]["bearer"]),
            parameters=tuple(operation.get("parameters", ())),
            body=operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema"),
            is_body_needed=operation.get("requestBody", {}).get("required", False),
            definitions=definitions,
            example=operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example"),
            is_list=method == "get" and "items" in _answered(operation, definitions),
        )
        for path, entry in document["paths"].items()
        for method, operation in entry.items()
        if method in VERBS
    ]


def _answered(operation: Schema, definitions: Schema) -> Schema:
    """Give the members of an operation's first answer."""
    schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    members: Schema = _plain(schema, definitions)[0].get("properties", {})
    return members


def fitting(schema: Schema, definitions: Schema) -> Any:  # noqa: PLR0911  a value of each kind
    """Give a value of the schema's form, with every member and one entry in each list."""
    schema, _ = _plain(schema, definitions)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("const", schema.get("type")):
        case "object":
            values = schema.get("additionalProperties")
            members = {name: fitting(one, definitions) for name, one in schema.get("properties", {}).items()}
            return members | ({"sample": fitting(values, definitions)} if isinstance(values, dict) else {})
        case "array":
            return [fitting(schema["items"], definitions)]
        case "string":
            return next(text for text in _TEXTS if _fits(schema, text))
        case "integer" | "number":
            return max(1, int(schema.get("minimum", 1)))
        case "boolean":
            return True
        case other:
            return other


def _others(schema: Schema, definitions: Schema, value: Any) -> Iterator[Any]:
    """Yield values of the form that differ from one in a single place."""
    schema, _ = _plain(schema, definitions)
    match value:
        case dict():
            values = schema.get("additionalProperties")
            for name, inner in value.items():
                form = schema.get("properties", {}).get(name, values)
                yield from ({**value, name: other} for other in _others(form, definitions, inner))
        case list():
            yield from _other_lists(schema, definitions, value)
        case str():
            texts = [schema["const"]] if "const" in schema else schema.get("enum") or _TEXTS
            yield from [text for text in texts if text != value and _fits(schema, text)]
        case bool():
            yield not value
        case int():
            yield value + 1


def _other_lists(schema: Schema, definitions: Schema, value: list[Any]) -> Iterator[list[Any]]:
    for place, inner in enumerate(value):
        for other in _others(schema["items"], definitions, inner):
            yield [*value[:place], other, *value[place + 1 :]]
    if len(value) > schema.get("minItems", 0):
        yield value[:-1]


def misfits(schema: Schema, definitions: Schema) -> Iterator[object]:
    """Yield values that the schema refuses, of every kind that it can refuse."""
    schema, is_nullable = _plain(schema, definitions)
    kind = schema.get("type")
    yield {"canary": CANARY} if kind == "array" else [[CANARY]]
    if not is_nullable:
        yield None
    if kind == "string":
        yield "x" * (schema["maxLength"] + 1 if "maxLength" in schema else LONG)
        yield from [text for text in _MISFITS if not _fits(schema, text)][:1]
    if kind in {"integer", "number"}:
        yield HUGE
        yield from [schema[name] + step for name, step in (("minimum", -1), ("maximum", 1)) if name in schema]
        yield CANARY
    if kind == "array":
        entry = fitting(schema["items"], definitions)
        yield from [[entry] * count for count in _wrong_counts(schema)]


def _wrong_counts(schema: Schema) -> Iterator[int]:
    if schema.get("minItems"):
        yield schema["minItems"] - 1
    # Without a bound the body's size is one.
    if "maxItems" in schema:
        yield schema["maxItems"] + 1


def _spoil(schema: Schema, definitions: Schema, steps: Steps) -> Iterator[tuple[Steps, object]]:
    yield from ((steps, value) for value in misfits(schema, definitions))
    schema, _ = _plain(schema, definitions)
    if schema.get("type") == "array":
        yield from _spoil(schema["items"], definitions, (*steps, 0))
    if schema.get("type") != "object":
        return
    values = schema.get("additionalProperties", True)
    if isinstance(values, dict):
        yield from _spoil(values, definitions, (*steps, "sample"))
    else:
        yield (*steps, "unknown_member"), CANARY
    yield from (((*steps, name), _GONE) for name in schema.get("required", ()))
    for name, one in schema.get("properties", {}).items():
        yield from _spoil(one, definitions, (*steps, name))


_GONE = object()


def _change(body: Any, steps: Steps, value: object) -> object:
    if not steps:
        return value
    inner = body
    for step in steps[:-1]:
        inner = inner[step]
    if value is _GONE:
        del inner[steps[-1]]
    else:
        inner[steps[-1]] = value
    return body


def _plain(schema: Schema, definitions: Schema) -> tuple[Schema, bool]:
    """Follow references and take the first choice that is not null; and tell whether null is one."""
    is_nullable = False
    while True:
        choices: Sequence[Schema] = schema.get("anyOf", schema.get("oneOf", schema.get("allOf", ())))
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rpartition("/")[2]]
        elif choices:
            is_nullable = is_nullable or any(one.get("type") == "null" for one in choices)
            schema = next(one for one in choices if one.get("type") != "null")
        else:
            return schema, is_nullable


def _fits(schema: Schema, text: str) -> bool:
    is_long_enough = schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", LONG)
    is_known = text in schema["enum"] if "enum" in schema else True
    has_form = re.search(schema.get("pattern", ""), text) is not None
    is_time = schema.get("format") not in {"date-time", "date"} or text.startswith("2026") is (len(text) > 0)
    is_right_time = schema.get("format") != "date-time" or "T" in text
    return is_long_enough and is_known and has_form and is_time and is_right_time
