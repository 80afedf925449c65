"""Delivers notices: sends, reads the receiver's answer, tries again, keeps what was sent."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.events.documents import Subscription, slashed
from hanro_rakuten_ichiba.simulator.orders import CANCELLED, CANCELLING, CHANGING, READY, StoredOrder
from hanro_rakuten_ichiba.simulator.shops import Shop
from simkit.clock import Clock
from simkit.courier import Courier, Outcome, Parcel
from simkit.journal import Journal, body_fields
from simkit.redaction import HIDDEN

AUTHORISED, CAUTION, EDITED = 5000, 5100, 4000
_SHIP, _REFUSED, _WITHDRAWN = 1, 2, 3
_RECEIVED = "N-000-000"
_RESULT_CODE = re.compile(rb"<resultCode>\s*([A-Z]-\d{3}-\d{3})\s*</resultCode>")
_OK = 200
_TYPE = "text/xml; charset=UTF-8"


@dataclass
class Notice:
    """Hold one notice as it was written; `result` is the receiver's last code, or what went wrong."""

    id: int
    service_id: int | None
    body: bytes
    content_type: str
    attempts: int = 0
    result: str | None = None

    def to_json(self) -> dict[str, object]:
        """Give it with its text."""
        return {
            "id": self.id,
            "service_id": self.service_id,
            "body": self.body.decode("utf-8", errors="replace"),
            "attempts": self.attempts,
            "result": self.result,
        }


class EventService:
    """Notify shops that subscribed. Source: rakuten-ichiba-orders 11 [1]; retries and time limit [?].

    Where a developer has applied for a shop, notices go out from the time that the application says; where nobody has,
    as soon as there is a URL.
    """

    def __init__(self, clock: Clock, journal: Journal, courier: Courier, assumptions: Assumptions) -> None:
        self._clock = clock
        self._journal = journal
        self._courier = courier
        self._assumptions = assumptions
        self._sent: dict[str, list[Notice]] = {}

    def is_on(self, shop: Shop, now: datetime) -> bool:
        """Tell whether notices about a shop are delivered now."""
        if shop.subscription is None:
            return False
        return shop.application is None or shop.application.is_delivering(now)

    def tell_order(self, shop: Shop, order: StoredOrder, now: datetime) -> None:
        """Tell of a new order."""
        if shop.subscription is not None and self.is_on(shop, now):
            text = shop.subscription.write_order(order, self._next(shop))
            self._deliver(shop, text.encode("utf-8"))

    def tell_move(self, shops: Iterable[Shop], order: StoredOrder, before: object, now: datetime) -> None:
        """Tell what a change of state means to the shipper: to ship, to ship no more, or Rakuten's cancellation."""
        kind = _meaning(before, order)
        if kind is None:
            return
        for shop in shops:
            if shop.subscription is not None and shop.orders.find(order.number) is order:
                values = {"orderNumber": order.number, "notificationType": kind, "occurrenceDatetime": _now(now)}
                self.tell_system(shop, AUTHORISED, values, now)

    def tell_caution(self, shop: Shop, order: StoredOrder, now: datetime) -> None:
        """Tell that an order needs caution."""
        kind = order.tree.get("cautionDisplayType")
        values = {"orderNumber": order.number, "cautionDisplayType": kind, "occurrenceDatetime": _now(now)}
        self.tell_system(shop, CAUTION, values, now)

    def tell_edit(self, shop: Shop, order: StoredOrder, member: str, before: object, now: datetime) -> None:
        """Tell that the buyer changed a member of the order."""
        values = {
            "operation": "update",
            "orderNumber": order.number,
            "subkey": None,
            "class": "OrderModel",
            "field": member,
            "before": before,
            "after": order.tree.get(member),
            "orderType": order.tree.get("orderType"),
            "orderDate": slashed(order.tree.get("orderDatetime")),
            "timestamp": _now(now),
        }
        self.tell_system(shop, EDITED, values, now)

    def tell_system(self, shop: Shop, service_id: int, values: Mapping[str, object], now: datetime) -> None:
        """Tell anything that the system tells."""
        if shop.subscription is not None and self.is_on(shop, now):
            request_id = f"r-{shop.number}-{self._next(shop)}"
            text = shop.subscription.write_system(service_id, request_id, values)
            self._deliver(shop, text.encode("utf-8"), service_id)

    def send_raw(self, shop: Shop, body: bytes, content_type: str) -> None:
        """Send a body as it is, whatever the application says."""
        self._deliver(shop, body, content_type=content_type)

    def repeat(self, shop: Shop, notice_id: int, times: int) -> bool:
        """Send a notice again, with the id that it had; False when there is none of that id."""
        notice = next((one for one in self.sent(shop) if one.id == notice_id), None)
        if notice is None:
            return False
        for _ in range(times):
            self._send(shop, notice, is_retried=False)
        return True

    def sent(self, shop: Shop) -> list[Notice]:
        """Give the notices of a shop, oldest first."""
        return self._sent.get(shop.number, [])

    def _next(self, shop: Shop) -> int:
        return len(self.sent(shop)) + 1

    def _deliver(self, shop: Shop, body: bytes, service_id: int | None = None, *, content_type: str = _TYPE) -> None:
        notice = Notice(self._next(shop), service_id, body, content_type)
        self._sent.setdefault(shop.number, []).append(notice)
        self._send(shop, notice, is_retried=True)

    def _send(self, shop: Shop, notice: Notice, *, is_retried: bool) -> None:
        subscription = shop.subscription
        if subscription is None:
            return
        notice.attempts += 1
        attempt = notice.attempts
        parcel = Parcel(
            url=subscription.url,
            headers=[("Content-Type", notice.content_type)],
            body=notice.body,
            timeout_seconds=self._assumptions.event_timeout_seconds,
        )

        def done(outcome: Outcome) -> None:
            notice.result = _result(outcome)
            self._record(shop, subscription, notice, attempt, outcome)
            waits = self._assumptions.event_retry_seconds
            if is_retried and notice.result != _RECEIVED and attempt <= len(waits):
                due_at = self._clock.now() + timedelta(seconds=waits[attempt - 1])
                self._clock.at(due_at, lambda _: self._send(shop, notice, is_retried=True))

        self._courier.send(parcel, done)

    def _record(self, shop: Shop, subscription: Subscription, notice: Notice, attempt: int, outcome: Outcome) -> None:
        key = subscription.auth_key.encode("utf-8")
        shown = notice.body.replace(key, HIDDEN.encode()) if key else notice.body
        self._journal.add(
            "event",
            {
                "shop": shop.number,
                "url": subscription.url.partition("?")[0],
                "notice": notice.id,
                "service_id": notice.service_id,
                "attempt": attempt,
                "status": outcome.status,
                "error": outcome.error,
                "result": notice.result,
                **body_fields("request", shown),
                **body_fields("response", outcome.body),
            },
        )


def _meaning(before: object, order: StoredOrder) -> int | None:
    """Give the type of an authorisation result: ship, cancelled by Rakuten, withdrawn; which move is which [?]."""
    if order.progress == READY:
        return _SHIP
    if order.is_cancelled_by_rakuten:
        return None if before == CANCELLING else _REFUSED
    return _WITHDRAWN if before == READY and order.progress in (CHANGING, CANCELLING, CANCELLED) else None


def _result(outcome: Outcome) -> str:
    """Give the code that the receiver answered, or what it answered instead."""
    if outcome.status is None:
        return outcome.error or "nothing"
    found = _RESULT_CODE.search(outcome.body)
    if outcome.status != _OK or found is None:
        return f"HTTP {outcome.status}"
    return found[1].decode()


def _now(moment: datetime) -> str:
    return slashed(moment.strftime("%Y-%m-%dT%H:%M:%S%z"))
