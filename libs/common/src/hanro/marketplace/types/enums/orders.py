"""Names what an order, its lines and its claims can be, and what may be asked of them."""

from enum import StrEnum, auto


class OrderStatus(StrEnum):
    """Say how far an order is at the marketplace; theirs, canonical, least advanced first.

    Work state is order-svc's own. Source: PORT 2.
    """

    PENDING = auto()
    NEW = auto()
    ACCEPTED = auto()
    READY = auto()
    ON_HOLD = auto()
    SHIPPED = auto()
    COMPLETED = auto()
    CANCELLING = auto()
    CANCELLED = auto()


class Hold(StrEnum):
    """Say why not to accept or ship now, whatever the status."""

    AMOUNT = auto()
    PAYMENT = auto()
    PREORDER = auto()
    CHECK = auto()
    ADDRESS = auto()
    NEGOTIATION = auto()
    CLAIM = auto()
    CHANGE = auto()


class OrderTime(StrEnum):
    """Name a time in an order's life as the marketplace states it."""

    PAID = auto()
    ACCEPTED = auto()
    RELEASED = auto()
    SHIP_PLANNED = auto()
    SHIPPED = auto()
    DELIVERED = auto()
    REPORTED = auto()


class Detail(StrEnum):
    """Name what a list of orders cannot tell and `Orders.fetch` adds."""

    CONTACT = auto()
    POSTAGE = auto()
    LABEL = auto()
    PAYMENT = auto()
    DISPATCH = auto()


class AddressKind(StrEnum):
    """Say what an address is worth: AWAITED ones are still to come, never ship to one."""

    PLAIN = auto()
    MASKED = auto()
    AWAITED = auto()


class Party(StrEnum):
    """Name who acts, pays or writes."""

    BUYER = auto()
    SELLER = auto()
    MARKETPLACE = auto()
    MANUFACTURER = auto()


class PaymentStatus(StrEnum):
    """Say how far a payment is; UNKNOWN where the marketplace states none."""

    UNKNOWN = auto()
    OPEN = auto()
    AUTHORISED = auto()
    PAID = auto()
    FAILED = auto()
    REFUNDED = auto()


class RefundStatus(StrEnum):
    """Say how far money that goes back is; UNKNOWN where the marketplace states none, or its word is not explained."""

    UNKNOWN = auto()
    OPEN = auto()
    DONE = auto()
    FAILED = auto()


class DiscountKind(StrEnum):
    """Name what lowers the price."""

    COUPON = auto()
    POINTS = auto()
    PROMOTION = auto()


class ClaimKind(StrEnum):
    """Name what a claim asks for."""

    CANCEL = auto()
    RETURN = auto()
    EXCHANGE = auto()
    NOT_RECEIVED = auto()
    OTHER = auto()


class ClaimStage(StrEnum):
    """Say how far a claim is."""

    REQUESTED = auto()
    RUNNING = auto()
    DONE = auto()
    WITHDRAWN = auto()


class Answer(StrEnum):
    """Answer what waits for the seller."""

    ACCEPT = auto()
    REFUSE = auto()


class CancelReason(StrEnum):
    """Say why the seller cancels."""

    OUT_OF_STOCK = auto()
    BUYER_WISH = auto()
    AREA = auto()
    DELAY = auto()
    UNPAID = auto()
    UNDELIVERED = auto()
    RETURNED = auto()
    DAMAGED = auto()
    OTHER = auto()


class DelayReason(StrEnum):
    """Say why an order leaves late."""

    PREPARING = auto()
    MADE_TO_ORDER = auto()
    BUYER_WISH = auto()
    OTHER = auto()


class OutcomeStatus(StrEnum):
    """Say what the marketplace did with one entry of a write.

    APPLIED it stands; SENT taken and decided later; REJECTED surely without effect; NOT_SENT surely not there;
    IN_DOUBT unknown. Source: PORT 0.2.
    """

    SENT = auto()
    APPLIED = auto()
    REJECTED = auto()
    NOT_SENT = auto()
    IN_DOUBT = auto()


class RouteKind(StrEnum):
    """Say what a way to find orders is for: those that are new, a sweep over the open ones, or changes."""

    NEW = auto()
    SWEEP = auto()
    CHANGES = auto()
