"""Joins all public routes of order-svc."""

from fastapi import APIRouter

from hanro.service import Parts
from order_svc.api import (
    asking,
    cancellations,
    carriers,
    consumers,
    coverage,
    decisions,
    documents,
    exports,
    identifiers,
    imports,
    notices,
    operations,
    orders,
    policies,
    shipment_imports,
    shipments,
)
from order_svc.documents import Policies, Press
from order_svc.poller import Means
from order_svc.shipments import Desk


def make_routers(
    parts: Parts, means: Means, desk: Desk, press: Press, printing: Policies, *, largest_import_bytes: int
) -> tuple[APIRouter, ...]:
    """Make the routes; `desk` says by marketplace what can be done there, `printing` which documents may be had.

    A file of orders that is imported has at most `largest_import_bytes`.
    """
    db, once, cursors, plugins = parts.db, parts.idempotency, parts.cursors, means.plugins
    return (
        orders.make_routes(db, parts.keyring, once, cursors),
        decisions.make_routes(once, desk.abilities),
        asking.make_routes(once, plugins, desk.abilities, parts.clock),
        consumers.make_routes(once),
        coverage.make_routes(db, once, plugins, parts.clock),
        documents.make_routes(db, parts.keyring, once, press, printing),
        exports.make_routes(db, parts.keyring),
        identifiers.make_routes(db, cursors),
        shipments.make_routes(db, once, cursors, desk),
        shipment_imports.make_routes(db, cursors, desk),
        cancellations.make_routes(db, once, desk),
        carriers.make_routes(db, desk),
        operations.make_routes(once, desk.abilities),
        imports.make_routes(db, parts.keyring, once, cursors, plugins, largest_bytes=largest_import_bytes),
        policies.make_routes(db, desk.abilities),
        notices.make_routes(db, plugins, means.open, parts.clock, means.metrics),
    )
