"""Answers updateOrderShipping, and registers what the queue brings."""

from collections.abc import Callable, Mapping, Sequence

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.messages import Answer, Message
from hanro_rakuten_ichiba.simulator.orders import CANCELLED
from hanro_rakuten_ichiba.simulator.shipping.rows import UPDATE_ORDERSHIPPING, Fault, Row, read_rows, register
from hanro_rakuten_ichiba.simulator.shops import Shop

_ALREADY_CANCELLED = "指定された注文番号は既にキャンセルされているため、発送完了報告が出来る状態ではありませんでした。"


def register_shipping(
    shop: Shop, body: Mapping[str, object], new_id: Callable[[], int], assumptions: Assumptions
) -> Answer:
    """Add, change and delete shipping rows of one order; its required keys are there.

    The order's state stays: the night run moves it (8.2). Source: rakuten-ichiba-orders 4.4, samples 15.4; the status
    of business refusals [?].
    """
    rows, faults = read_rows(body["BasketidModelList"], assumptions)
    if faults:
        return Answer(400, {"MessageModelList": [fault.message(UPDATE_ORDERSHIPPING) for fault in faults]})
    entries, is_written = register_rows(shop, str(body["orderNumber"]), rows, new_id, assumptions)
    status = 200 if is_written else assumptions.refusal_status
    return Answer(status, {"MessageModelList": entries}, is_written)


def register_rows(
    shop: Shop, number: str, rows: Sequence[Row], new_id: Callable[[], int], assumptions: Assumptions
) -> tuple[list[Message], bool]:
    """Register rows where the order's state allows it; give the entries and whether anything was written.

    Source: rakuten-ichiba-orders 8.3; the states other than 300 and 900, and an unknown order [?].
    """
    order = shop.orders.find(number)
    if order is None:
        return [_refusal("ERROR_999", "(text unknown: no such order)")], False
    if order.progress == CANCELLED:
        return [_refusal("ERROR_102", _ALREADY_CANCELLED)], False
    if order.progress not in assumptions.shipping_states:
        return [_refusal("ERROR_999", f"(text unknown: no shipping in state {order.progress})")], False
    return register(order, rows, new_id)


def _refusal(suffix: str, text: str) -> Message:
    return Fault(suffix, text).message(UPDATE_ORDERSHIPPING)
