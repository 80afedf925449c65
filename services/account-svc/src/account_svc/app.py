"""Joins account-svc's rooms into a process."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from account_svc import checker
from account_svc.accounts import forgetting, market_entries
from account_svc.accounts.credentials import Safe
from account_svc.api import vending
from account_svc.api.accounts import Desk
from account_svc.api.permissions import accounts_of
from account_svc.api.routes import make_routers
from account_svc.checker import Checking, gauges
from account_svc.checker.metrics import CheckMetrics
from account_svc.checker.relay_login import Relays
from account_svc.consumers import on_access_reports
from account_svc.settings import AccountSettings
from account_svc.store.accounts import list_marketplaces
from account_svc.vault import SEALED, Vault
from hanro.http import tls_context
from hanro.service import Built, Parts, Service
from hanro.web import ServiceInfo

SCHEMA = "account"


def build(parts: Parts, settings: AccountSettings) -> Built:
    """Build what account-svc adds to what every service has."""
    db, once, cursors, clock, plugins = parts.db, parts.idempotency, parts.cursors, parts.clock, parts.outside.plugins
    safe = Safe(vault=Vault(parts.keyring, schema=SCHEMA), installation=settings.installation())
    checking = Checking(
        db=db,
        outside=parts.outside,
        relays=Relays(redirects=settings.mail_relays, trust=tls_context(settings.mail_relay_ca_file)),
        safe=safe,
        metrics=CheckMetrics(parts.registry),
    )
    desk = Desk(db=db, idempotency=once, cursors=cursors, clock=clock, plugins=plugins, safe=safe)
    return Built(
        routers=make_routers(desk, parts.keyring, settings.texts(), settings.support_contact),
        marketplaces_of=list_marketplaces,
        internal_routers=(vending.make_routes(db, clock, plugins, safe),),
        subscriptions=(on_access_reports,),
        doers={
            "checker": partial(checker.run, checking),
            "keys": partial(gauges.watch, db, parts.registry, clock),
        },
        # A preflight in hand is finished: its answer was asked for.
        drains={"checker": timedelta(seconds=35)},
        prunings={
            "uses": forgetting.forget_uses,
            "preflights": forgetting.forget_preflights,
            "deeds": forgetting.forget_deeds,
            "market_changes": market_entries.forget_changes,
        },
        accounts_of=accounts_of,
    )


SERVICE = Service(
    info=ServiceInfo(
        noun="account",
        name="account-svc",
        title="hanro accounts",
        scope="accounts:read",
        publishes=("hanro.accounts",),
        description="Links sellers' accounts to marketplaces, keeps their secrets, checks what the accounts may do.",
    ),
    schema=SCHEMA,
    migrations=Path(__file__).parents[2] / "migrations",
    revision="0003",
    settings=AccountSettings,
    build=build,
    sealed=SEALED,
)
