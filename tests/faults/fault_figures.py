"""Reads what processes count of themselves, and what the marketplace counts of its callers."""

import asyncio
from collections import Counter

from fault_shop import Shop

from hanro_local.child import Child
from hanro_local.demo.api import Api, until

POLLS = "hanro_order_polls_total"
FACTS = "hanro_consumer_facts_total"


def inside(child: Child, shop: Shop) -> Api:
    """Give a process's own port, where no gateway stands before it."""
    port = (child.command.environment or {})["HANRO_INTERNAL_PORT"]
    return Api(shop.hanro.client, f"http://127.0.0.1:{port}")


async def polls(child: Child, shop: Shop) -> Counter[str]:
    """Count the pieces of work on routes that a process of order-svc ended, by outcome."""
    return await _by_outcome(child, shop, POLLS)


async def facts_handled(child: Child, shop: Shop) -> Counter[str]:
    """Count the facts that a process's consumers handled, by outcome; `stale` were known already."""
    return await _by_outcome(child, shop, FACTS)


async def _by_outcome(child: Child, shop: Shop, metric: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in (await inside(child, shop).call("GET", "/metrics")).text.splitlines():
        if line.startswith(metric + "{"):
            found[line.split('outcome="')[1].split('"')[0]] += int(float(line.rsplit(" ", 1)[1]))
    return found


async def await_polls(child: Child, shop: Shop, seconds: float = 120.0) -> None:
    """Wait until a process of order-svc has ended a piece of work that it began by itself.

    Which of several processes takes a piece is chance, and at the marketplace's pace there is one in some seconds: one
    of two may well get none of half a dozen.

    Raises:
        TimeoutError: it has not.
    """
    before = (await polls(child, shop)).total()

    async def is_more() -> bool:
        return (await polls(child, shop)).total() > before

    await until(seconds, is_more)


async def over_the_limit(*shops: Shop) -> int:
    """Count the calls about orders that came too early, by the marketplace's clock (I6).

    Others are account-svc's probes, which these stacks hurry while a shop is linked.
    """
    answers = await asyncio.gather(*(shop.simulator.call("GET", "/_sim/limits") for shop in shops))
    return sum(
        group["refused"]
        for shop, answer in zip(shops, answers, strict=True)
        for group in answer.json()["groups"]
        if group["shop"] == shop.number and group["group"] == "order"
    )
