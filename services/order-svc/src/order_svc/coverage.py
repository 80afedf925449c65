"""Says how far each route of an account is read, how far back it reaches, and what it can no longer show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro.db import Transaction
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Route
from order_svc.domain.accounts import Account
from order_svc.domain.windows import oldest_of, overlap_of
from order_svc.store import cursors as store
from order_svc.store.cursors import Coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCoverage:
    """Be a route as its plug-in declares it, and how far it was read."""

    route: Route
    oldest_at: datetime | None
    overlap: timedelta
    kept: Coverage


async def list_(tx: Transaction, account: Account, plugin: Plugin | None, *, at: datetime) -> Sequence[RouteCoverage]:
    """Give the routes that an account is read by; none where its plug-in is not installed, or it never worked."""
    declared = {route.name: route for route in plugin.routes} if plugin is not None else {}
    return [
        RouteCoverage(route=route, oldest_at=oldest_of(route, at), overlap=overlap_of(route), kept=kept)
        for kept in await store.list_coverage(tx, account.id)
        if (route := declared.get(kept.cursor.route)) is not None
    ]


async def close_gaps(tx: Transaction, account_id: str, *, until: datetime) -> None:
    """Forget gaps that end no later than `until`: what is in them was brought in another way."""
    await store.lock_cursors(tx, account_id)
    await store.close_gaps(tx, account_id, until)
