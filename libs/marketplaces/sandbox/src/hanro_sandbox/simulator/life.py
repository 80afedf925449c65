"""Moves orders through their life: what time, buyers and the seller's calls do to them."""

import itertools
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hanro_sandbox.simulator.buying import ACCEPTED, PAID, make_order, vary
from hanro_sandbox.simulator.money import restate
from hanro_sandbox.simulator.shops import Shop, Shops
from hanro_sandbox.simulator.wire import Tree, write_moment
from hanro_sandbox.simulator.wishes import OrderWish
from simkit.kit import Kit

LIVE = frozenset({"pending", "new", "ready", "on_hold", "shipped", "delivered", "cancelling"})
OPEN = frozenset({"pending", "new", "ready", "on_hold", "cancelling"})
Listener = Callable[[Shop, str, Tree], None]


class Market:
    """Hold shops and their orders; `listener` is told of each change: shop, kind, order."""

    def __init__(self, kit: Kit, seed: int) -> None:
        self.kit = kit
        self.shops = Shops(seed)
        self.listener: Listener = lambda _shop, _kind, _order: None
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.shops.reset()
        self.random = random.Random(self._seed)  # noqa: S311  repeatable on purpose
        self._order_numbers = itertools.count(1)
        self._numbers = itertools.count(1)

    def now(self) -> datetime:
        """Tell the simulator's time."""
        return self.kit.clock.now()

    def number(self, prefix: str) -> str:
        """Give the next id of a kind."""
        return f"{prefix}-{next(self._numbers)}"

    def state(self) -> object:
        """Give everything as JSON values, as it is now."""
        return json.loads(json.dumps({shop.id: shop.state() for shop in self.shops.by_id.values()}))

    def place(self, shop: Shop, wish: OrderWish) -> list[str]:
        """Let buyers order; an order that is new waits for the seller until its lines' deadline."""
        start = wish.placed_at or self.now()
        placed = []
        for number in range(wish.count):
            order_id = wish.id or f"SBX-{next(self._order_numbers):06}"
            chosen = vary(wish, self.random) if wish.is_varied else wish
            at = (start + timedelta(seconds=number * wish.every_seconds)).astimezone(UTC)
            order = make_order(order_id, chosen, at)
            shop.orders[order_id] = order
            shop.hidden[order_id] = list(wish.hidden_from)
            self._await_answer(shop, order)
            self.listener(shop, "order_placed", order)
            placed.append(order_id)
        return placed

    def changed(self, shop: Shop, order: Tree, kind: str = "order_changed") -> None:
        """Note that an order changed: its sums, its time of change, and whoever listens."""
        restate(order)
        order["changed_at"] = write_moment(self.now())
        self.listener(shop, kind, order)

    def set_state(self, shop: Shop, order: Tree, state: str) -> None:
        """Bring a whole order to a state, as if everything on the way had happened."""
        now = write_moment(self.now())
        for line in order["lines"]:
            line["state"] = state
            line["answer"] = "accept" if state in ACCEPTED else None
            line["shipped"] = line["quantity"] if state in ("shipped", "delivered") else 0
        reached = {"paid_at": PAID, "accepted_at": ACCEPTED, "shipped_at": {"shipped", "delivered"}}
        for name, states in reached.items():
            order[name] = (order[name] or now) if state in states else None
        order["delivered_at"] = now if state == "delivered" else None
        self.changed(shop, order)

    def pay(self, shop: Shop, order: Tree) -> None:
        """Let a buyer pay: what was pending is new."""
        order["paid_at"] = write_moment(self.now())
        for line in order["lines"]:
            if line["state"] == "pending":
                line["state"] = "new"
        self.changed(shop, order)

    def drop(self, order: Tree, line: Tree, quantity: int, *, reference: str | None, by: str, reason: str) -> Tree:
        """Take units out of a line; the last of them ends it. Gives the cancellation, a claim that is done."""
        line["cancelled"] += quantity
        if quantity >= line["quantity"]:
            line["state"] = "cancelled"
        else:
            line["quantity"] -= quantity
            line["shipped"] = min(line["shipped"], line["quantity"])
        now = write_moment(self.now())
        claim: Tree = {
            "id": self.number("claim"),
            "kind": "cancel",
            "stage": "done",
            "line": line["id"],
            "quantity": quantity,
            "by": by,
            "reason": reason,
            "reference": reference,
            "amount": None,
            "requested_at": now,
            "completed_at": now,
        }
        order["claims"].append(claim)
        if line["state"] == "cancelled" and any(one["state"] in LIVE for one in order["lines"]):
            # A line that left an order which goes on counts no longer.
            line["quantity"] = 0
        return claim

    def cancel(self, shop: Shop, order: Tree, line_id: str | None, *, by: str, reason: str) -> None:
        """Cancel what is left of an order or of a line without anybody asking the seller."""
        for line in order["lines"]:
            if line["state"] in LIVE and line_id in (None, line["id"]):
                self.drop(order, line, line["quantity"], reference=None, by=by, reason=reason)
        self.changed(shop, order, "order_cancelled")

    def _await_answer(self, shop: Shop, order: Tree) -> None:
        due_at = datetime.fromisoformat(order["lines"][0]["decide_by"]).astimezone(UTC)
        if due_at <= self.now() or order["lines"][0]["state"] != "new":
            return

        def expire(_due_at: datetime) -> None:
            waiting = [line for line in order["lines"] if line["state"] == "new"]
            for line in waiting:
                line["state"] = "expired"
            if waiting and shop.orders.get(order["id"]) is order:
                self.changed(shop, order, "order_cancelled")

        self.kit.clock.at(due_at, expire)
