"""States how fast and how much Rakuten France bears, and by which routes sales are found."""

from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from hanro.marketplace.types import ApiGroup, Limits, OrderStatus, Route, RouteKind

_HOUR = timedelta(hours=1)

# That there is a quota per seller and hour is documented [1], its number is not.
_CALLS = ApiGroup(
    name="hour",
    request_count=1000,
    period=_HOUR,
    burst=20,
    shares=MappingProxyType(
        {
            "order-svc": Decimal("0.50"),
            "catalog-svc": Decimal("0.25"),
            "notifier-svc": Decimal("0.20"),
            "account-svc": Decimal("0.05"),
        }
    ),
    source="rakuten-france 2.3 [?]",
)
_FILES = ApiGroup(
    name="files",
    request_count=10,
    period=_HOUR,
    burst=1,
    shares=MappingProxyType({"catalog-svc": Decimal(1)}),
    source="rakuten-france 2.3 [2+]",
)
_GOODS_LAG = timedelta(minutes=10)

LIMITS = Limits(
    groups=MappingProxyType({_CALLS.name: _CALLS, _FILES.name: _FILES}),
    batches=MappingProxyType({}),
    read_lag=MappingProxyType({"orders": timedelta(), "listings": _GOODS_LAG, "stock": _GOODS_LAG}),
    call_deadline=timedelta(seconds=20),
    # No limit of a quantity is documented; it is a whole number of their XML (rakuten-france 6.1).
    max_quantity=2_147_483_647,
    max_axes=0,
    max_variants=1,
    max_images=10,
)

_OVERLAP = timedelta(minutes=10)
_QUARTER = timedelta(minutes=15)

ROUTES = (
    Route(
        name="new",
        kind=RouteKind.NEW,
        shows=frozenset({OrderStatus.NEW}),
        is_windowed=False,
        reach=None,
        overlap=_OVERLAP,
        every=_QUARTER,
        source="rakuten-france 4.3 [2+], 2.3 [1]",
    ),
    Route(
        name="current",
        kind=RouteKind.SWEEP,
        shows=frozenset({OrderStatus.PENDING, OrderStatus.READY, OrderStatus.ON_HOLD, OrderStatus.CANCELLED}),
        is_windowed=True,
        reach=None,
        overlap=_OVERLAP,
        every=_QUARTER,
        source="rakuten-france 4.2 [2+], 3.1 [2+]",
    ),
)
