"""Gives orders the form that callers see."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from hanro.events.orders import OrderClaim, OrderLine, OrderRefund, OrderState, StatedAmount
from hanro.marketplace.types import Hold
from hanro.web.shapes import NextCursor, Shown
from order_svc.api.buyer_shapes import PersonalShown
from order_svc.api.cancellation_shapes import CancellationShown, show_cancellation
from order_svc.api.shipment_shapes import ShipmentShown, show_shipment
from order_svc.api.stated_shapes import OrderStated
from order_svc.api.sum_shapes import SummedTotal
from order_svc.domain.cancellations import Cancellation
from order_svc.domain.holds import text_of
from order_svc.domain.orders import Order, WorkState
from order_svc.domain.quarantine import remedy_of
from order_svc.domain.shipments import Shipment
from order_svc.domain.states import cancellation_requested_at
from order_svc.domain.sums import sum_totals
from order_svc.store.order_rows import StoredOrder

MOST_SHOWN = 100


class Remedy(Shown):
    """What mends it, in both languages."""

    ja: str
    """In Japanese."""
    en: str
    """In English."""


class Quarantine(Shown):
    """Why an order is held back: nobody accepts it, ships it or writes to its buyer until it is released by itself.

    With `unmapped-line` its lines, totals and status are true; with any other code it cannot be read, and they say
    nothing, or are old.
    """

    code: str
    """Stable name of the kind of failure."""
    why: str
    """One sentence, without buyer data."""
    line_ids: list[str]
    """The marketplace's ids of the lines that are mapped to no SKU."""
    remedy: Remedy
    """What releases it."""


class HoldReason(Shown):
    """Why an order must not be accepted or shipped now, in both languages."""

    code: Hold
    """As in `holds`."""
    ja: str
    """In Japanese."""
    en: str
    """In English."""


class OrderSummary(Shown):
    """An order without its buyer. Times are UTC, `placed_local` is the marketplace's own text."""

    id: str
    """ord_…"""
    account_id: str
    """The account that it was sold by."""
    marketplace_id: str
    """Where."""
    external_id: str
    """The marketplace's order number."""
    version: int
    """Grows with each change; the ETag and the facts name it."""
    status: OrderState
    """How far it is at the marketplace, in hanro's words."""
    work_state: WorkState
    """How far our own work on it is."""
    placed_at: datetime
    """When the buyer ordered, UTC."""
    placed_local: str
    """The same, as the marketplace writes it."""
    first_seen_by: str
    """The route that found it first."""
    lines: tuple[OrderLine, ...]
    """What was ordered."""
    milestones: dict[str, datetime]
    """What was reached, and when."""
    holds: tuple[str, ...]
    """Why it must not be accepted or shipped now; empty: nothing is in the way."""
    hold_reasons: list[HoldReason]
    """The same in words."""
    totals: dict[str, StatedAmount]
    """Totals as stated by the marketplace, by name: `goods`, `postage`, `total`, `payable`; none is summed here."""
    claims: tuple[OrderClaim, ...]
    """Cancellations, returns and exchanges that were asked for, each at its newest stage; why is not told."""
    refunds: tuple[OrderRefund, ...]
    """What payment records told of money that goes back, by payment, as they were read last. They cancel nothing, and
    the same money may stand in `claims`: never add them up.
    """
    refunds_read_at: datetime | None
    """When payments were read last (`:fetch` with the detail `payment`); null: never, so nobody knows of refunds."""
    cancellation_requested_at: datetime | None
    """Since when a buyer's wish to cancel waits for an answer; null: none waits. It cancels nothing by itself."""
    decide_by: datetime | None
    """The first deadline of a line that waits to be accepted; past it the marketplace decides. Null: none waits."""
    decide_soon: bool
    """That deadline is near, or past, and the fact OrderDecisionDue has told so."""
    quarantine: Quarantine | None
    """Why it is held back; null: it is not."""
    is_backfilled: bool
    """Placed before `orders_from` of its account, or brought by a file: no message is sent."""
    reserves_stock: bool
    """False while a file alone told of it, and was not to move stock."""
    is_test: bool
    """A sandbox order: no real stock, mail or quota."""
    erased_at: datetime | None
    """When its buyer was erased on request; null: never."""
    created_at: datetime
    """When hanro stored it."""
    changed_at: datetime
    """When it changed here last."""


class OrderShown(OrderSummary):
    """An order, whole.

    `stated` is the order as the marketplace shows it, without its buyer; `personal` (scope orders:personal) holds
    buyer, addresses, payments, gift, notes and reasons. Its bytes stand behind `/raw` (scope orders:raw).
    `shipments` and `cancellations` go on without a new `version`: they tell how far work for the order is.
    """

    summed_totals: dict[str, SummedTotal]
    """`goods`, `postage` and `total` where the marketplace states none: summed here from lines, wrappings and
    destinations, never with a stated total. One of which any part is not decided is left out.
    """
    stated: OrderStated
    """The order as the marketplace shows it, verbatim, without its buyer."""
    personal: PersonalShown | None
    """What is personal; null: the scope orders:personal is missing, nothing is known, or it was erased."""
    shipments: Annotated[list[ShipmentShown], Field(max_length=MOST_SHOWN)]
    """Parcels that were asked for, the first asked for first. Of more than 100 the last 100; all stand behind
    `/v1/orders/{order_id}/shipments`.
    """
    cancellations: Annotated[list[CancellationShown], Field(max_length=MOST_SHOWN)]
    """Cancellations that were asked for here, likewise; all stand behind `/v1/orders/{order_id}/cancellations`. What
    buyers want stands in `claims`.
    """


class OrderPageShown(Shown):
    """Orders, the last one found first."""

    items: list[OrderSummary]
    """The last one found first."""
    next: NextCursor


_OF_ORDER = tuple(name for name in OrderSummary.model_fields if hasattr(Order, name))


def summary(stored: StoredOrder) -> OrderSummary:
    """Show an order in a list."""
    return OrderSummary(**_fields(stored))


def whole(
    stored: StoredOrder,
    personal: Mapping[str, Any] | None,
    *,
    shipments: Sequence[Shipment],
    cancellations: Sequence[Cancellation],
) -> OrderShown:
    """Show one order, with at most `MOST_SHOWN` parcels and cancellations of it."""
    order, sheet = stored.order, json.loads(stored.sheet)
    summed = {
        name: SummedTotal(
            amount=f"{one.money.amount:f}", currency=one.money.currency, is_tax_included=one.is_tax_included
        )
        for name, one in sum_totals(order, sheet).items()
    }
    return OrderShown(
        **_fields(stored),
        summed_totals=summed,
        stated=OrderStated.model_validate(sheet),
        personal=PersonalShown.model_validate(personal) if personal is not None else None,
        shipments=[show_shipment(one) for one in shipments],
        cancellations=[show_cancellation(one) for one in cancellations],
    )


def _fields(stored: StoredOrder) -> dict[str, Any]:
    order = stored.order
    return {name: getattr(order, name) for name in _OF_ORDER} | {
        "hold_reasons": [_reason(hold) for hold in order.holds],
        "cancellation_requested_at": cancellation_requested_at(order.status, order.claims),
        "decide_soon": stored.is_decision_due,
        "quarantine": _quarantine(order) if order.is_quarantined else None,
        "created_at": stored.created_at,
        "changed_at": stored.changed_at,
    }


def _reason(hold: str) -> HoldReason:
    text = text_of(hold)
    return HoldReason(code=Hold(hold), ja=text.ja, en=text.en)


def _quarantine(order: Order) -> Quarantine:
    code = order.quarantine_code or ""
    remedy = remedy_of(code)
    return Quarantine(
        code=code,
        why=order.quarantine_why or "",
        line_ids=list(order.unmapped),
        remedy=Remedy(ja=remedy.ja, en=remedy.en),
    )
