"""Builds what a service serves over HTTP from what it is made of; its process, tests of its edge and benchmarks do."""

from collections.abc import Callable

from fastapi import APIRouter

from hanro.auth import Authenticator
from hanro.marketplace import installed
from hanro.service.parts import Built, Parts, Service, Settings
from hanro.web import Apps, create_app
from hanro.web.routes.quota import Rules, quota_routes
from hanro.web.routes.replays import replay_routes


def make_apps(
    service: Service[Settings],
    parts: Parts,
    built: Built,
    *,
    authenticator: Authenticator,
    missing: Callable[[], str | None],
    requests_per_minute: int = 600,
) -> Apps:
    """Build both applications of a service; `missing` says what its process still waits for, None: nothing.

    Raises:
        ScopeUndeclared: a route without `require(…)`.
    """
    return create_app(
        service.info,
        routers=public_routers(service, parts, built),
        internal_routers=built.internal_routers,
        subscriptions=built.subscriptions,
        authenticator=authenticator,
        db=parts.db,
        cursors=parts.cursors,
        clock=parts.clock,
        registry=parts.registry,
        missing=missing,
        requests_per_minute=requests_per_minute,
        accounts_of=built.accounts_of,
    )


def public_routers(service: Service[Settings], parts: Parts, built: Built) -> list[APIRouter]:
    """Give what the public application serves: the service's own routes, its replays and its quota."""
    noun = service.info.noun
    rules = Rules(
        service=service.info.name,
        limits={plugin_id: plugin.limits for plugin_id, plugin in installed().items()},
        marketplaces_of=built.marketplaces_of,
    )
    return [
        *built.routers,
        replay_routes(noun, service.info.publishes, parts.db, parts.idempotency),
        quota_routes(noun, parts.db, parts.cursors, rules),
    ]
