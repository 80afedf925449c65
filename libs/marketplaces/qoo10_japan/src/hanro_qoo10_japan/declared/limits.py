"""States how fast and how much Qoo10 Japan bears, and by which routes orders are found."""

from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from hanro.marketplace.types import ApiGroup, Limits, OrderStatus, Route, RouteKind

# No rate is published; practitioners stay at one or two a second: qoo10-japan 9 [2+] for that there is none.
_QAPI = ApiGroup(
    name="qapi",
    request_count=120,
    period=timedelta(minutes=1),
    burst=20,
    shares=MappingProxyType(
        {
            "order-svc": Decimal("0.40"),
            "catalog-svc": Decimal("0.35"),
            "account-svc": Decimal("0.20"),
            "notifier-svc": Decimal("0.05"),
        }
    ),
    source="qoo10-japan 9 [?]",
)
_GOODS_LAG = timedelta(minutes=10)

LIMITS = Limits(
    groups=MappingProxyType({_QAPI.name: _QAPI}),
    batches=MappingProxyType({}),
    read_lag=MappingProxyType({"orders": timedelta(), "listings": _GOODS_LAG, "stock": _GOODS_LAG}),
    call_deadline=timedelta(seconds=60),
    max_quantity=2_147_483_647,
    max_axes=5,
    # No limit of its own is documented: a list of options has at most 500 rows a call (qoo10-japan 9).
    max_variants=500,
    max_images=51,
)

_REACH = timedelta(days=90)
_OVERLAP = timedelta(minutes=10)


def _route(name: str, kind: RouteKind, shows: frozenset[OrderStatus], every: timedelta, source: str) -> Route:
    return Route(
        name=name,
        kind=kind,
        shows=shows,
        is_windowed=True,
        reach=_REACH,
        overlap=_OVERLAP,
        every=every,
        source=source,
    )


_MINUTES = timedelta(minutes=1)
_OPEN = frozenset({OrderStatus.PENDING, OrderStatus.NEW, OrderStatus.READY})
_DONE = frozenset({OrderStatus.SHIPPED, OrderStatus.COMPLETED})
_CLAIMED = frozenset({OrderStatus.CANCELLING, OrderStatus.CANCELLED})

ROUTES = (
    _route("paid", RouteKind.NEW, frozenset({OrderStatus.NEW}), _MINUTES, "qoo10-japan 6.2 [2+]"),
    _route("open", RouteKind.SWEEP, _OPEN, 10 * _MINUTES, "qoo10-japan 6.2 [2+]"),
    _route("shipped", RouteKind.CHANGES, _DONE, 30 * _MINUTES, "qoo10-japan 6.2 [2+]"),
    _route("claims", RouteKind.CHANGES, _CLAIMED, 10 * _MINUTES, "qoo10-japan 7.1 [2+]"),
)
