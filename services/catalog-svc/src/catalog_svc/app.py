"""Joins catalog-svc's rooms into a process."""

from pathlib import Path
from typing import Final

from catalog_svc import accounts
from catalog_svc.api import identifiers, listings, products, stock
from catalog_svc.consumers import on_accounts, on_orders
from catalog_svc.settings import CatalogSettings
from catalog_svc.store.listings import list_marketplaces
from hanro.access_reports import AccessLog
from hanro.releasing import Releaser
from hanro.service import Built, Parts, Service
from hanro.web import ServiceInfo

NAME: Final = "catalog-svc"


def build(parts: Parts, settings: CatalogSettings) -> Built:
    """Build what catalog-svc adds to what every service has."""
    del settings
    plugins = parts.outside.plugins
    db, once, cursors, clock = parts.db, parts.idempotency, parts.cursors, parts.clock
    access = AccessLog(db, clock, service=NAME, count=accounts.count)
    return Built(
        routers=(
            products.make_routes(db, once, cursors),
            stock.make_routes(db, once, cursors, clock),
            listings.make_routes(db, once, cursors, clock, plugins, access),
            identifiers.make_routes(db, cursors, plugins),
        ),
        marketplaces_of=list_marketplaces,
        subscriptions=(on_accounts(access), on_orders(plugins, clock)),
        doers={"releaser": Releaser(db, clock, access, accounts.erase).run},
    )


SERVICE = Service(
    info=ServiceInfo(
        noun="catalog",
        name=NAME,
        title="hanro catalogue",
        scope="stock:read",
        publishes=("hanro.listings", "hanro.stock", "hanro.access"),
        description="Products, listings and stock; stock is reserved for what orders want.",
    ),
    schema="catalog",
    migrations=Path(__file__).parents[2] / "migrations",
    revision="0006",
    settings=CatalogSettings,
    build=build,
)
