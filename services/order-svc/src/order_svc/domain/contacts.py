"""Says whom to write to about an order, and what a message may speak of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hanro.events.orders import OrderLine, OrderShipment, StatedAmount
from order_svc.domain.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Be a buyer's contact for one message; never kept. `email` None: the marketplace gives none."""

    name: str | None = field(repr=False)
    email: str | None = field(repr=False)
    is_email_masked: bool
    external_id: str
    placed_at: datetime
    placed_local: str
    lines: tuple[OrderLine, ...]
    totals: Mapping[str, StatedAmount]
    marketplace_id: str
    parcels: tuple[OrderShipment, ...]


def contact_of(order: Order, personal: Mapping[str, Any]) -> Contact:
    """Join an order with its buyer's part, as `readings` wrote it."""
    buyer = personal.get("buyer") or {}
    name = buyer.get("name") or {}
    return Contact(
        name=name.get("full"),
        email=buyer.get("email"),
        is_email_masked=bool(buyer.get("is_email_masked")),
        external_id=order.external_id,
        placed_at=order.placed_at,
        placed_local=order.placed_local,
        lines=order.lines,
        totals=order.totals,
        marketplace_id=order.marketplace_id,
        parcels=tuple(one for one in order.shipments if one.state == "registered"),
    )
