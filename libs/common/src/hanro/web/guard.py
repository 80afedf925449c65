"""Stands before every route: who calls, may they, how much may they send."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from fastapi import APIRouter, Security
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from hanro.auth import Caller

DEFAULT_BODY_BYTES = 1024 * 1024


class Bearer(SecurityBase):
    """Declare the bearer token in OpenAPI; the check itself stands before the body is read."""


class GuardedRoute(APIRoute):
    """Be a route that answers 401, 403, 413, 429 and 431 before anything of the request's body is read."""


def router(tags: Sequence[str | Enum] = (), *, body_bytes: int = DEFAULT_BODY_BYTES) -> APIRouter:
    """Make a router whose routes are guarded; each must declare `dependencies=[require("…")]`.

    A route takes bodies of at most `body_bytes`; give it `max_body_size=…` to allow more.
    """
    return APIRouter(tags=list(tags), route_class=GuardedRoute, max_body_size=body_bytes)


def require(scope: str) -> Any:
    """Declare the scope that a route needs, for its `dependencies`; a route without one fails at start."""
    return Security(Bearer(), scopes=[scope])


def caller(request: Request) -> Caller:
    """Give who makes this request."""
    found: Caller = request.state.caller
    return found


def may(request: Request, scope: str) -> bool:
    """Tell whether the caller also has another scope (`orders:personal`)."""
    return scope in caller(request).scopes
