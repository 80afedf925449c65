"""Makes what every service builds upon, once a process, and says what a service adds to it."""

import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from hanro import db, metrics
from hanro.broker import Broker, KafkaBroker
from hanro.clock import Clock, SystemClock
from hanro.credentials import Vending
from hanro.crypto import Keyring
from hanro.db import Database
from hanro.http import ServiceHttp, Transport, tls_context
from hanro.marketplace import installed
from hanro.pruning import Batch
from hanro.rewrapping import SealedTable
from hanro.servers import ServersUp
from hanro.sessions import Outside
from hanro.settings import CommonSettings
from hanro.subscriptions import Subscription
from hanro.tokens import ClientCredentials, source
from hanro.web import Cursors, Idempotency, ServiceInfo
from hanro.web.routes.operations import AccountsOf
from hanro.web.routes.quota import MarketplacesOf
from hanro.worker import Loop

Settings = TypeVar("Settings", bound=CommonSettings)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Be what a service builds upon; made once a process.

    `outside` are the ways to marketplaces, `vending` the way to account-svc for their secrets; who does not use one
    pays nothing for it.
    """

    clock: Clock
    db: Database
    keyring: Keyring
    broker: Broker
    registry: CollectorRegistry
    servers: ServersUp
    cursors: Cursors
    idempotency: Idempotency
    tls: ssl.SSLContext
    tokens: ClientCredentials
    outside: Outside
    vending: Vending
    closers: Sequence[Callable[[], Awaitable[None]]]

    async def close(self) -> None:
        """Close every connection."""
        for close in self.closers:
            await close()


@dataclass(frozen=True, kw_only=True)
class Built:
    """Be what a service adds: routes, what it hears, its doers by name, how long each may drain, what to close.

    `marketplaces_of` tells at which marketplaces accounts are; `prunings` delete what it keeps for a time only, by
    what that is.
    """

    routers: Sequence[APIRouter]
    marketplaces_of: MarketplacesOf
    internal_routers: Sequence[APIRouter] = ()
    subscriptions: Sequence[Subscription[Any, Any]] = ()
    doers: Mapping[str, Loop] = field(default_factory=dict)
    drains: Mapping[str, timedelta] = field(default_factory=dict)
    prunings: Mapping[str, Batch] = field(default_factory=dict)
    accounts_of: AccountsOf | None = None
    closers: Sequence[Callable[[], Awaitable[None]]] = ()


@dataclass(frozen=True, kw_only=True)
class Service(Generic[Settings]):
    """Be a service: who it is, its schema at `revision`, its settings, and how it is built from the parts.

    `sealed` are its own tables with sealed rows, for `rewrap`.
    """

    info: ServiceInfo
    schema: str
    migrations: Path
    revision: str
    settings: type[Settings]
    build: Callable[[Parts, Settings], Built]
    sealed: Sequence[SealedTable] = ()


def open_parts(service: Service[Settings], settings: Settings, *, keyring: Keyring) -> Parts:
    """Make the parts; nothing is connected to yet."""
    clock, tls = SystemClock(settings.clock_offset_file), tls_context()
    database = db.connect(settings.database_url, schema=service.schema, pool_size=settings.pool_size)
    registry = metrics.new_registry()
    transport = Transport(settings.marketplace_urls, clock, tls=tls)
    accounts, tokens = ServiceHttp(settings.account_url, clock, tls=tls), _tokens(settings, tls)
    name = service.info.name
    return Parts(
        clock=clock,
        db=database,
        keyring=keyring,
        broker=KafkaBroker(
            settings.kafka_bootstrap, topic_prefix=settings.topic_prefix, group_prefix=settings.group_prefix
        ),
        registry=registry,
        servers=ServersUp(registry),
        cursors=Cursors(keyring),
        idempotency=Idempotency(database, keyring),
        tls=tls,
        tokens=tokens,
        outside=Outside(plugins=installed(), transport=transport, db=database, clock=clock, service=name),
        vending=Vending(accounts, source(settings.account_token_file, tokens, clock), clock, service=name),
        closers=(transport.close, accounts.close, tokens.close, database.close),
    )


def _tokens(settings: CommonSettings, tls: ssl.SSLContext) -> ClientCredentials:
    return ClientCredentials(
        token_url=settings.token_url or "http://nowhere.invalid/token",
        client_id=settings.client_id,
        secret_file=settings.client_secret_file or Path("/nonexistent"),
        scopes=(),
        audience=settings.audience,
        clock=SystemClock(),
        tls=tls,
    )
