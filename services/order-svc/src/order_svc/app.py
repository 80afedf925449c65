"""Joins order-svc's rooms into a process."""

from functools import partial
from pathlib import Path
from typing import Final

from hanro.access_reports import AccessLog
from hanro.releasing import Releaser
from hanro.rewrapping import SealedTable
from hanro.service import Built, Parts, Service
from hanro.sessions import open_session
from hanro.web import ServiceInfo
from order_svc import accounts, buyers, documents, imports, notices
from order_svc.api import contacts
from order_svc.api.routers import make_routers
from order_svc.carriers import carrier_names
from order_svc.consumers import on_accounts, on_listings
from order_svc.documents import Policies, Press
from order_svc.domain.permits import Ability
from order_svc.importer import Importer
from order_svc.poller import Means, Pace, Poller, PollMetrics, Reader
from order_svc.printer import Printer
from order_svc.sender import CALL_WITHIN, Sender
from order_svc.settings import OrderSettings
from order_svc.shipments import Desk
from order_svc.store.accounts import list_marketplaces
from order_svc.watcher import Watcher

NAME: Final = "order-svc"


def build(parts: Parts, settings: OrderSettings) -> Built:
    """Build what order-svc adds to what every service has."""
    db, clock, keyring = parts.db, parts.clock, parts.keyring
    plugins = parts.outside.plugins
    means = Means(
        db=db,
        keyring=keyring,
        plugins=plugins,
        open=partial(open_session, parts.outside, parts.vending),
        forget=parts.vending.forget,
        access=AccessLog(db, clock, service=NAME, count=accounts.count),
        clock=clock,
        pace=Pace(
            new_every=settings.new_every,
            sweep_every=settings.sweep_every,
            first_look_back=settings.first_look_back,
            follow_every=settings.follow_every,
            longest_pause=settings.longest_pause,
            lease=settings.poll_lease,
            slots=settings.poll_slots,
        ),
        metrics=PollMetrics(parts.registry),
    )
    routes = {str(plugin_id): [route.name for route in plugin.routes] for plugin_id, plugin in plugins.items()}
    names = sorted({name for of_plugin in routes.values() for name in of_plugin})
    abilities = {
        str(plugin_id): Ability(supports=plugin.capabilities, grants=plugin.grants)
        for plugin_id, plugin in plugins.items()
    }
    desk = Desk(abilities=abilities, plugins=plugins, clock=clock)
    press = Press()
    policies = Policies(packs={str(one.id): one.policy for one in plugins.values()}, off=settings.policy_rules_off)
    return Built(
        routers=make_routers(parts, means, desk, press, policies, largest_import_bytes=settings.largest_import_bytes),
        marketplaces_of=list_marketplaces,
        internal_routers=(contacts.make_routes(db, keyring, clock, carrier_names(plugins)),),
        subscriptions=(on_accounts(routes, parts.vending.forget, abilities), on_listings(clock, abilities)),
        doers={
            "poller": Poller(means).run,
            "reader": Reader(means).run,
            "sender": Sender(means).run,
            "watcher": Watcher(db, clock, parts.registry, within=settings.decide_soon, routes=names).run,
            "printer": Printer(db=db, keyring=keyring, press=press, policies=policies, clock=clock).run,
            "importer": Importer(db, keyring, plugins, clock).run,
            "releaser": Releaser(db, clock, means.access, accounts.erase).run,
        },
        # A write is waited for: cut off, nobody would know whether it arrived.
        drains={"sender": means.lease * CALL_WITHIN},
        prunings={
            "contact uses": buyers.forget_uses,
            "documents": documents.forget_old,
            "imports": imports.forget_old,
            "notices": notices.forget_old,
        },
        accounts_of=accounts.of_caller,
    )


SERVICE = Service(
    info=ServiceInfo(
        noun="order",
        name=NAME,
        title="hanro orders",
        scope="orders:read",
        publishes=("hanro.orders", "hanro.access"),
        description="Orders of all linked accounts, as their marketplaces show them; accepting them is an operation.",
    ),
    schema="orders",
    migrations=Path(__file__).parents[2] / "migrations",
    revision="0021",
    settings=OrderSettings,
    build=build,
    sealed=(
        SealedTable(name="buyers", key="order_id", column=buyers.FIELD, version="version"),
        SealedTable(name="raw_orders", key="order_id", column=buyers.FIELD, version="version"),
        SealedTable(name="document_files", key="document_id", column="sealed", version="version"),
        SealedTable(name="import_chunks", key="id", column="sealed"),
    ),
)
