"""Lets shops do one day's work after the other, and counts what of it left hanro and what is listed as observed."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fault_journal import function_of, is_read, subjects, writes
from fault_shop import TRIGGER, Shop, once
from fault_stack import FaultStack

from hanro_local.demo.api import Refused

SECONDS = 60.0
ACCEPTANCE = "confirmOrder"
# The first word of a subject tells the letters apart, its last names the order.
ORDERED, CANCELLED = "注文", "取消"
TAKEN_BACK = "cancelled"
REGRET = "fault-cancelled"


@dataclass(frozen=True)
class Work:
    """Be the work of one shop: the orders that were placed, and those that their buyers took back."""

    stack: FaultStack
    shop: Shop
    placed: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    async def begin(self) -> None:
        """Bind a letter to a cancelled order too, beside the one that every shop's new orders have."""
        hanro = self.shop.hanro
        known = await hanro.call("GET", f"/v1/templates/{REGRET}", expected=(200, 404))
        if known.status_code == 404:
            letter = {"subject": f"{CANCELLED} {{{{ order.external_id }}}}", "body": "{{ order.external_id }}\n"}
            await hanro.call("PUT", f"/v1/templates/{REGRET}", letter)
        await hanro.call("PUT", f"/v1/bindings/{self.shop.account_id}/{TAKEN_BACK}", {"template": REGRET})

    async def day(self, *, orders: int, cancellations: int = 0) -> None:
        """Let buyers order and take orders of the day before back; accept what is new, and wait until all has its end.

        Raises:
            Late: something had none within a minute.
        """
        taken_back = self.placed[-orders:][:cancellations]
        for number in taken_back:
            await self.shop.cancel(number)
        fresh = await self.shop.place(orders, is_plain=True)
        self.placed.extend(fresh)
        self.cancelled.extend(taken_back)
        ids: dict[str, str] = {}

        async def are_stored() -> None:
            path = f"/v1/orders?account_id={self.shop.account_id}&limit=200"
            listed = (await self.shop.hanro.call("GET", path)).json()["items"]
            ids.update({one["external_id"]: one["id"] for one in listed})
            if missing := set(fresh) - set(ids):
                raise Refused(f"{len(missing)} orders are not listed")

        await once(are_stored, SECONDS)
        for number in fresh:
            await self.shop.hanro.call("POST", f"/v1/orders/{ids[number]}:accept")
        await once(self._is_over, SECONDS)

    async def _is_over(self) -> None:
        wanted = (len(self.cancelled), len(self.placed), len(self.placed) + len(self.cancelled))
        async with self.stack.database() as connection:
            found = tuple(await connection.fetchrow(_OVER, self.shop.account_id))
        if found != wanted:
            raise Refused(f"cancelled, decided and told are {found}, not {wanted}")

    async def sent(self, after: int) -> Counter[str]:
        """Count what left: orders accepted at the marketplace behind a place in its journal, and all mails."""
        found: Counter[str] = Counter()
        for write in await writes(self.shop, after=after):
            # A write that came to nothing left all the same.
            found[write.function] += max(1, len(write.orders))
        return found + Counter(subject.split()[0] for subject in await subjects(self.shop))

    async def observed(self) -> Counter[str]:
        """Count what REST lists as observed, in the same words: what each plan says."""
        found: Counter[str] = Counter()
        for operation in await self._listed("/v1/order/operations", kind="accept", status="observed"):
            # Before it writes it looks.
            asked = [call for call in operation["plan"] if not is_read(call["method"], call["url"])]
            found.update(function_of(call["url"]) for call in asked)
        for message in await self._listed("/v1/messages", state="suppressed", reason_code="observed"):
            found[message["plan"]["subject"].split()[0]] += 1
        return found

    async def named(self) -> dict[str, Counter[str]]:
        """Count the orders that what REST lists as observed is about, by kind."""
        operations = await self._listed("/v1/order/operations", kind="accept", status="observed")
        messages = await self._listed("/v1/messages", state="suppressed", reason_code="observed")
        return {
            ACCEPTANCE: Counter(one["asked"]["external_id"] for one in operations),
            ORDERED: Counter(one["order_external_id"] for one in messages if one["trigger"] == TRIGGER),
            CANCELLED: Counter(one["order_external_id"] for one in messages if one["trigger"] == TAKEN_BACK),
        }

    async def _listed(self, path: str, **wanted: str) -> list[dict[str, Any]]:
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        whole = f"{path}?account_id={self.shop.account_id}&limit=200&{query}"
        return [entry async for entry in self.shop.hanro.pages(whole)]


async def observe(stack: FaultStack, shop: Shop, *, is_observing: bool) -> None:
    """Set a shop to observe only, or to work again, and wait until those who write know it."""
    path = f"/v1/accounts/{shop.account_id}/switches"
    await shop.hanro.call("PATCH", path, {"is_observing": is_observing})

    async def is_known() -> None:
        async with stack.database() as connection:
            known = await connection.fetchval(_KNOWN, shop.account_id, is_observing)
        if known != 2:
            raise Refused(f"{known} of 2 services know the switch")

    await once(is_known, SECONDS)


_OVER = """
    select (select count(*) from orders.orders where account_id = $1 and status = 'cancelled'),
        (select count(*) from orders.operations
            where account_id = $1 and kind = 'accept' and status in ('applied', 'observed')),
        (select count(*) from notifier.messages where account_id = $1 and state in ('handed_over', 'suppressed'))
"""
_KNOWN = """
    select (select count(*) from orders.accounts where id = $1 and (switches ->> 'is_observing')::boolean = $2)
        + (select count(*) from notifier.accounts where id = $1 and (switches ->> 'is_observing')::boolean = $2)
"""
