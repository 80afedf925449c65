"""States how fast and how much the sandbox bears, and by which routes orders are found."""

from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from hanro.marketplace.types import ApiGroup, Batch, BatchUnit, Limits, OrderStatus, Route, RouteKind
from hanro_sandbox.declared.words import SOURCE

MOST = 100
"""Entries of one request: orders, lines, parcels, listings, offers."""
PLACED, OPEN, CHANGED = "placed", "open", "changed"
PROBES = Decimal("0.02")


def _group(name: str, owner: str) -> ApiGroup:
    """Make a group of one request a second; account-svc probes with 2% of what another service owns."""
    shares = {"account-svc": Decimal(1)} if owner == "account-svc" else {owner: 1 - PROBES, "account-svc": PROBES}
    return ApiGroup(
        name=name,
        request_count=1,
        period=timedelta(seconds=1),
        burst=1,
        shares=MappingProxyType(shares),
        source=SOURCE,
    )


_GROUPS = (
    _group("orders", "order-svc"),
    _group("account", "account-svc"),
    _group("messages", "notifier-svc"),
    _group("listings", "catalog-svc"),
    _group("stock", "catalog-svc"),
)


def _batch(unit: BatchUnit, group: str, *, size: int = MOST, call_count: int = 1, call_count_each: int = 0) -> Batch:
    return Batch(size=size, unit=unit, groups=(group,), call_count=call_count, call_count_each=call_count_each)


LIMITS = Limits(
    groups=MappingProxyType({group.name: group for group in _GROUPS}),
    batches=MappingProxyType(
        {
            "orders.fetch": _batch(BatchUnit.ORDER, "orders"),
            "orders.fetch.payment": _batch(BatchUnit.ORDER, "orders"),
            # Read, then write; a list that is refused whole is halved.
            "orders.decide": _batch(BatchUnit.LINE, "orders", call_count_each=2),
            "orders.verify": _batch(BatchUnit.LINE, "orders"),
            "orders.ship": _batch(BatchUnit.LINE, "orders", call_count_each=2),
            "orders.poll": _batch(BatchUnit.LINE, "orders"),
            "orders.cancel": _batch(BatchUnit.LINE, "orders", call_count_each=2),
            "listings.put": _batch(BatchUnit.LISTING, "listings"),
            "listings.upload": _batch(BatchUnit.FILE, "listings", size=10),
            "listings.fetch": _batch(BatchUnit.LISTING, "listings"),
            "stock.put": _batch(BatchUnit.OFFER, "stock"),
            "stock.read": _batch(BatchUnit.OFFER, "stock"),
            "messages.send": _batch(BatchUnit.MESSAGE, "messages", size=1),
        }
    ),
    read_lag=MappingProxyType({name: timedelta() for name in ("orders", "listings", "stock")}),
    call_deadline=timedelta(seconds=20),
    max_quantity=99_999,
    max_axes=2,
    max_variants=100,
    max_images=10,
)

_ANY = frozenset(OrderStatus) - {OrderStatus.ACCEPTED}
_REACH = timedelta(days=365)
_OVERLAP = timedelta(minutes=10)


def _route(name: str, kind: RouteKind, shows: frozenset[OrderStatus], every: timedelta) -> Route:
    return Route(
        name=name, kind=kind, shows=shows, is_windowed=True, reach=_REACH, overlap=_OVERLAP, every=every, source=SOURCE
    )


ROUTES = (
    _route(PLACED, RouteKind.NEW, _ANY, timedelta(seconds=15)),
    _route(
        OPEN,
        RouteKind.SWEEP,
        frozenset(
            {OrderStatus.PENDING, OrderStatus.NEW, OrderStatus.READY, OrderStatus.ON_HOLD, OrderStatus.CANCELLING}
        ),
        timedelta(minutes=10),
    ),
    _route(CHANGED, RouteKind.CHANGES, _ANY, timedelta(seconds=30)),
)
