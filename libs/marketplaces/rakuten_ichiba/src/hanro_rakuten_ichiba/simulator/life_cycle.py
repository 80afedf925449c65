"""Moves orders through their states: by the shop, by the buyer, and by Rakuten as time passes."""

import itertools
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.japan_time import (
    JST,
    day_in_japan,
    end_of_day,
    read_date,
    write_date,
    write_moment,
)
from hanro_rakuten_ichiba.simulator.orders import (
    BILLING,
    CANCELLED,
    CANCELLING,
    NEW,
    PROCESSING,
    READY,
    SETTLED,
    SHIPPED,
    StoredOrder,
    members,
)
from simkit.clock import Clock
from simkit.journal import Journal

CANCEL_APPLIED, CANCEL_COMPLETED, ORDER_CONFIRMED = 0, 2, 8
BY_SHOP, BY_BUYER = 0, 1
_FIRST_CHANGE_ID = 900_000_001
Step = Callable[[StoredOrder, datetime], None]
_ROW_FIELDS = ("deliveryCompany", "shippingNumber", "shippingDate")


class LifeCycle:
    """Change orders and plan what Rakuten does next. Source: rakuten-ichiba-orders 8.1, 8.2."""

    def __init__(self, clock: Clock, journal: Journal, assumptions: Assumptions) -> None:
        self._clock = clock
        self._journal = journal
        self._assumptions = assumptions
        self._change_ids = itertools.count(_FIRST_CHANGE_ID)

    def plan(self, order: StoredOrder, at: datetime) -> None:
        """Set the timer of what Rakuten does next with an order that entered its state `at`.

        An order that was placed as new longer ago than its last day stays new.
        """
        assumed = self._assumptions
        match order.progress:
            case 100:
                last_day = day_in_japan(order.placed_at) + timedelta(days=assumed.unconfirmed_days)
                due_at = end_of_day(last_day) + timedelta(seconds=1)
                if due_at > at:
                    self._after(order, due_at, self._cancel_unconfirmed)
            case 200:
                self._after(order, at + timedelta(seconds=assumed.processing_seconds), self._finish_processing)
            case 500:
                self._after(order, at + timedelta(seconds=assumed.billing_seconds), self._bill)
            case 600:
                self._after(order, at + timedelta(seconds=assumed.settling_seconds), self._settle)
            case _:
                pass

    def confirm(self, order: StoredOrder, at: datetime) -> None:
        """Confirm for the shop: 200, one change reason of type 8. Source: rakuten-ichiba-orders 4.3 [wire]."""
        moment = write_moment(at)
        order.tree["shopOrderCfmDatetime"] = moment
        order.tree["cancelDueDate"] = None
        self._add_reason(order, ORDER_CONFIRMED, moment)
        self.move(order, PROCESSING, at)

    def pay(self, order: StoredOrder, at: datetime) -> None:
        """Take a prepayment; an order in 200 is ready at once. Source: rakuten-ichiba-orders 8.2 [2+]."""
        order.is_paid = True
        if order.progress == PROCESSING:
            self._make_ready(order, at)

    def cancel(self, order: StoredOrder, at: datetime, by: int = BY_BUYER) -> None:
        """End in 900; an application that is open is completed. Source: rakuten-ichiba-orders 5.12 [?], 8.2."""
        moment = write_moment(at)
        open_reasons = [
            reason
            for reason in members(order.tree, "ChangeReasonModelList")
            if reason.get("changeType") == CANCEL_APPLIED and reason.get("changeCmplDatetime") is None
        ]
        if open_reasons:
            open_reasons[-1].update(changeType=CANCEL_COMPLETED, changeFixDatetime=moment, changeCmplDatetime=moment)
        else:
            self._add_reason(order, CANCEL_COMPLETED, moment, by=by)
        order.tree["cancelDueDate"] = None
        self.move(order, CANCELLED, at)

    def request_cancel(self, order: StoredOrder, at: datetime) -> None:
        """Apply for a cancellation as the buyer: 800 until decided. Source: rakuten-ichiba-orders 5.12, 7.1 [?]."""
        self._add_reason(order, CANCEL_APPLIED, write_moment(at), by=BY_BUYER)
        self.move(order, CANCELLING, at)

    def set_progress(self, order: StoredOrder, progress: int, at: datetime) -> None:
        """Put an order into a state; times that the state implies and the tree lacks become `at`."""
        tree, moment = order.tree, write_moment(at)
        tree["cancelDueDate"] = None
        if progress == NEW:
            due = order.placed_at + timedelta(days=self._assumptions.unconfirmed_days)
            tree["cancelDueDate"] = write_date(due)
        implied = {
            PROCESSING: ("shopOrderCfmDatetime",),
            READY: ("orderFixDatetime", "shippingInstDatetime"),
            SHIPPED: ("shippingCmplRptDatetime",),
        }
        for state, keys in implied.items():
            if state <= progress < CANCELLING:
                for key in keys:
                    tree[key] = tree.get(key) or moment
        if progress == SETTLED:
            order.settled_at = at
        self.move(order, progress, at)

    def move(self, order: StoredOrder, progress: int, at: datetime) -> None:
        """Enter a state and plan from there; the sub-status goes. Source: rakuten-ichiba-orders 14.11 [?]."""
        before = order.progress
        order.tree["orderProgress"] = progress
        order.tree["subStatusId"] = None
        order.tree["subStatusName"] = None
        order.moves += 1
        self._journal.add("state", {"order": order.number, "from": before, "to": progress})
        self.plan(order, at)

    def run_night(self, orders: Iterable[StoredOrder], at: datetime) -> int:
        """Report the shipping of every ready order whose rows are complete and all dated before today; tell how many.

        Source: rakuten-ichiba-orders 8.2 [1], that it waits for the date to pass [?].
        """
        today = day_in_japan(at)
        ended = 0
        for order in orders:
            if order.progress != READY or not order.packages():
                continue
            if not all(members(package, "ShippingModelList") for package in order.packages()):
                continue
            rows = order.shipping_rows()
            dates = [read_date(row.get("shippingDate")) for row in rows]
            is_complete = all(row.get(field) for row in rows for field in _ROW_FIELDS)
            if is_complete and all(day is not None and day < today for day in dates):
                order.tree["shippingCmplRptDatetime"] = write_moment(at)
                self.move(order, SHIPPED, at)
                ended += 1
        return ended

    def next_night(self, now: datetime) -> datetime:
        """Tell when the next night run is due."""
        midnight = now.astimezone(JST).replace(hour=0, minute=0, second=0, microsecond=0)
        run_at = midnight + timedelta(minutes=self._assumptions.night_run_minutes)
        return run_at if run_at > now else run_at + timedelta(days=1)

    def _after(self, order: StoredOrder, due_at: datetime, action: Step) -> None:
        moves = order.moves

        def act(at: datetime) -> None:
            # What happened in between has the say: this order went on without the timer.
            if order.moves == moves:
                action(order, at)

        self._clock.at(due_at, act)

    def _cancel_unconfirmed(self, order: StoredOrder, at: datetime) -> None:
        self.cancel(order, at, by=BY_SHOP)

    def _finish_processing(self, order: StoredOrder, at: datetime) -> None:
        if order.is_paid or order.settlement_method not in self._assumptions.waits_for_payment:
            self._make_ready(order, at)

    def _make_ready(self, order: StoredOrder, at: datetime) -> None:
        order.tree["orderFixDatetime"] = order.tree["shippingInstDatetime"] = write_moment(at)
        self.move(order, READY, at)

    def _bill(self, order: StoredOrder, at: datetime) -> None:
        self.move(order, BILLING, at)

    def _settle(self, order: StoredOrder, at: datetime) -> None:
        order.settled_at = at
        self.move(order, SETTLED, at)

    def _add_reason(self, order: StoredOrder, change_type: int, moment: str, by: int | None = None) -> None:
        is_open = change_type == CANCEL_APPLIED
        reasons = order.tree.get("ChangeReasonModelList")
        kept = reasons if isinstance(reasons, list) else []
        entry: dict[str, object] = {
            "changeId": next(self._change_ids),
            "changeType": change_type,
            "changeTypeDetail": None,
            "changeReason": by,
            "changeReasonDetail": 1 if by == BY_BUYER else None,
            "changeApplyDatetime": moment,
            "changeFixDatetime": None if is_open else moment,
            "changeCmplDatetime": None if is_open else moment,
        }
        order.tree["ChangeReasonModelList"] = [*kept, entry]
