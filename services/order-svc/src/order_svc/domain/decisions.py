"""Decides whether an order may be accepted at all, and names it as marketplaces find it."""

from hanro.errors import LocalizedText, Rejected, Unsupported
from hanro.marketplace.types import Absent, Capability, OrderRef, Support
from order_svc.domain.accounts import Account
from order_svc.domain.holds import way_out
from order_svc.domain.orders import CONFIRMED, Order
from order_svc.domain.quarantine import remedy_of

_LEAVE_IT = LocalizedText(
    ja="出荷せず、梱包済みの商品は在庫に戻してください。",
    en="Ship nothing of it, and put what is packed back on the shelf.",
)


def check_readable(order: Order) -> None:
    """Let an order be acted on only while it is not held back and stands.

    Raises:
        Rejected: order-quarantined, order-cancelled.
    """
    if order.is_quarantined:
        why = order.quarantine_why or "it cannot be read"
        remedy = remedy_of(order.quarantine_code or "")
        raise Rejected(f"the order is held back: {why}", code="order-quarantined", remedy=remedy)
    if order.status in {"cancelled", "cancelling"}:
        raise Rejected(
            "the order is cancelled, or its cancellation is being decided", code="order-cancelled", remedy=_LEAVE_IT
        )


def check_held(order: Order) -> None:
    """Let an order be accepted or shipped only while nothing holds it.

    Raises:
        Rejected: order-held.
    """
    if order.holds:
        why = f"the marketplace holds the order: {', '.join(order.holds)}"
        raise Rejected(why, code="order-held", remedy=way_out(order.holds))


def check_acceptable(order: Order) -> None:
    """Let an order be accepted only while it waits for that and nothing holds it.

    Raises:
        Rejected: order-quarantined, order-cancelled, already-decided, order-held; not-waiting in any other status.
    """
    check_readable(order)
    if order.status in CONFIRMED:
        raise Rejected("the order is accepted already", code="already-decided")
    check_held(order)
    if order.status != "new":
        raise Rejected(f"an order that is {order.status} does not wait to be accepted", code="not-waiting")


def still_acceptable(order: Order) -> Rejected | None:
    """Say why an acceptance is not sent any more; None: send it.

    An order that was accepted in the meantime is sent all the same: the marketplace says that it stands.
    """
    try:
        check_acceptable(order)
    except Rejected as refused:
        return None if refused.code == "already-decided" else refused
    return None


def ref_of(order: Order) -> OrderRef:
    """Give all by which a marketplace finds an order."""
    return OrderRef(
        external_id=order.external_id,
        line_ids=tuple(line.external_id for line in order.lines),
        placed_at=order.placed_at,
    )


def asked_of(order: Order, account: Account, capability: Capability) -> dict[str, object]:
    """Give what every operation on an order says of what was asked."""
    return {"external_id": order.external_id, "account_epoch": account.epoch, "capability": capability.value}


def check_supported(support: Support | None) -> None:
    """Let be asked only what the marketplace takes by its API.

    Raises:
        Unsupported: it does not, or it is not installed; with the reason and the way by hand (absent).
    """
    if support is None:
        raise Unsupported("no plug-in of this marketplace is installed", code="absent")
    if isinstance(support, Absent):
        raise Unsupported(support.reason.en, code="absent", remedy=support.reason, menu=support.menu)
