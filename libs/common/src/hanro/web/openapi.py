"""Writes the OpenAPI 3.1 document of an application: FastAPI's, with our problems in place of its own errors."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from hanro.web import idempotency
from hanro.web.guard import KeyUse, declared_key_use, is_version_asked
from hanro.web.problems import MEDIA_TYPE, TYPE_ROOT
from hanro.web.shapes import PROBLEM

_TEXT = {"type": "string"}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `kind` says who must act, `code` what is the matter; both are stable.",
    "required": ["type", "title", "status", "code", "detail", "retryable", "kind"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": [f"{TYPE_ROOT}not-found"]},
        "title": {"type": "string", "description": "The status in words"},
        "status": {"type": "integer", "description": "The HTTP status"},
        "code": {"type": "string", "description": "Stable: what is the matter", "examples": ["not-found"]},
        "detail": {"type": "string", "description": "One sentence for people: what is wrong, and what to do"},
        "retryable": {"type": "boolean", "description": "True: the same request may work later"},
        "kind": {
            "description": "Who must act: `request` the caller, `retryable` nobody, `needs-seller` the seller, "
            "`rejected` who owns the data, `contract-broken` and `internal` the operators",
            "type": "string",
            "enum": [
                *("request", "retryable", "needs-seller", "rejected", "contract-broken", "in-doubt", "unsupported"),
                "internal",
            ],
        },
        "instance": {"type": "string", "description": "Names the request in the operators' logs"},
        "errors": {
            "type": "array",
            "description": "What is wrong with which field",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "code": _TEXT,
                    "detail": _TEXT,
                    "pointer": {"type": "string", "description": "JSON Pointer into the body"},
                    "parameter": {"type": "string", "description": "Name of the path, query or header parameter"},
                },
            },
        },
        "grant_id": {"type": "string", "description": "The grant at the marketplace that it is about"},
        "marketplace": {
            "type": "object",
            "description": "What the marketplace said, verbatim",
            "properties": {"code": _TEXT, "message": _TEXT, "request_id": {"type": ["string", "null"]}},
        },
        "state": {"type": "string", "description": "The state that stands in the way"},
        "possible": {"type": "array", "items": _TEXT, "description": "What can be asked for in this state"},
        "rule": {
            "type": "object",
            "description": "The rule of the marketplace's policy pack that refuses it, and where it is from",
            "properties": {"id": _TEXT, "source": _TEXT},
        },
        "remedy": {
            "type": "object",
            "description": "What the seller does next",
            "required": ["ja", "en"],
            "properties": {"ja": _TEXT, "en": _TEXT},
        },
        "menu": {
            "type": "object",
            "description": "Where that is done at the marketplace",
            "properties": {
                "steps": {"type": "array", "items": _TEXT},
                "url": {"type": ["string", "null"]},
                "is_login_needed": {"type": "boolean"},
            },
        },
    },
}
_ANSWERS = {
    "400": "The cursor or the Idempotency-Key is missing or malformed",
    "401": "No token, or one that does not say who calls",
    "403": "The token lacks the scope that is named, or the thing belongs to other internal shops",
    "404": "There is no such thing, or it is not for this caller",
    "409": "It cannot be done as things stand: `kind` says who must act; or the same key is being worked on",
    "410": "Facts behind this position are no longer kept",
    "412": "It has changed since it was read",
    "413": "The body is too large",
    "415": "The body is no application/json",
    "422": "The request is malformed; `errors` point at the fields. Or the key came before with another request",
    "428": "If-Match is missing: say which version is changed",
    "429": "Too many requests",
    "501": "The marketplace cannot do this; `menu` is where it is done by hand",
    "503": "Try again after `Retry-After`",
    "default": "Any other problem",
}
# What FastAPI says of every success is "Successful Response".
_SUCCESSES = {
    "200": "Done",
    "201": "Made",
    "202": "Taken down, not yet done: watch the operation",
    "204": "Gone",
    "207": "An outcome for each entry",
}
_EVERYWHERE = ("401", "403", "422", "429", "503", "default")
_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"description": "Names the version; send it as If-Match to change it", "schema": _TEXT},
    "Link": {"description": '`<…>; rel="next"`: the next page; absent on the last', "schema": _TEXT},
    "Location": {"description": "Where the operation is watched", "schema": _TEXT},
    "Idempotency-Replayed": {"description": "`true`: the answer to an earlier request with this key", "schema": _TEXT},
}
_KEY = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "New for each request, the same for its repetition: the answer is given again for 7 days",
    "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.LONGEST_KEY, "pattern": "^[!-~]+$"},
}
_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "ETag of the version that is changed",
    "schema": {"type": "string", "pattern": r'^(\*|"v[0-9]{1,18}")$'},
}


def write(*, title: str, version: str, description: str, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Give the document of these routes.

    Raises:
        ValueError: two routes have one name: it is the operation's id, after which clients name their functions.
    """
    guarded = {
        (route.path_format, method.lower()): route
        for route in routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    document = get_openapi(title=title, version=version, description=description, routes=routes)
    versioned = {path for (path, method), route in guarded.items() if _asks_version(method, route)}
    for path, operations in document.get("paths", {}).items():
        for method, operation in operations.items():
            route = guarded[path, method]
            operation["operationId"] = route.name
            _add_parameters(method, operation, route)
            _describe_successes(operation, route)
            _add_headers(operation, is_versioned=path in versioned)
            _add_problems(operation, method, is_changed_by_version=_asks_version(method, route))
    names = Counter(route.name for route in guarded.values())
    if twice := sorted(name for name, count in names.items() if count > 1):
        raise ValueError(f"several routes are called {', '.join(twice)}")
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas[PROBLEM] = _PROBLEM
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            _add_examples(operation, schemas)
    components["responses"] = {_name(status): _answer(status, text) for status, text in _ANSWERS.items()}
    return document


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Say for a route's `responses` which problems it has beyond those that its form tells (409, 412 …)."""
    return {status: {"$ref": f"#/components/responses/{_name(str(status))}"} for status in statuses}


def _asks_version(method: str, route: APIRoute) -> bool:
    return method in {"put", "patch"} and is_version_asked(route)


def _add_parameters(method: str, operation: dict[str, Any], route: APIRoute) -> None:
    key_use = declared_key_use(route)
    added: list[dict[str, Any]] = []
    if method == "post" and key_use is not KeyUse.UNUSED:
        added.append(_KEY | {"required": key_use is KeyUse.NEEDED})
    elif _asks_version(method, route):
        added.append(_MATCH)
    there = {one["name"].lower() for one in operation.get("parameters", [])}
    if missing := [one for one in added if str(one["name"]).lower() not in there]:
        operation.setdefault("parameters", []).extend(missing)


def _describe_successes(operation: dict[str, Any], route: APIRoute) -> None:
    for status, text in _SUCCESSES.items():
        if status in operation["responses"] and int(status) not in route.responses:
            operation["responses"][status]["description"] = text


def _add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        try:
            content["example"] = _example(content["schema"], schemas)
        except LookupError:
            continue


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Give a body from the examples of its fields; an optional field without one is left out.

    Raises:
        LookupError: a field that is needed has none.
    """
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        # A body that may be left out: what it is where it is there.
        return _example(schema["anyOf"][0], schemas)
    match schema.get("type"):
        case "array":
            return [_example(schema["items"], schemas)]
        case "object":
            needed = schema.get("required", ())
            return {
                name: _example(inner, schemas)
                for name, inner in schema.get("properties", {}).items()
                if name in needed or "examples" in inner
            }
    raise LookupError(schema.get("title"))


def _add_headers(operation: dict[str, Any], *, is_versioned: bool) -> None:
    names = {one["name"] for one in operation.get("parameters", [])}
    for status, answer in operation["responses"].items():
        said = {
            "ETag": is_versioned and status in {"200", "201"},
            "Link": "cursor" in names,
            "Location": status == "202",
            idempotency.REPLAYED: idempotency.HEADER in names,
        }
        if status.startswith("2") and (headers := {name: _HEADERS[name] for name, is_said in said.items() if is_said}):
            answer["headers"] = headers


def _add_problems(operation: dict[str, Any], method: str, *, is_changed_by_version: bool) -> None:
    names = {one["name"] for one in operation.get("parameters", [])}
    has_body, is_write = "requestBody" in operation, method != "get"
    said = {
        "400": bool({"cursor", idempotency.HEADER} & names),
        "404": has_body or any(one["in"] == "path" for one in operation.get("parameters", [])),
        "409": is_write,
        "412": is_changed_by_version,
        "413": has_body,
        "415": has_body,
        "428": is_changed_by_version,
    }
    answers = operation["responses"]
    answers.pop("422", None)
    # A route that speaks of a problem itself knows better what it means there.
    for status in (*_EVERYWHERE, *(status for status, is_said in said.items() if is_said)):
        answers.setdefault(status, {"$ref": f"#/components/responses/{_name(status)}"})
    operation["responses"] = dict(sorted(answers.items()))


def _name(status: str) -> str:
    return f"Problem{status.capitalize()}"


def _answer(status: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {"429", "503"}:
        found["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
    if status == "401":
        found["headers"] = {"WWW-Authenticate": {"schema": _TEXT}}
    return found
