"""Holds the faults that a mixed run draws from; each lasts for seconds, and none minds what others do meanwhile."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Awaitable, Callable

import asyncpg
from aiokafka.errors import KafkaError
from fault_conflicts import lock_in_the_opposite_order
from fault_log import Copy, read_copies, send, shuffled
from fault_proxy import Cut, is_commit, is_produce
from fault_shop import Shop
from fault_stack import FaultStack

Deed = Callable[[FaultStack, Shop, random.Random], Awaitable[None]]

# What a deed meets when another has taken the server away.
ABSENCES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError)
TERMINATE = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'hanro %'"


def _crash(module: str, point: str) -> Deed:
    async def deed(stack: FaultStack, _shop: Shop, _draw: random.Random) -> None:
        stack.switches.arm(module, point)

    return deed


async def _kill_postgres(stack: FaultStack, _shop: Shop, _draw: random.Random) -> None:
    stack.kill("postgres")


async def _terminate_backends(stack: FaultStack, _shop: Shop, draw: random.Random) -> None:
    for _ in range(draw.randint(2, 6)):
        with contextlib.suppress(*ABSENCES):
            async with stack.database() as connection:
                await connection.execute(TERMINATE)
        await asyncio.sleep(draw.uniform(0.2, 1.0))


async def _collide_with_a_reserver(stack: FaultStack, shop: Shop, _draw: random.Random) -> None:
    with contextlib.suppress(*ABSENCES):
        await lock_in_the_opposite_order(stack, shop)


async def _lose_commits(stack: FaultStack, _shop: Shop, draw: random.Random) -> None:
    stack.proxies.postgres.cut = Cut(is_commit, is_answer=True, count=draw.randint(3, 20))


async def _silence_postgres(stack: FaultStack, _shop: Shop, draw: random.Random) -> None:
    stack.proxies.postgres.is_silent = True
    await asyncio.sleep(draw.uniform(1, 8))
    stack.proxies.postgres.is_silent = False


async def _take_kafka(stack: FaultStack, _shop: Shop, draw: random.Random) -> None:
    async with stack.down("kafka"):
        await asyncio.sleep(draw.uniform(1, 8))


def _cut_produces(*, is_answer: bool) -> Deed:
    async def deed(stack: FaultStack, _shop: Shop, draw: random.Random) -> None:
        stack.proxies.kafka.cut = Cut(is_produce, is_answer=is_answer, count=draw.randint(1, 8))

    return deed


async def _stop_a_service(stack: FaultStack, _shop: Shop, draw: random.Random) -> None:
    pid = stack.pid(draw.choice(["account-svc", "catalog-svc", "order-svc", "notifier-svc"]))
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(draw.uniform(2, 12))
        os.kill(pid, signal.SIGCONT)


async def _send_poison(stack: FaultStack, shop: Shop, draw: random.Random) -> None:
    with contextlib.suppress(*ABSENCES):
        copies = [
            Copy(f"ord_poison_{shop.prefix}_{draw.random()}".encode(), value, ())
            for value in (b"\xff\x00 no JSON", b"{}", b'{"id": "ord_broken"}')
        ]
        await send(stack, copies)


async def _bring_facts_again(stack: FaultStack, _shop: Shop, draw: random.Random) -> None:
    with contextlib.suppress(*ABSENCES):
        copies = await read_copies(stack, bool)
        await send(stack, shuffled(copies, 3, seed=draw.randint(1, 1000)))


async def _take_the_relay(stack: FaultStack, _shop: Shop, draw: random.Random) -> None:
    stack.proxies.smtp.is_refusing = True
    stack.reset(stack.proxies.smtp)
    await asyncio.sleep(draw.uniform(1, 6))
    stack.proxies.smtp.is_refusing = False


async def _cut_mails(stack: FaultStack, _shop: Shop, draw: random.Random) -> None:
    steps = draw.randint(3, 9)
    seen = 0

    def is_nth(_frame: bytes) -> bool:
        nonlocal seen
        seen += 1
        return seen % steps == 0

    stack.proxies.smtp.cut = Cut(is_nth, is_answer=draw.random() < 0.5, count=draw.randint(1, 4))


DEEDS: dict[str, Deed] = {
    "order-svc dies before a page commits": _crash("order_svc", "orders.before_commit"),
    "order-svc dies after a page's commit": _crash("order_svc", "orders.after_commit"),
    "order-svc dies between the ack and the delete": _crash("order_svc", "relay.after_ack"),
    "catalog-svc dies before its offsets": _crash("catalog_svc", "consume.after_commit"),
    "notifier-svc dies before its offsets": _crash("notifier_svc", "consume.after_commit"),
    "notifier-svc dies with a mail marked": _crash("notifier_svc", "sender.sending"),
    "notifier-svc dies with a mail handed over": _crash("notifier_svc", "sender.handed_over"),
    "Postgres is killed": _kill_postgres,
    "backends are terminated": _terminate_backends,
    "a reservation meets a deadlock": _collide_with_a_reserver,
    "answers to COMMIT are lost": _lose_commits,
    "Postgres is silent": _silence_postgres,
    "Kafka is down": _take_kafka,
    "produce requests are lost": _cut_produces(is_answer=False),
    "answers to produce requests are lost": _cut_produces(is_answer=True),
    "a service is stopped for a while": _stop_a_service,
    "poison comes": _send_poison,
    "old facts come again": _bring_facts_again,
    "the mail relay is away": _take_the_relay,
    "conversations with the relay are cut": _cut_mails,
}
