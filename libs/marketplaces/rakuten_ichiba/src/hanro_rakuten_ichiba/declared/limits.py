"""States how fast and how much Rakuten Ichiba bears, and by which routes orders are found."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from hanro.marketplace.types import ApiGroup, Batch, BatchUnit, Limits, OrderStatus, Route, RouteKind
from hanro_rakuten_ichiba.functions import OLDEST_DAYS

ORDERS_PER_CALL = 100
"""getOrder and confirmOrder. Source: rakuten-ichiba-orders 3 [2+]."""
CANCELLED_PER_CALL = 1
"""cancelOrder, updateOrderSender and theirs for after shipping. Source: rakuten-ichiba-orders 3 [2+]."""
PLACED = "placed"
OPEN = "open"
OPEN_PROGRESSES = (100, 200, 300, 400, 800)

_SECOND = timedelta(seconds=1)
_PROBES = Decimal("0.02")


def _group(name: str, owner: str, source: str, *, request_count: int = 1, read: Decimal = _PROBES) -> ApiGroup:
    """Make a group of so many requests a second; account-svc reads with 2% of what another service owns."""
    own: Mapping[str, Decimal] = {"account-svc": Decimal(1)}
    shares = own if owner == "account-svc" else {owner: 1 - read, "account-svc": read}
    return ApiGroup(
        name=name,
        request_count=request_count,
        period=_SECOND,
        burst=1,
        shares=MappingProxyType(dict(shares)),
        source=source,
    )


_GROUPS = (
    _group("order", "order-svc", "rakuten-ichiba-orders 1.3 [2+]"),
    _group("license", "account-svc", "rakuten-ichiba-orders 1.3 [?]"),
    _group("shop", "account-svc", "rakuten-ichiba-orders 1.3 [?]"),
    _group("items_read", "catalog-svc", "rakuten-ichiba-catalog 2.1", request_count=5),
    _group("items_write", "catalog-svc", "rakuten-ichiba-catalog 2.4"),
    _group("inventory_read", "catalog-svc", "rakuten-ichiba-catalog 3.3", request_count=5),
    _group("inventory_write", "catalog-svc", "rakuten-ichiba-catalog 3.1"),
    _group("navigation", "catalog-svc", "rakuten-ichiba-catalog 4.1", request_count=5),
    # account-svc reads a tree for each category set, catalog-svc writes once for a listing.
    _group("category", "catalog-svc", "rakuten-ichiba-catalog 5 [?]", read=Decimal("0.05")),
    _group("cabinet", "catalog-svc", "rakuten-ichiba-catalog 6"),
    # No rate of the mail relay is public; the group exists so that its grant belongs to one.
    ApiGroup(
        name="mail_relay",
        request_count=1,
        period=_SECOND,
        burst=5,
        shares=MappingProxyType({"notifier-svc": 1 - _PROBES, "account-svc": _PROBES}),
        source="rakuten-ichiba-orders 12 [?]",
    ),
)
_ORDER = ("order",)

LIMITS = Limits(
    groups=MappingProxyType({group.name: group for group in _GROUPS}),
    batches=MappingProxyType(
        {
            "orders.fetch": Batch(size=ORDERS_PER_CALL, unit=BatchUnit.ORDER, groups=_ORDER),
            "orders.fetch.payment": Batch(
                size=ORDERS_PER_CALL, unit=BatchUnit.ORDER, groups=_ORDER, call_count=1, call_count_each=1
            ),
            # Read, confirm, read back what had been confirmed meanwhile; at worst a refused list is halved
            "orders.decide": Batch(
                size=ORDERS_PER_CALL, unit=BatchUnit.ORDER, groups=_ORDER, call_count=1, call_count_each=2
            ),
            # Read, register; an order whose rows a refusal names, or which has more than 20 of them, costs its own
            "orders.ship": Batch(
                size=ORDERS_PER_CALL, unit=BatchUnit.ORDER, groups=_ORDER, call_count=2, call_count_each=2
            ),
            # Read, then cancel or restate; a further cancellation of the same order costs as much again
            "orders.cancel": Batch(
                size=CANCELLED_PER_CALL, unit=BatchUnit.ORDER, groups=_ORDER, call_count=0, call_count_each=2
            ),
            "orders.poll": Batch(size=ORDERS_PER_CALL, unit=BatchUnit.ORDER, groups=_ORDER),
            "orders.verify": Batch(size=ORDERS_PER_CALL, unit=BatchUnit.ORDER, groups=_ORDER),
        }
    ),
    read_lag=MappingProxyType({"orders": timedelta(), "listings": timedelta(seconds=3), "stock": timedelta(seconds=3)}),
    call_deadline=timedelta(seconds=20),
    max_quantity=99_999,
    max_axes=6,
    max_variants=400,
    max_images=20,
)

_ANY = frozenset(OrderStatus) - {OrderStatus.PENDING}
_REACH = timedelta(days=OLDEST_DAYS)
# Orders change while pages are read, and nothing is found by time of change (rakuten-ichiba-orders 4.1).
_OVERLAP = timedelta(minutes=10)

ROUTES = (
    Route(
        name=PLACED,
        kind=RouteKind.NEW,
        shows=_ANY,
        is_windowed=True,
        reach=_REACH,
        overlap=_OVERLAP,
        every=timedelta(seconds=15),
        source="rakuten-ichiba-orders 4.1 [2+], 7.2 [2+]",
    ),
    Route(
        name=OPEN,
        kind=RouteKind.SWEEP,
        shows=frozenset(
            {
                OrderStatus.NEW,
                OrderStatus.ACCEPTED,
                OrderStatus.READY,
                OrderStatus.ON_HOLD,
                OrderStatus.CANCELLING,
            }
        ),
        is_windowed=True,
        reach=_REACH,
        overlap=_OVERLAP,
        every=timedelta(minutes=10),
        source="rakuten-ichiba-orders 4.1 [2+], 7.1 [2+]",
    ),
)
