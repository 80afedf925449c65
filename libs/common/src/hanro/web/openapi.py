"""Writes the OpenAPI 3.1 document of an application: FastAPI's, with our problems in place of its own errors."""

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from hanro.web import idempotency, problems
from hanro.web.guard import KeyUse, declared_key_use, is_version_asked

_TEXT = {"type": "string"}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `kind` says who must act, `code` what is the matter; both are stable.",
    "required": ["type", "title", "status", "code", "detail", "retryable", "kind"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": [f"{problems.TYPE_ROOT}not-found"]},
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": _TEXT,
        "detail": _TEXT,
        "retryable": {"type": "boolean"},
        "kind": {
            "type": "string",
            "enum": [
                *("request", "retryable", "needs-seller", "rejected", "contract-broken", "in-doubt", "unsupported"),
                "internal",
            ],
        },
        "instance": {"type": "string", "description": "Names the request in the operators' logs"},
        "errors": {
            "type": "array",
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
        "grant_id": _TEXT,
        "marketplace": {
            "type": "object",
            "properties": {"code": _TEXT, "message": _TEXT, "request_id": {"type": ["string", "null"]}},
        },
        "remedy": {"type": "object", "required": ["ja", "en"], "properties": {"ja": _TEXT, "en": _TEXT}},
        "menu": {
            "type": "object",
            "properties": {
                "steps": {"type": "array", "items": _TEXT},
                "url": {"type": ["string", "null"]},
                "is_login_needed": {"type": "boolean"},
            },
        },
    },
}
_ANSWERS = {
    "401": "No token, or one that does not say who calls",
    "403": "The token lacks the scope that is named",
    "422": "The request is malformed; `errors` point at the fields",
    "429": "Too many requests",
    "503": "Try again after `Retry-After`",
    "default": "Any other problem",
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
    """Give the document of these routes."""
    guarded = {
        (route.path_format, method.lower()): route
        for route in routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    document = get_openapi(title=title, version=version, description=description, routes=routes)
    for path, operations in document.get("paths", {}).items():
        for method, operation in operations.items():
            answers = operation["responses"]
            answers.pop("422", None)
            answers |= {
                status: {"$ref": f"#/components/responses/{_name(status)}"}
                for status in _ANSWERS
                if status not in answers
            }
            _add_parameters(method, operation, guarded[path, method])
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas["Problem"] = _PROBLEM
    components["responses"] = {_name(status): _answer(status, text) for status, text in _ANSWERS.items()}
    return document


def _add_parameters(method: str, operation: dict[str, Any], route: APIRoute) -> None:
    key_use = declared_key_use(route)
    added: list[dict[str, Any]] = []
    if method == "post" and key_use is not KeyUse.UNUSED:
        added.append(_KEY | {"required": key_use is KeyUse.NEEDED})
    elif method in {"put", "patch"} and is_version_asked(route):
        added.append(_MATCH)
    there = {one["name"].lower() for one in operation.get("parameters", [])}
    if missing := [one for one in added if str(one["name"]).lower() not in there]:
        operation.setdefault("parameters", []).extend(missing)


def _name(status: str) -> str:
    return f"Problem{status.capitalize()}"


def _answer(status: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": text,
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {"429", "503"}:
        found["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
    if status == "401":
        found["headers"] = {"WWW-Authenticate": {"schema": _TEXT}}
    return found
