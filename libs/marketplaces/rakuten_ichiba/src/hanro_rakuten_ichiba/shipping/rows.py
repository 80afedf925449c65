"""Works out the shipping rows that an order needs so that its parcels are registered, each once."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby

from hanro.marketplace.types import OrderStatus, OutcomeStatus, Package, Parcel, SeenOrder, Shipment
from hanro.value import value
from hanro_rakuten_ichiba.declared.carriers import CODES
from hanro_rakuten_ichiba.effects import Verdict, rejected

ROWS_PER_BASKET = 20
"""Source: rakuten-ichiba-orders 4.4 [1]."""


@value
class Row:
    """Hold one row as it is sent; `shipment_ids` whose parcel it is, none where an earlier one gets its date."""

    basket_id: str
    members: Mapping[str, object]
    shipment_ids: tuple[str, ...] = ()


@value
class Packing:
    """Hold the rows of an order in the order in which they are sent, and verdicts by shipment that need none."""

    rows: tuple[Row, ...]
    verdicts: Mapping[str, Verdict]


def pack(order: SeenOrder, shipments: Sequence[Shipment], today: date) -> Packing:
    """Work out the rows; `today` is Japan's and stands for a day of shipping that nobody said.

    Until the last shipment rows go without a date, so that the night run waits; the last one dates all. A number that
    its destination has already is the same parcel and never a second row.

    Source: rakuten-ichiba-orders 4.4, 8.2 [1], 14.13.
    """
    days = [shipment.shipped_on or today for shipment in shipments if shipment.is_last]
    work = _Work(order, max(days, default=None), today)
    for shipment in shipments:
        work.add(shipment)
    work.date_the_rest()
    return Packing(rows=_by_basket(work.rows), verdicts=work.verdicts)


def portions(rows: Sequence[Row]) -> list[tuple[Row, ...]]:
    """Cut an order's rows so that no request holds more than 20 of a destination; dates of earlier rows come last."""
    size = ROWS_PER_BASKET
    return [tuple(rows[start : start + size]) for start in range(0, len(rows), size)]


def body_of(number: str, rows: Sequence[Row]) -> dict[str, object]:
    """Write the rows of one order, as updateOrderShipping takes them and updateOrderShippingAsync in a list."""
    baskets = [
        {"basketId": numeral(basket_id), "ShippingModelList": [dict(row.members) for row in group]}
        for basket_id, group in groupby(rows, key=lambda row: row.basket_id)
    ]
    return {"orderNumber": number, "BasketidModelList": baskets}


def members_of(shipment: Shipment, day: date | None) -> dict[str, object]:
    """Write the members of a new row."""
    members: dict[str, object] = {"deliveryCompany": shipment.tracking.marketplace_value}
    if shipment.tracking.number is not None:
        members["shippingNumber"] = shipment.tracking.number
    return members | ({} if day is None else {"shippingDate": day.isoformat()})


def numeral(external_id: str) -> object:
    """Give an id as the number that it is there; one that is none stays a text, to be refused by them."""
    return int(external_id) if external_id.isascii() and external_id.isdecimal() else external_id


def is_same(shipment: Shipment, parcel: Parcel) -> bool:
    """Tell whether a parcel has the carrier and the number of a shipment."""
    return (
        parcel.carrier_code == CODES.get(shipment.tracking.marketplace_value)
        and parcel.number == shipment.tracking.number
    )


def destination_of(order: SeenOrder, shipment: Shipment) -> Package | Verdict:
    """Find the destination of a shipment: the one it names, that of the row it replaces, or that of its lines."""
    known = {line.external_id: line for line in order.lines}
    lines = [known.get(part.line_id) for part in shipment.lines]
    if None in lines:
        return rejected("the order has no such line", "not-found")
    if any(line is not None and line.status is OrderStatus.CANCELLED for line in lines):
        return rejected("a line of the parcel was cancelled", "order-cancelled")
    wanted = {line.package_id for line in lines if line is not None}
    if shipment.package_id is not None:
        wanted = {shipment.package_id}
    if shipment.replaces is not None:
        rows = {parcel.external_id: one.external_id for one in order.packages for parcel in one.parcels}
        if shipment.replaces not in rows:
            return rejected("the order has no such parcel", "not-found")
        wanted = {rows[shipment.replaces]}
    found = [package for package in order.packages if package.external_id in wanted]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        return rejected("a parcel goes to one destination; its lines go to several", "refused")
    return rejected("the order has no such destination", "not-found")


class _Work:
    """Collect the rows of one order."""

    def __init__(self, order: SeenOrder, last_day: date | None, today: date) -> None:
        self.rows: list[Row] = []
        self.verdicts: dict[str, Verdict] = {}
        self._order = order
        self._last_day = last_day
        self._today = today
        self._touched: set[str | None] = set()

    def add(self, shipment: Shipment) -> None:
        """Add what one shipment needs."""
        package = destination_of(self._order, shipment)
        if isinstance(package, Verdict):
            self.verdicts[shipment.id] = package
        elif shipment.replaces is not None:
            self._replace(shipment, package)
        elif not self._joins(shipment, package):
            day = None if self._last_day is None else shipment.shipped_on or self._last_day
            self._put(package, members_of(shipment, day), shipment.id)

    def date_the_rest(self) -> None:
        """Date what was registered before without a date, once the last parcel leaves."""
        if self._last_day is None or not self.rows:
            return
        for package, parcel in self._undated():
            self._touch(package, parcel, {"shippingDate": self._last_day.isoformat()})

    def _undated(self) -> list[tuple[Package, Parcel]]:
        return [
            (package, parcel)
            for package in self._order.packages
            for parcel in package.parcels
            if parcel.shipped_on is None and parcel.external_id not in self._touched
        ]

    def _joins(self, shipment: Shipment, package: Package) -> bool:
        """Take a number that is there for the same parcel: one of this call, or one that was registered before."""
        if shipment.tracking.number is None:
            return False
        for place, row in enumerate(self.rows):
            wanted = members_of(shipment, None)
            if row.basket_id == package.external_id and wanted.items() <= dict(row.members).items():
                self.rows[place] = Row(
                    basket_id=row.basket_id, members=row.members, shipment_ids=(*row.shipment_ids, shipment.id)
                )
                return True
        parcel = next((one for one in package.parcels if is_same(shipment, one)), None)
        if parcel is None:
            return False
        if self._last_day is not None and self._undated():
            # One row in any case: the shipment stands or falls with the dates that it brings.
            day = parcel.shipped_on or shipment.shipped_on or self._last_day
            self._touch(package, parcel, {"shippingDate": day.isoformat()}, shipment.id)
        else:
            applied = Verdict(status=OutcomeStatus.APPLIED, is_repeat=True, external_id=parcel.external_id)
            self.verdicts[shipment.id] = applied
        return True

    def _replace(self, shipment: Shipment, package: Package) -> None:
        """Correct a row; without a date, and not the last, its date is erased, so that the order can be cancelled."""
        parcel = next(one for one in package.parcels if one.external_id == shipment.replaces)
        members = members_of(shipment, None) | {"shippingNumber": shipment.tracking.number or ""}
        if shipment.is_last or (shipment.shipped_on is not None and parcel.shipped_on is not None):
            members["shippingDate"] = (shipment.shipped_on or self._today).isoformat()
        elif shipment.shipped_on is None and parcel.shipped_on is not None:
            members["shippingDate"] = ""
        self._touch(package, parcel, members, shipment.id)

    def _touch(self, package: Package, parcel: Parcel, members: Mapping[str, object], *shipment_ids: str) -> None:
        self._touched.add(parcel.external_id)
        self._put(package, {"shippingDetailId": numeral(parcel.external_id or ""), **members}, *shipment_ids)

    def _put(self, package: Package, members: Mapping[str, object], *shipment_ids: str) -> None:
        self.rows.append(Row(basket_id=package.external_id, members=members, shipment_ids=shipment_ids))


def _by_basket(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Sort rows so that each destination's stand together, in the order of its first."""
    places = {row.basket_id: place for place, row in reversed(list(enumerate(rows)))}
    return tuple(sorted(rows, key=lambda row: places[row.basket_id]))
