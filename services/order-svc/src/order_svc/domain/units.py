"""Finds the lines and units that a request names, and says of those that it cannot have what to ask for instead."""

from hanro.errors import LocalizedText, Rejected
from hanro.events.orders import OrderLine
from order_svc.domain.orders import Order

_LOOK = LocalizedText(
    ja="注文の lines にある id か external_id を指定してください(GET /v1/orders/{id})。",
    en="Name a line by the `id` or `external_id` that the order's `lines` show (GET /v1/orders/{id}).",
)
_LEAVE_OUT = LocalizedText(
    ja="キャンセル済みの明細を外してください。商品が梱包済みなら在庫に戻してください。",
    en="Leave the cancelled line out, and put what is packed of it back on the shelf.",
)


def find_line(order: Order, named: str) -> OrderLine:
    """Find a line by our id or the marketplace's.

    Raises:
        Rejected: the order has no such line (line-unknown).
    """
    found = next((line for line in order.lines if named in (line.id, line.external_id)), None)
    if found is None:
        raise Rejected("the order has no such line", code="line-unknown", field="lines", remedy=_LOOK)
    return found


def check_units(line: OrderLine, wanted: int, left: int) -> None:
    """Let units of a line be asked for only while so many are left of it.

    Raises:
        Rejected: the line is cancelled (line-cancelled), or fewer units are left (too-many-units).
    """
    if line.status == "cancelled":
        raise Rejected(f"line {line.external_id} is cancelled", code="line-cancelled", field="lines", remedy=_LEAVE_OUT)
    if wanted > left:
        raise Rejected(
            f"line {line.external_id} has fewer units left than that: {left} of {line.quantity}, not {wanted}",
            code="too-many-units",
            field="lines",
            remedy=LocalizedText(ja=f"数量を {left} 以下にしてください。", en=f"Ask for {left} units of it at most."),
        )
