"""Joins catalog-svc's rooms into a process."""

from pathlib import Path

from catalog_svc.api import listings, products, stock
from catalog_svc.consumers import on_accounts, on_orders
from catalog_svc.settings import CatalogSettings
from catalog_svc.store.listings import list_marketplaces
from hanro.service import Built, Parts, Service
from hanro.web import ServiceInfo


def build(parts: Parts, settings: CatalogSettings) -> Built:
    """Build what catalog-svc adds to what every service has."""
    del settings
    plugins = parts.outside.plugins
    db, once, cursors, clock = parts.db, parts.idempotency, parts.cursors, parts.clock
    return Built(
        routers=(
            products.make_routes(db, once, cursors),
            stock.make_routes(db, once, cursors, clock),
            listings.make_routes(db, once, cursors, clock, plugins),
        ),
        marketplaces_of=list_marketplaces,
        subscriptions=(on_accounts(), on_orders(plugins, clock)),
    )


SERVICE = Service(
    info=ServiceInfo(
        noun="catalog",
        name="catalog-svc",
        title="hanro catalogue",
        scope="stock:read",
        publishes=("hanro.listings", "hanro.stock"),
        description="Products, listings and stock; stock is reserved for what orders want.",
    ),
    schema="catalog",
    migrations=Path(__file__).parents[2] / "migrations",
    revision="0002",
    settings=CatalogSettings,
    build=build,
)
