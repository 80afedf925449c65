"""Holds what is asked of an order, and what came of it."""

from dataclasses import field
from datetime import date, datetime
from typing import Generic

from hanro.errors import Failure
from hanro.marketplace.types.enums.catalogue import Part
from hanro.marketplace.types.enums.orders import Answer, CancelReason, DelayReason, OutcomeStatus, Party
from hanro.marketplace.types.limits import Tracking
from hanro.marketplace.types.orders import OrderRef
from hanro.marketplace.types.people import Address
from hanro.marketplace.types.plain import K
from hanro.money import Money
from hanro.value import value


@value
class LineKey:
    """Key an outcome: `id` of the Decision, Shipment or Cancellation, and the line."""

    id: str
    line_id: str


@value
class LinePart:
    """Name units of a line; quantity 0 with a refund: the price alone (REFUND_AMOUNT).

    `left` and `left_price` are the units, or the price of a unit, that the line shows once a cancellation stands: by
    them `verify` can tell. None: the asker does not know.
    """

    line_id: str
    quantity: int
    refund: Money | None = None
    left: int | None = None
    left_price: Money | None = None


@value
class Decision:
    """Answer what waits for the seller: new lines, or one claim. Later `ships_on` again: ANNOUNCE_DELAY.

    `ships_from` is a country, None: the account's.
    """

    id: str
    order: OrderRef
    answer: Answer
    line_ids: tuple[str, ...]
    claim_id: str | None
    ships_on: date | None
    delay: DelayReason | None
    note: str | None = field(repr=False)
    ships_from: str | None
    return_to: Address | None


@value
class Shipment:
    """Register a parcel.

    `is_last`: nothing of the order stays behind. `replaces`: external_id of the Parcel to correct. `claim_id`: goods
    for an exchange.
    """

    id: str
    order: OrderRef
    package_id: str | None
    lines: tuple[LinePart, ...]
    tracking: Tracking
    shipped_on: date | None
    is_last: bool
    replaces: str | None
    claim_id: str | None


@value
class Cancellation:
    """Cancel as the seller; `is_whole`: all that is left.

    `is_restocked` None: as the listing is set there (hanro restates stock anyway).
    """

    id: str
    order: OrderRef
    lines: tuple[LinePart, ...]
    is_whole: bool
    is_shipped: bool
    reason: CancelReason
    by: Party
    comment: str | None = field(repr=False)
    is_restocked: bool | None


OrderEffect = Decision | Shipment | Cancellation


@value
class Outcome(Generic[K]):
    """Say what became of one entry of a write: `status` what the marketplace did, `failure` who must act.

    `external_id` is what they gave (ItemCode, shippingDetailId, location); `parts` what of a listing change stands;
    `details` what they said. `is_repeat`: it stood before. `failure` is None with APPLIED and SENT alone.
    """

    key: K
    status: OutcomeStatus
    failure: Failure | None = None
    is_repeat: bool = False
    external_id: str | None = None
    parts: frozenset[Part] = frozenset()
    details: tuple[tuple[str, str], ...] = ()


@value
class Ticket:
    """Hold their handle of a write that is decided later; ask at `poll_at`, past `gives_up_at` it is in doubt."""

    method: str
    external_id: str
    sent_at: datetime
    poll_at: datetime
    gives_up_at: datetime
    cursor: str | None = None


@value
class Receipt(Generic[K]):
    """Hold one outcome for each key asked, in the order asked; a ticket while any of them is SENT."""

    outcomes: tuple[Outcome[K], ...]
    ticket: Ticket | None = None
    unread: tuple[OrderRef, ...] = ()
