"""Builds the public and the internal application of a service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from hanro import metrics
from hanro.auth import Authenticator
from hanro.clock import Clock
from hanro.db import Database
from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.subscriptions import Subscription
from hanro.web import openapi
from hanro.web.cursors import Cursors
from hanro.web.edge import Edge, RequestMetrics, handle_failure
from hanro.web.guard import Guard, GuardedRoute, declared_scopes
from hanro.web.open_routes import declared_open
from hanro.web.rates import Rates
from hanro.web.routes.breakers import breaker_routes
from hanro.web.routes.contract import contract_routes
from hanro.web.routes.dead_letters import dead_letter_routes
from hanro.web.routes.events import event_routes
from hanro.web.routes.operations import AccountsOf, operation_routes

_EXPECTED: tuple[type[Exception], ...] = (
    *(Retryable, NeedsSeller, Rejected, ContractBroken, InDoubt, Unsupported),
    *(HTTPException, RequestValidationError),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInfo:
    """Be how a service presents itself: `noun` is its path (`order`), `name` its own (`order-svc`).

    `scope` is what reading its operations and events needs (`orders:read`), `publishes` are the topics of its facts.
    """

    noun: str
    name: str
    title: str
    description: str
    scope: str
    publishes: tuple[str, ...] = ()
    version: str = "0.1.0"


class Apps(NamedTuple):
    """Be the two applications of a service: for everybody, and for the internal port."""

    public: FastAPI
    internal: FastAPI


class ScopeUndeclared(Exception):
    """A route says no scope, or was not made by `hanro.web.router`; the text names it."""


def create_app(
    service: ServiceInfo,
    *,
    routers: Sequence[APIRouter],
    internal_routers: Sequence[APIRouter] = (),
    subscriptions: Sequence[Subscription[Any, Any]] = (),
    authenticator: Authenticator,
    db: Database,
    cursors: Cursors,
    clock: Clock,
    registry: CollectorRegistry,
    missing: Callable[[], str | None],
    requests_per_minute: int = 600,
    accounts_of: AccountsOf | None = None,
) -> Apps:
    """Build both applications from a service's routers, with the routes that all services have.

    `subscriptions` are the service's, by which dead letters are redriven. `missing` says what the process still waits
    for, None once it is ready (`hanro.worker.Readiness.missing`). `accounts_of` gives the accounts of a caller who may
    not see all shops.

    Raises:
        ScopeUndeclared: a route without `require(…)`.
    """
    counted = RequestMetrics(registry)
    routes = _routes(service, routers, db, cursors, subscriptions=subscriptions, accounts_of=accounts_of)

    # Half a second of work that most processes are never asked for.
    @cache
    def written() -> dict[str, Any]:
        return openapi.write(
            title=service.title, version=service.version, description=service.description, routes=routes
        )

    public = _app(service, "public", [*routes, *contract_routes(service.noun, written)], counted)
    public.state.guard = Guard(authenticator, Rates(requests_per_minute, clock))
    internal = _app(service, "internal", [*_flat(internal_routers), *_health(registry, missing)], counted)
    internal.state.guard = Guard(authenticator, None)
    return Apps(public, internal)


def document(
    service: ServiceInfo,
    *,
    routers: Sequence[APIRouter],
    db: Database,
    cursors: Cursors,
    subscriptions: Sequence[Subscription[Any, Any]] = (),
) -> dict[str, Any]:
    """Give the OpenAPI 3.1 document of the public application, for `python -m … openapi`; `db` is not connected to."""
    routes = _routes(service, routers, db, cursors, subscriptions=subscriptions, accounts_of=None)
    return openapi.write(title=service.title, version=service.version, description=service.description, routes=routes)


def _routes(
    service: ServiceInfo,
    routers: Sequence[APIRouter],
    db: Database,
    cursors: Cursors,
    *,
    subscriptions: Sequence[Subscription[Any, Any]],
    accounts_of: AccountsOf | None,
) -> list[BaseRoute]:
    shared = (
        operation_routes(service.noun, service.scope, db, cursors, accounts_of=accounts_of),
        event_routes(service.noun, service.scope, db),
        dead_letter_routes(service.noun, db, cursors, subscriptions),
        breaker_routes(service.noun, db, cursors),
    )
    return _flat([*routers, *shared])


def _flat(routers: Sequence[APIRouter]) -> list[BaseRoute]:
    found = [route for one in routers for route in one.routes]
    for route in found:
        named = getattr(route, "path", type(route).__name__)
        is_declared = isinstance(route, GuardedRoute) and bool(declared_scopes(route) or declared_open(route))
        if not is_declared:
            raise ScopeUndeclared(f"{named}: made by hanro.web.router, with dependencies=[require(…)]?")
    return found


def _app(service: ServiceInfo, name: str, routes: Sequence[BaseRoute], counted: RequestMetrics) -> FastAPI:
    app = FastAPI(
        title=service.title,
        version=service.version,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers=dict.fromkeys(_EXPECTED, handle_failure),
    )
    app.router.routes.extend(routes)
    app.add_middleware(Edge, name=name, metrics=counted)
    return app


def _health(registry: CollectorRegistry, missing: Callable[[], str | None]) -> list[Route]:
    async def livez(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        waits_for = missing()
        if waits_for is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "waiting", "for": waits_for}, status_code=503)

    async def show_metrics(_request: Request) -> Response:
        return Response(metrics.write(registry), headers={"Content-Type": metrics.CONTENT_TYPE})

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", show_metrics)]
