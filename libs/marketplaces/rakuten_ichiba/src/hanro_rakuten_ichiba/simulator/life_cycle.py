"""Moves orders through their states: by the shop, by the buyer, and by Rakuten as time passes."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.history import (
    BUYER_CANCELS,
    CANCEL_APPLIED,
    CANCEL_COMPLETED,
    CHANGE_APPLIED,
    CHANGE_COMPLETED,
    ORDER_CONFIRMED,
    SHOP_WITHOUT_REASON,
    Cause,
    History,
)
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
    CHANGING,
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

Step = Callable[[StoredOrder, datetime], None]
# Called with the state before, once the order is in another.
Moved = Callable[[StoredOrder, object, datetime], None]
_ROW_FIELDS = ("deliveryCompany", "shippingNumber", "shippingDate")


class LifeCycle:
    """Change orders and plan what Rakuten does next. Source: rakuten-ichiba-orders 8.1, 8.2."""

    def __init__(self, clock: Clock, journal: Journal, assumptions: Assumptions, moved: Moved) -> None:
        self._clock = clock
        self._journal = journal
        self._assumptions = assumptions
        self._moved = moved
        self._history = History()

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
        self._history.add(order, ORDER_CONFIRMED, at)
        self.move(order, PROCESSING, at)

    def pay(self, order: StoredOrder, at: datetime) -> None:
        """Take a prepayment; an order in 200 is ready at once. Source: rakuten-ichiba-orders 8.2 [2+]."""
        order.is_paid = True
        if order.progress == PROCESSING:
            self._make_ready(order, at)

    def cancel(self, order: StoredOrder, at: datetime, cause: Cause = BUYER_CANCELS) -> None:
        """End in 900; an application that is open is completed. Source: rakuten-ichiba-orders 5.12 [?], 8.2."""
        if not self._history.complete(order, CANCEL_APPLIED, at):
            self._history.add(order, CANCEL_COMPLETED, at, cause)
        order.tree["cancelDueDate"] = None
        self.move(order, CANCELLED, at)

    def cancel_for_shop(self, order: StoredOrder, at: datetime, cause: Cause) -> None:
        """Take the shop's application: a new order ends at once, others wait in 800 first.

        Source: rakuten-ichiba-orders 8.2 [1], how long [?].
        """
        if order.progress == NEW:
            self.cancel(order, at, cause)
            return
        self._wait_in_cancelling(order, at, cause)

    def fail_authorisation(self, order: StoredOrder, at: datetime) -> None:
        """Let Rakuten cancel: at once, or over 800. Source: rakuten-ichiba-orders 8.2 [?]."""
        order.is_cancelled_by_rakuten = True
        if self._assumptions.failed_authorisation_leads_to == CANCELLED:
            self.cancel(order, at, Cause())
            return
        self._wait_in_cancelling(order, at, Cause())

    def request_cancel(self, order: StoredOrder, at: datetime) -> None:
        """Apply for a cancellation as the buyer: 800 until decided. Source: rakuten-ichiba-orders 5.12, 7.1 [?]."""
        self._history.add(order, CANCEL_APPLIED, at, BUYER_CANCELS)
        self.move(order, CANCELLING, at)

    def change(self, order: StoredOrder, at: datetime, cause: Cause, *, is_amount_changed: bool) -> None:
        """Note a change by the shop; another amount of a confirmed order waits in 400 until it is settled anew.

        Then the order goes back to where it was. Source: rakuten-ichiba-orders 5.12, 8.2 [?].
        """
        before = order.progress
        if before == NEW or not is_amount_changed or not isinstance(before, int):
            self._history.add(order, CHANGE_COMPLETED, at, cause)
            return

        def settle_anew(order: StoredOrder, at: datetime) -> None:
            self._history.complete(order, CHANGE_APPLIED, at)
            self.move(order, before, at)

        self._history.add(order, CHANGE_APPLIED, at, cause)
        self.move(order, CHANGING, at)
        self._after(order, at + timedelta(seconds=self._assumptions.resettling_seconds), settle_anew)

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
        self._moved(order, before, at)
        self.plan(order, at)

    def run_night(self, orders: Iterable[StoredOrder], at: datetime) -> int:
        """Report the shipping of every ready order whose rows are complete and all dated before today; tell how many.

        Source: rakuten-ichiba-orders 8.2 [1], that it waits for the date to pass [?].
        """
        today = day_in_japan(at)
        ended = 0
        for order in orders:
            left = [package for package in order.packages() if package.get("packageDeleteFlag") != 1]
            if order.progress != READY or not left:
                continue
            if not all(members(package, "ShippingModelList") for package in left):
                continue
            rows = [row for package in left for row in members(package, "ShippingModelList")]
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

    def _wait_in_cancelling(self, order: StoredOrder, at: datetime, cause: Cause) -> None:
        self._history.add(order, CANCEL_APPLIED, at, cause)
        self.move(order, CANCELLING, at)
        self._after(order, at + timedelta(seconds=self._assumptions.cancelling_seconds), self.cancel)

    def _cancel_unconfirmed(self, order: StoredOrder, at: datetime) -> None:
        order.is_cancelled_by_rakuten = True
        self.cancel(order, at, SHOP_WITHOUT_REASON)

    def _finish_processing(self, order: StoredOrder, at: datetime) -> None:
        if order.is_paid or order.settlement_method not in self._assumptions.waits_for_payment:
            self._make_ready(order, at)

    def _make_ready(self, order: StoredOrder, at: datetime) -> None:
        order.tree["orderFixDatetime"] = order.tree["shippingInstDatetime"] = write_moment(at)
        self.move(order, READY, at)

    def _bill(self, order: StoredOrder, at: datetime) -> None:
        order.billed_at = at
        self.move(order, BILLING, at)

    def _settle(self, order: StoredOrder, at: datetime) -> None:
        order.settled_at = at
        self.move(order, SETTLED, at)
