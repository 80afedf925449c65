"""Stands before every route: who calls, may they, how often, how much may they send."""

from collections.abc import Callable, Coroutine, Sequence
from enum import Enum
from typing import Any

from fastapi import APIRouter, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.params import Depends
from fastapi.params import Security as Secured
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hanro import trace
from hanro.auth import ALL_SHOPS, Authenticator, Caller, Unauthenticated
from hanro.web import bodies, uploads
from hanro.web.open_routes import declared_open
from hanro.web.problems import MOST_FAULTS, FieldFault, Problem
from hanro.web.rates import Rates

DEFAULT_BODY_BYTES = 1024 * 1024
REALM = "hanro"
BAD_REQUEST = 400
TOO_LARGE = 413
LONGEST_NAME = 100

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Bearer(SecurityBase):
    """Declare the bearer token in OpenAPI; the check itself stands before the body is read."""

    def __init__(self) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="Access token of the configured issuer")
        self.scheme_name = "bearer"

    async def __call__(self) -> None:
        """Do nothing: `Guard` has checked it."""


class BodyLimit:
    """Carry a route's own limit."""

    def __init__(self, largest_bytes: int) -> None:
        self.largest_bytes = largest_bytes

    async def __call__(self) -> None:
        """Do nothing: the route reads the limit when it is built."""


class FileBody:
    """Carry the largest file that a route takes in as it comes."""

    def __init__(self, largest_bytes: int) -> None:
        self.largest_bytes = largest_bytes

    async def __call__(self) -> None:
        """Do nothing: the route reads the limit when it is built."""


class KeyUse(Enum):
    """Say what a POST makes of an Idempotency-Key; without a word it takes one."""

    NEEDED = "needed"
    TAKEN = "taken"
    UNUSED = "unused"

    async def __call__(self) -> None:
        """Do nothing: `Idempotency.once` and the OpenAPI document ask the route."""


class AnyVersion:
    """Say that a PUT or PATCH restates whatever is stored, and asks for no If-Match."""

    async def __call__(self) -> None:
        """Do nothing: the OpenAPI document asks the route."""


class Guard:
    """Let a request through to its route, or refuse it."""

    def __init__(self, authenticator: Authenticator, rates: Rates | None) -> None:
        self._authenticator = authenticator
        self._rates = rates

    async def admit(self, request: Request, scopes: Sequence[str]) -> None:
        """Find out who calls and whether that is allowed; `caller(request)` gives it from then on.

        Raises:
            Problem: 401 `unauthenticated`, 403 `scope-missing` naming the first, 429 `too-many-requests`.
            Retryable: the issuer's keys cannot be had.
        """
        found = await self._authenticate(request)
        request.state.caller = found
        trace.act_for(found.subject)
        missing = next((scope for scope in scopes if scope not in found.scopes), None)
        if missing is not None:
            raise _scope_missing(missing)
        if self._rates is None:
            return
        turn = self._rates.take(found.subject)
        request.state.answer_headers = turn.headers()
        if not turn.is_granted:
            raise Problem(
                status=429,
                code="too-many-requests",
                detail=f"More than {turn.limit} requests a minute.",
                headers={"Retry-After": str(turn.seconds)},
                is_retryable=True,
            )

    async def _authenticate(self, request: Request) -> Caller:
        given = request.headers.getlist("authorization")
        kind, _, token = (given[0] if len(given) == 1 else "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise _unauthenticated("A bearer token is needed.", f'Bearer realm="{REALM}"')
        try:
            return await self._authenticator.caller(token.strip())
        except Unauthenticated as error:
            why = str(error)
            raise _unauthenticated(why, f'Bearer realm="{REALM}", error="invalid_token"') from None


class GuardedRoute(APIRoute):
    """Be a route that answers 401, 403, 413, 415 and 429 before FastAPI reads anything of the request."""

    def get_route_handler(self) -> Handler:
        """Put the guard before FastAPI's own handler."""
        inner = super().get_route_handler()
        scopes = declared_scopes(self)
        is_open = declared_open(self) is not None
        largest_bytes = declared_body_limit(self)
        largest_file = declared_file_limit(self)
        is_body_expected = self.body_field is not None
        parameters = frozenset(one.alias for one in self.dependant.query_params)

        async def handle(request: Request) -> Response:
            arriving = bodies.Arriving(request)
            try:
                return await answer(arriving.request)
            except Problem as problem:
                if problem.status_code == TOO_LARGE:
                    await arriving.let_finish()
                raise

        async def answer(request: Request) -> Response:
            guard: Guard = request.app.state.guard
            if not is_open:
                await guard.admit(request, scopes)
                _check_parameters(request, parameters)
            if largest_file is not None and uploads.media_type_of(request) in {uploads.CSV, uploads.FORM}:
                return await inner(bodies.bounded(request, largest_file))
            body = await bodies.read(request, largest_bytes)
            if is_body_expected and body:
                _check_media_type(request)
                bodies.refuse_unstorable(body)
            try:
                return await inner(bodies.again(request, body))
            except HTTPException as error:
                # FastAPI's word for JSON that nests too deep to be read.
                if isinstance(error, Problem) or error.status_code != BAD_REQUEST:
                    raise
                raise _unreadable() from None

        return handle


def declared_scopes(route: APIRoute) -> tuple[str, ...]:
    """Give the scopes that a route declares; empty where it declares none."""
    found = [one for one in route.dependencies if isinstance(one, Secured) and isinstance(one.dependency, Bearer)]
    return tuple(scope for one in found for scope in one.scopes or ())


def declared_body_limit(route: APIRoute) -> int:
    """Give the largest body in bytes that a route takes."""
    found = [one.dependency for one in route.dependencies if isinstance(one.dependency, BodyLimit)]
    return found[-1].largest_bytes if found else DEFAULT_BODY_BYTES


def declared_file_limit(route: APIRoute) -> int | None:
    """Give the largest file in bytes that a route takes in as it comes; None where it takes none."""
    found = [one.dependency for one in route.dependencies if isinstance(one.dependency, FileBody)]
    return found[-1].largest_bytes if found else None


def declared_key_use(route: object) -> KeyUse:
    """Give what a route makes of an Idempotency-Key."""
    found = [one.dependency for one in route.dependencies] if isinstance(route, APIRoute) else []
    return next((one for one in found if isinstance(one, KeyUse)), KeyUse.TAKEN)


def is_version_asked(route: APIRoute) -> bool:
    """Tell whether a PUT or PATCH asks for If-Match."""
    return not any(isinstance(one.dependency, AnyVersion) for one in route.dependencies)


def router(tags: Sequence[str | Enum] = ()) -> APIRouter:
    """Make a router whose routes are guarded; each must declare `dependencies=[require("…")]`.

    A route takes bodies of at most 1 MiB; `body_limit(bytes)` among its dependencies allows another size.
    """
    return APIRouter(tags=list(tags), route_class=GuardedRoute)


def require(*scopes: str) -> Depends:
    """Declare the scopes that a route needs, all of them, for its `dependencies`; a route without fails at start."""
    declared: Depends = Security(Bearer(), scopes=list(scopes))
    return declared


def body_limit(largest_bytes: int) -> Depends:
    """Declare the largest body of a route, for its `dependencies`."""
    return Depends(BodyLimit(largest_bytes))


def file_body(largest_bytes: int) -> Depends:
    """Declare that a route takes a file of at most that size, for its `dependencies`; `uploads.receive` reads it."""
    return Depends(FileBody(largest_bytes))


def key_needed() -> Depends:
    """Declare that a route needs an Idempotency-Key, for its `dependencies`: what it does must not happen twice."""
    return Depends(KeyUse.NEEDED)


def key_unused() -> Depends:
    """Declare that a POST takes no Idempotency-Key, for its `dependencies`: to repeat it is harmless."""
    return Depends(KeyUse.UNUSED)


def any_version() -> Depends:
    """Declare that a PUT or PATCH asks for no If-Match, for its `dependencies`: the last one who writes is right."""
    return Depends(AnyVersion())


def caller(request: Request) -> Caller:
    """Give who makes this request."""
    found: Caller = request.state.caller
    return found


def visible_shops(request: Request) -> list[str] | None:
    """Give the internal shops whose matters the caller may see, sorted; None: all."""
    shops = caller(request).shops
    return None if ALL_SHOPS in shops else sorted(shops)


def may(request: Request, scope: str) -> bool:
    """Tell whether the caller also has another scope (`orders:personal`)."""
    return scope in caller(request).scopes


def _scope_missing(scope: str) -> Problem:
    return Problem(
        status=403,
        code="scope-missing",
        detail=f"The token does not carry the scope {scope}.",
        headers={"WWW-Authenticate": f'Bearer realm="{REALM}", error="insufficient_scope", scope="{scope}"'},
    )


def _unauthenticated(why: str, challenge: str) -> Problem:
    return Problem(status=401, code="unauthenticated", detail=why, headers={"WWW-Authenticate": challenge})


def _unreadable() -> Problem:
    fault = FieldFault(code="json-invalid", detail="it cannot be read as JSON", pointer="")
    return Problem(status=422, code="request-malformed", detail="The body cannot be read as JSON.", errors=[fault])


def _check_parameters(request: Request, known: frozenset[str]) -> None:
    """Refuse a parameter that a route does not know: a filter that is misspelt would give more than was asked for."""
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        said = f"it is not known here; known: {', '.join(sorted(known)) or 'none'}"
        faults = [FieldFault(code="parameter-unknown", detail=said, parameter=name[:LONGEST_NAME]) for name in unknown]
        raise Problem(
            status=422,
            code="request-malformed",
            detail=f"The request is malformed: {faults[0].parameter}: {said}",
            errors=faults[:MOST_FAULTS],
        )


def _check_media_type(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem(status=415, code="media-type-unsupported", detail="The body must be application/json.")
