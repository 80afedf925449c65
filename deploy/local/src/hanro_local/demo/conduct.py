"""Conducts a demo: buyers order, services die while they hold work, old facts come again, and a checker judges."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

import httpx

from hanro_local.demo import late_facts, marketplace, quiet, tokens
from hanro_local.demo.api import Api
from hanro_local.demo.checker.findings import Findings, compare
from hanro_local.demo.checker.report import last_line, report, rows
from hanro_local.demo.checker.seen import Places, look
from hanro_local.demo.holdings import Outside, outside
from hanro_local.demo.kills import Kill, kill_at_work, wait_ready
from hanro_local.demo.letter import SHOP_NAME
from hanro_local.demo.shop import LinkedShop, keep_renaming, link
from hanro_local.progress import Step, Steps
from hanro_local.settings import DemoWish
from hanro_local.stack import DATABASE, Stack

# order-svc comes last: its work waits for a lease to run out, and the others must have work until they are killed.
VICTIMS = ("catalog-svc", "notifier-svc", "account-svc", "order-svc")
BURSTS = 50
BURST_SECONDS = 0.8
SCARCE_BURSTS = 10
SCARCE_SECONDS = 4.0
"""So far apart the last bursts come: all in one page of one poll, they could all be read between two looks."""
READY_SECONDS = 30.0
QUIET_SECONDS = 150.0
CANCEL_EVERY = 25

Say = Callable[[str], None]


class Buyers:
    """Place orders in bursts, as many as were wished for and no more."""

    def __init__(self, simulator: Api, count: int) -> None:
        self._simulator = simulator
        self._left = count
        self._burst = max(1, count // BURSTS)

    async def come(self, most: int | None = None) -> None:
        """Place `most` orders at once, a burst where nothing is said."""
        count = min(self._left, self._burst if most is None else most)
        if count:
            self._left -= count
            await marketplace.place(self._simulator, count)

    async def keep_coming(self) -> None:
        """Place a burst every little while until cancelled, the last ones further apart."""
        while True:
            await self.come()
            await asyncio.sleep(SCARCE_SECONDS if self._left <= SCARCE_BURSTS * self._burst else BURST_SECONDS)

    async def all_come(self) -> None:
        """Place the rest, in bursts of a quarter."""
        quarter = max(1, -(-self._left // 4))
        while self._left:
            await self.come(quarter)
            await asyncio.sleep(BURST_SECONDS)


def step_count(wish: DemoWish) -> int:
    """How many numbered steps `conduct` reports: the link, each kill, the rest of the orders, late facts, the check."""
    return 4 + wish.kills


async def conduct(stack: Stack, wish: DemoWish, steps: Steps, say: Say) -> bool:
    """Conduct a demo on a stack that runs and holds nothing yet; True when all is as it must be.

    Raises:
        Refused, NothingInHand, TimeoutError, httpx.HTTPError: it could not be conducted; the text says why.
    """
    token = tokens.mint(stack.state)
    tokens.write_page_token(stack.state)
    async with httpx.AsyncClient(trust_env=False) as client:
        simulator, hanro = Api(client, stack.simulator), Api(client, stack.gateway, token)
        async with steps.step("Demo shop") as step:
            linked = await link(hanro, await marketplace.open_shop(simulator))
            step.result = str(linked)
        async with outside(stack.postgres.url(DATABASE), stack.kafka, simulator) as seen:
            buyers = Buyers(simulator, wish.orders)
            kills: list[Kill] = []
            for place in range(wish.kills):
                service = VICTIMS[place % len(VICTIMS)]
                works = [buyers.keep_coming(), *([keep_renaming(hanro)] if service == "account-svc" else [])]
                kills.append(await _kill(stack, seen, service, works, steps))
            async with steps.step("Rest of the orders") as step:
                await buyers.all_come()
                await quiet.wait(seen, QUIET_SECONDS, step)
            async with steps.step("Old facts after newer ones") as step:
                await _late_news(seen, stack.kafka, wish, step)
    async with steps.step("Check from outside") as step:
        findings = await _judge(stack, linked, token)
        step.result = "all as it must be" if findings.is_well else "something differs"
    _tell(findings, kills, wish, say)
    say(last_line(findings, order_count=wish.orders, kill_count=len(kills)))
    return findings.is_well and (findings.order_count, len(kills)) == (wish.orders, wish.kills)


async def _kill(
    stack: Stack, seen: Outside, service: str, works: Sequence[Coroutine[None, None, None]], steps: Steps
) -> Kill:
    """Kill a service while it holds work, with `works` going on meanwhile, and wait until it is back."""
    async with steps.step(f"Kill of {service}") as step:
        step.detail = lambda: "it is looked at while orders come"
        async with _meanwhile(*works):
            kill = await kill_at_work(stack.supervisor, service, seen.watches()[service])
        step.result = f"{kill.in_hand.count} {kill.in_hand.what} in hand"
        await wait_ready(stack.supervisor, kill, READY_SECONDS)
    return kill


@contextlib.asynccontextmanager
async def _meanwhile(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do works that never end by themselves while the block lasts; the first failure of one is raised at its end."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure


async def _late_news(seen: Outside, kafka: str, wish: DemoWish, step: Step) -> None:
    """Let some buyers cancel, then bring every fact of orders again, the older after the newer."""
    chosen: list[str] = []
    if wish.orders >= CANCEL_EVERY:
        truth = (await seen.simulator.call("GET", f"/_sim/shops/{marketplace.SHOP_NUMBER}/orders")).json()["orders"]
        chosen = [str(order["external_id"]) for order in truth[::CANCEL_EVERY]]
        for number in chosen:
            await marketplace.cancel(seen.simulator, number)
        await quiet.wait(seen, QUIET_SECONDS, step)
    count = await late_facts.bring_again(kafka, "hanro.orders")
    await quiet.wait(seen, QUIET_SECONDS, step)
    step.result = f"{len(chosen)} orders cancelled, then {count} facts once more; {step.result}"


async def _judge(stack: Stack, linked: LinkedShop, token: str) -> Findings:
    places = Places(
        gateway=stack.gateway,
        token=token,
        simulator=stack.simulator,
        kafka=stack.kafka,
        shop_number=marketplace.SHOP_NUMBER,
        account_id=linked.account_id,
    )
    return compare(await look(places), account_id=linked.account_id, shop_name=SHOP_NAME)


def _tell(findings: Findings, kills: list[Kill], wish: DemoWish, say: Say) -> None:
    say("")
    if kills:
        body = [(kill.service, "SIGKILL", str(kill.in_hand.count), kill.in_hand.what) for kill in kills]
        for line in rows(("service", "killed by", "in hand", "of"), body):
            say(line)
        say("")
    for line in report(findings):
        say(line)
    if wish.broken:
        say(f"  {wish.broken} is broken on purpose: what differs here is what it prevents")
    say("")
