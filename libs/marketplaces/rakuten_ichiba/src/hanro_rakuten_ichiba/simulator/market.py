"""Holds the simulator's whole state: shops, their orders, what time does to them."""

import itertools
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.buyers import invent_order
from hanro_rakuten_ichiba.simulator.events.delivery import EventService
from hanro_rakuten_ichiba.simulator.japan_time import read_moment
from hanro_rakuten_ichiba.simulator.life_cycle import LifeCycle
from hanro_rakuten_ichiba.simulator.orders import NEW, StoredOrder
from hanro_rakuten_ichiba.simulator.shipping.queue import ShippingQueue
from hanro_rakuten_ichiba.simulator.shop_notices import Notice, send
from hanro_rakuten_ichiba.simulator.shops import Shop, Shops
from simkit.clock import EARLIEST_YEAR, LATEST_YEAR, Timer
from simkit.kit import Kit
from simkit.relay.logins import Login

_FIRST_SHIPPING_ID = 700_000_001


class Market:
    """Hold shops and orders; the same seed and the same calls give the same market."""

    def __init__(self, kit: Kit, assumptions: Assumptions, seed: int) -> None:
        self.kit = kit
        self.seed = seed
        self.assumptions = assumptions
        self.shops = Shops(seed, assumptions)
        self._sequence = 0
        self._begin()
        kit.clock.listen(self._keep_night)

    def now(self) -> datetime:
        """Tell virtual time, whole seconds: Rakuten's times have no smaller part."""
        return self.kit.clock.now().replace(microsecond=0)

    def open_shop(self, *, number: str | None, url: str | None, name: str | None) -> Shop:
        """Open a shop and give it its login at the mail relay, when one runs.

        Raises:
            ValueError: the number is taken.
        """
        shop = self.shops.open(self.now(), number=number, url=url, name=name)
        self._put_login(shop)
        return shop

    def change_mail_login(self, shop: Shop, action: Literal["issue", "change", "revoke"]) -> None:
        """Give a shop another login at the relay, another password, or none; the one before ends at once."""
        if self.kit.relay is not None:
            self.kit.relay.logins.remove(shop.mail.username)
        if action == "revoke":
            shop.is_mail_revoked = True
            return
        self.shops.change_mail(shop, is_new_id=action == "issue")
        self._put_login(shop)

    def write_to(self, shop: Shop, notice: Notice) -> None:
        """Let the marketplace write to a shop's staff, or to whom they invited."""
        relay = self.kit.relay
        send(shop.notices, notice, None if relay is None else relay.mailbox, shop.number)

    def _put_login(self, shop: Shop) -> None:
        if self.kit.relay is not None:
            senders = frozenset({shop.mail.sender})
            self.kit.relay.logins.put(Login(shop.number, shop.mail.username, shop.mail.password, senders))

    def skip_to(self, first_sequence: int) -> None:
        """Let the next order have this number in the sequence, or the one it would have had where that is higher.

        Whoever remembers the orders of a simulator that has ended must not see their numbers again.
        """
        self._sequence = max(self._sequence, first_sequence - 1)

    def place_order(
        self,
        shop: Shop,
        *,
        placed_at: datetime | None,
        wishes: Mapping[str, object],
        raw: Mapping[str, object],
        removed: Sequence[str],
        hidden_from: frozenset[str],
    ) -> StoredOrder:
        """Let a buyer order; number and time of a `raw` override count, where they can be read.

        Raises:
            ValueError: a wish that no order can fulfil, an override that leads nowhere, a number that is taken, or a
                time outside the years that the clock plays.
        """
        moment = (read_moment(raw.get("orderDatetime")) if placed_at is None else placed_at) or self.now()
        if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
            raise ValueError(f"an order is placed in the years {EARLIEST_YEAR} to {LATEST_YEAR}")
        sequence = self._sequence + 1
        tree = invent_order(
            self._buyers,
            shop_number=shop.number,
            placed_at=moment.replace(microsecond=0),
            sequence=sequence,
            wishes=wishes,
        )
        order = StoredOrder("", moment.replace(microsecond=0), tree, hidden_from)
        number = str(tree["orderNumber"])
        order.override(raw, removed)
        wished = tree.get("orderNumber")
        order.number = wished if isinstance(wished, str) else number
        shop.orders.add(order)
        self._sequence = sequence
        self.kit.journal.add("state", {"order": order.number, "shop": shop.number, "from": None, "to": order.progress})
        self.events.tell_order(shop, order, self.now())
        if shop.confirms_automatically and order.progress == NEW and not order.is_undecided:
            self.life_cycle.confirm(order, order.placed_at)
        else:
            self.life_cycle.plan(order, self.now())
        return order

    def run_night(self, at: datetime) -> int:
        """Run the nightly batch for all shops and tell how many orders it moved."""
        return self.life_cycle.run_night((order for shop in self.shops for order in shop.orders), at)

    def state(self) -> object:
        """Give the whole state as JSON values."""
        return {
            "shipping_requests": self.shipping_queue.to_json(),
            "shops": [
                {
                    **shop.to_json(),
                    "sub_statuses": shop.sub_statuses,
                    "resources": shop.resources,
                    "category_sets": [one.to_json() for one in shop.category_sets.values()],
                    "staff": [user.to_json() for user in shop.staff],
                    "application": shop.application and shop.application.to_json(shop.application.applied_at),
                    "subscription": shop.subscription and shop.subscription.to_json(),
                    "events": len(self.events.sent(shop)),
                    "notices": [notice.to_json() for notice in shop.notices],
                    "orders": [order.to_json() for order in shop.orders],
                }
                for shop in self.shops
            ],
        }

    def reset(self) -> None:
        """Forget shops and orders, and begin again from the seed."""
        self.shops.clear()
        self._begin()

    def new_shipping_id(self) -> int:
        """Give the next id of a shipping row; ids only grow. Source: rakuten-ichiba-orders 14.9."""
        return next(self._shipping_ids)

    def _begin(self) -> None:
        kit = self.kit
        self.events = EventService(kit.clock, kit.journal, kit.courier, self.assumptions)
        self.life_cycle = LifeCycle(kit.clock, kit.journal, self.assumptions, self._tell_move)
        self._shipping_ids = itertools.count(_FIRST_SHIPPING_ID)
        self.shipping_queue = ShippingQueue(kit.clock, kit.journal, self.assumptions, self.new_shipping_id, self.seed)
        self._sequence = 0
        self._buyers = random.Random(f"buyers {self.seed}")  # noqa: S311  repeatable on purpose
        self._night = self._plan_night(kit.clock.now())

    def _tell_move(self, order: StoredOrder, before: object, at: datetime) -> None:
        self.events.tell_move(self.shops, order, before, at)

    def _plan_night(self, after: datetime) -> Timer:
        return self.kit.clock.at(self.life_cycle.next_night(after), self._run_planned_night)

    def _run_planned_night(self, at: datetime) -> None:
        self.run_night(at)
        # From the night that was due, not from now: a jump over a week runs seven nights.
        self._night = self._plan_night(at + timedelta(seconds=1))

    def _keep_night(self, jump: timedelta) -> None:
        """Bring the next night near again after a jump back."""
        if jump < timedelta():
            self._night.cancel()
            self._night = self._plan_night(self.kit.clock.now())
