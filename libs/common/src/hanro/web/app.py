"""Builds the public and the internal application of a service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from hanro.auth import Authenticator
from hanro.clock import Clock
from hanro.db import Database
from hanro.web.cursors import Cursors


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInfo:
    """Be how a service presents itself: `noun` is its path (`order`), `name` its own (`order-svc`)."""

    noun: str
    name: str
    title: str
    description: str
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
    authenticator: Authenticator,
    db: Database,
    cursors: Cursors,
    clock: Clock,
    registry: CollectorRegistry,
    missing: Callable[[], str | None],
    requests_per_minute: int = 600,
) -> Apps:
    """Build both applications from a service's routers, with the routes that all services have.

    `missing` says what the process still waits for, None once it is ready (`hanro.worker.Readiness.missing`).

    Raises:
        ScopeUndeclared: a route without `require(…)`.
    """
    raise NotImplementedError


def document(service: ServiceInfo, *, routers: Sequence[APIRouter], db: Database, cursors: Cursors) -> dict[str, Any]:
    """Give the OpenAPI 3.1 document of the public application, for `python -m … openapi`; `db` is not connected to."""
    raise NotImplementedError
