"""Runs a service's process in the role that its command names.

`python -m order_svc api | worker | all | migrate | rewrap | openapi`: `api` serves HTTP, `worker` consumes and does,
`all` is both for one machine; each has the internal port and the relay. A service's `app.py` gives a `Service` to
`main`.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from hanro import archive, breaker, db, log, pruning, servers, trace, worker
from hanro.auth import JwtAuthenticator, KeySet
from hanro.clock import SystemClock
from hanro.consume import consume
from hanro.crypto import Keyring
from hanro.http import tls_context
from hanro.observers import ConsumerMetrics, RelayMetrics
from hanro.outbox import Relay
from hanro.replays import Replayer
from hanro.restoring import Restorer
from hanro.rewrapping import Rewrapping
from hanro.service.apps import make_apps, public_routers
from hanro.service.parts import Built, Parts, Service, Settings, open_parts
from hanro.settings import PREFIX, CommonSettings, SettingsRefused, load, refusals_told
from hanro.subscriptions import Subscription
from hanro.web import ServiceInfo, document, idempotency
from hanro.worker import Listener, Loop, Readiness

ROLES = ("api", "worker", "all", "migrate", "rewrap", "openapi")
USAGE = 2


def main(service: Service[Settings], arguments: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name (None: the process's own); exits 2 for a wrong one."""
    match list(sys.argv[1:] if arguments is None else arguments):
        case [("api" | "worker" | "all") as role]:
            worker.main(lambda: _run(service, role))
        case ["migrate"]:
            with refusals_told():
                migrate(service, load(service.settings))
        case ["rewrap"]:
            with refusals_told():
                is_done = asyncio.run(rewrap(service, load(service.settings)))
            raise SystemExit(0 if is_done else 1)
        case ["openapi"]:
            json.dump(describe(service), sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)
            sys.stdout.write("\n")
        case _:
            sys.stderr.write(f"usage: {service.info.name} {' | '.join(ROLES)}\n")
            raise SystemExit(USAGE)


def migrate(service: Service[Settings], settings: Settings) -> None:
    """Bring the schema to its newest revision."""
    if settings.owner_database_url is None:
        sys.stderr.write("HANRO_OWNER_DATABASE_URL: migrate needs the owner role's address\n")
        raise SystemExit(USAGE)
    db.migrate(
        settings.owner_database_url,
        schema=service.schema,
        migrations=service.migrations,
        runtime_role=f"{service.schema}_runtime",
    )


async def rewrap(service: Service[Settings], settings: Settings) -> bool:
    """Wrap every sealed row anew under the current key-encryption key; True: none is left under another one.

    Progress and what is left stand on the standard output.
    """
    database = db.connect(settings.database_url, schema=service.schema, pool_size=1)
    tables = (idempotency.SEALED, *service.sealed)

    def report(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    try:
        outcome = await Rewrapping(database, _keyring(settings), tables, report).run()
    finally:
        await database.close()
    left = outcome.stale + sum(outcome.missing.values()) + len(outcome.broken)
    report(f"{service.info.name}: {left} rows are not under the current key")
    return outcome.is_done


def describe(service: Service[Settings]) -> dict[str, Any]:
    """Give the OpenAPI document; nothing is connected to, and no environment is needed."""
    known = {
        name: value.get_default(call_default_factory=True) for name, value in service.settings.model_fields.items()
    }
    said = {"database_url": "postgresql://nowhere/nothing", "keys_dir": Path("/nonexistent")}
    settings = cast("Settings", service.settings.model_construct(None, **{**known, **said}))
    passing = Keyring({"none": secrets.token_bytes(32)}, current_id="none", index_key=secrets.token_bytes(32))
    parts = open_parts(service, settings, keyring=passing)
    built = service.build(parts, settings)
    return document(
        service.info,
        routers=public_routers(service, parts, built),
        db=parts.db,
        cursors=parts.cursors,
        subscriptions=built.subscriptions,
    )


async def _run(service: Service[Settings], role: str) -> None:
    settings = load(service.settings)
    parts = open_parts(service, settings, keyring=_keyring(settings))
    end_trace = _trace(service.info.name, settings)
    log.configure(service.info.name, level=settings.log_level, registry=parts.registry)
    built = service.build(parts, settings)
    # Tokens are signed by the issuer's clock, which a test does not move.
    trusted = tls_context(settings.jwks_ca_file) if settings.jwks_ca_file else parts.tls
    keys = KeySet(settings.jwks_url, SystemClock(), tls=trusted, token_file=settings.jwks_token_file)
    readiness = Readiness(parts.db, wanted=service.revision, clock=parts.clock)
    authenticator = JwtAuthenticator(
        issuer=settings.issuer,
        audience=settings.audience,
        fetch_keys=keys.fetch,
        clock=SystemClock(),
        subject_scopes=settings.subject_scopes,
    )
    apps = make_apps(
        service,
        parts,
        built,
        authenticator=authenticator,
        missing=readiness.missing,
        requests_per_minute=settings.requests_per_minute,
    )
    listeners = [Listener(name="internal", app=apps.internal, host=settings.host, port=settings.internal_port)]
    if role != "worker":
        listeners.insert(0, Listener(name="public", app=apps.public, host=settings.host, port=settings.port))
    relay = Relay(
        parts.db,
        parts.broker,
        source=f"/{service.info.name}",
        clock=parts.clock,
        observer=RelayMetrics(parts.registry),
    )
    try:
        await worker.run(
            {} if role == "api" else _loops(service.info, parts, built),
            readiness=readiness,
            early={"servers": partial(_watch_servers, parts)},
            listeners=listeners,
            relay=relay.run,
            drains=built.drains,
        )
    finally:
        for close in (*built.closers, keys.close, parts.close):
            await close()
        end_trace()


def _keyring(settings: CommonSettings) -> Keyring:
    try:
        return Keyring.load(settings.keys_dir)
    except (ValueError, OSError) as error:
        raise SettingsRefused(f"{PREFIX}KEYS_DIR: {error}") from None


def _trace(name: str, settings: CommonSettings) -> Callable[[], None]:
    if settings.trace_file is None:
        return lambda: None
    try:
        return trace.set_up(name, settings.trace_file)
    except OSError as error:
        raise SettingsRefused(f"{PREFIX}TRACE_FILE: {error}") from None


def _loops(info: ServiceInfo, parts: Parts, built: Built) -> dict[str, Loop]:
    observer = ConsumerMetrics(parts.registry)
    loops: dict[str, Loop] = {
        subscription.name: partial(_consume, parts, subscription, observer) for subscription in built.subscriptions
    }
    own: dict[str, Loop] = {
        "replays": Replayer(parts.db, parts.broker, parts.clock).run,
        "restoring": Restorer(parts.db, parts.broker, info.publishes, service=info.name, clock=parts.clock).run,
        "breakers": partial(_watch_breakers, parts),
        "pruning": partial(_prune, parts, built),
    }
    return loops | dict(built.doers) | own


async def _consume(
    parts: Parts, subscription: Subscription[Any, Any], observer: ConsumerMetrics, stop: asyncio.Event
) -> None:
    await consume(parts.db, parts.broker, subscription, clock=parts.clock, stop=stop, observer=observer)


async def _watch_breakers(parts: Parts, stop: asyncio.Event) -> None:
    await breaker.watch(parts.db, parts.registry, clock=parts.clock, stop=stop)


async def _watch_servers(parts: Parts, stop: asyncio.Event) -> None:
    await servers.watch(parts.db, parts.broker, parts.servers, clock=parts.clock, stop=stop)


async def _prune(parts: Parts, built: Built, stop: asyncio.Event) -> None:
    batches = {"archive": archive.prune, "idempotency": idempotency.prune, **built.prunings}
    await pruning.run(parts.db, batches, clock=parts.clock, stop=stop)
