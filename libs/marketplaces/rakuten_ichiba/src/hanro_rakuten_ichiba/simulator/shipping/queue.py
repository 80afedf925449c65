"""Answers updateOrderShippingAsync and getResultUpdateOrderShippingAsync: takes rows now, registers them later."""

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.japan_time import JST
from hanro_rakuten_ichiba.simulator.messages import Answer, Message, beyond, compose, malformed
from hanro_rakuten_ichiba.simulator.required import find_lacking
from hanro_rakuten_ichiba.simulator.shipping.registration import register_rows
from hanro_rakuten_ichiba.simulator.shipping.rows import Fault, Row, read_rows, row_message
from hanro_rakuten_ichiba.simulator.shops import Shop
from simkit.clock import Clock
from simkit.journal import Journal

_ASYNC = "UPDATE_ORDERSHIPPING_ASYNC"
_RESULT = "GET_RESULT_UPDATEORDERSHIPPING_ASYNC"
_ACCEPTED = "発送情報の更新を受付けました。"
_NO_RESULT = "指定されたリクエストIDの処理結果は存在しませんでした。"


@dataclass
class Batch:
    """Hold what one request brought; `results` is None until it was carried out."""

    shop_number: str
    accepted_at: datetime
    orders: Sequence[tuple[str, Sequence[Row]]]
    results: list[dict[str, object]] | None = field(default=None)


class ShippingQueue:
    """Keep the batches of all shops. Source: rakuten-ichiba-orders 4.5, 4.6, 14.10, samples 15.5."""

    def __init__(
        self, clock: Clock, journal: Journal, assumptions: Assumptions, new_id: Callable[[], int], seed: int
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._assumptions = assumptions
        self._new_id = new_id
        self._source = random.Random(f"requests {seed}")  # noqa: S311  repeatable on purpose
        self._batches: dict[str, Batch] = {}

    def accept(self, shop: Shop, body: Mapping[str, object], now: datetime) -> Answer:
        """Take the rows of up to 100 orders; what is invalid is refused with 200 and nothing is queued."""
        listed = body["OrderShippingModelList"]
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            return _refuse(malformed(_ASYNC, ["OrderShippingModelList"]))
        orders, refusals = self._read(listed)
        if refusals:
            return _refuse(refusals)
        stamp = now.astimezone(JST).strftime("%Y%m%d%H%M%S")
        request_id = f"{uuid.UUID(int=self._source.getrandbits(128), version=4)}_{stamp}"
        self._batches[request_id] = Batch(shop.number, now, orders)
        due_at = now + timedelta(seconds=self._assumptions.async_delay_seconds)
        self._clock.at(due_at, lambda _: self._carry_out(shop, request_id))
        entry: Message = {
            **compose(_ASYNC, "INFO_101", _ACCEPTED),
            "requestId": request_id,
            "dataNumber": None,
            "shippingDetailId": None,
        }
        return Answer(200, {"MessageModelList": [entry]}, has_effect=True)

    def tell(self, shop: Shop, body: Mapping[str, object], now: datetime) -> Answer:
        """Tell what became of a batch; running, unknown, another shop's and expired ones look alike."""
        batch = self._batches.get(str(body["requestId"]))
        is_kept = (
            batch is not None
            and batch.shop_number == shop.number
            and now < batch.accepted_at + timedelta(days=self._assumptions.async_kept_days)
        )
        if batch is None or batch.results is None or not is_kept:
            entries = [compose(_RESULT, "INFO_101", _NO_RESULT)]
            return Answer(200, {"ResultShippingModelList": [{"MessageModelList": entries}]})
        return Answer(200, {"ResultShippingModelList": batch.results})

    def to_json(self) -> dict[str, object]:
        """Give the batches by their request."""
        return {
            request_id: {"shop": batch.shop_number, "orders": [number for number, _ in batch.orders]}
            | {"results": batch.results}
            for request_id, batch in self._batches.items()
        }

    def _read(self, listed: Sequence[Mapping[str, object]]) -> tuple[list[tuple[str, Sequence[Row]]], list[Message]]:
        most = self._assumptions.orders_per_call
        refusals = beyond(_ASYNC, [f"more than {most} orders"]) if len(listed) > most else []
        orders: list[tuple[str, Sequence[Row]]] = []
        for one in listed:
            number = one.get("orderNumber")
            told = number if isinstance(number, str) else None
            lacking = find_lacking("updateOrderShipping", one)
            refusals += [
                row_message(_ASYNC, "ERROR_009", f"{key}の項目を指定して下さい。", None, None, order_number=told)
                for key in lacking
            ]
            rows, faults = read_rows(one.get("BasketidModelList"), self._assumptions) if not lacking else ([], [])
            if told is not None and any(told == known for known, _ in orders):
                faults = [*faults, Fault("ERROR_999", "(text unknown: the same order twice)")]
            refusals += [fault.message(_ASYNC, told) for fault in faults]
            orders.append((str(number), rows))
        return orders, refusals

    def _carry_out(self, shop: Shop, request_id: str) -> None:
        """Register what was taken, each order for itself, by the states that the orders have now."""
        batch = self._batches[request_id]
        batch.results, written = [], []
        for number, rows in batch.orders:
            entries, is_written = register_rows(shop, number, rows, self._new_id, self._assumptions)
            batch.results.append({"orderNumber": number, "MessageModelList": entries})
            if is_written:
                written.append(number)
        self._journal.add("shipping", {"shop": shop.number, "request_id": request_id, "written": written})


def _refuse(entries: list[Message]) -> Answer:
    """Refuse with 200, without a request id. Source: rakuten-ichiba-orders 4.5 [1]."""
    return Answer(200, {"MessageModelList": entries})
