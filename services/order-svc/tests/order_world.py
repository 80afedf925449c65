"""Plays a shop at a marketplace inside a test: what is there, what order-svc's doers need, and what is under way.

The marketplace is the simulator of Rakuten Ichiba, in this process; its clock is everybody's.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from ichiba_session import FreePacer
from order_downloads import Download, Told, Wish
from order_playground import activated
from order_shelf import Shelf
from prometheus_client import CollectorRegistry

from hanro import failpoints
from hanro.access_reports import AccessLog
from hanro.credentials import Heard
from hanro.db import Database
from hanro.due import Lease
from hanro.marketplace.port import Secrets, Session, Turn
from hanro.marketplace.types import HttpAnswer, HttpRequest, OrderRef, Sighting, Window
from hanro.metrics import new_registry
from hanro.sessions import OpenSession
from hanro.testing.callers import fixed_keyring
from hanro_rakuten_ichiba.plugin import plugin
from hanro_rakuten_ichiba.simulator.app import build
from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from order_svc import accounts, orders
from order_svc.domain.accounts import follow
from order_svc.domain.permits import Ability
from order_svc.poller import Means, Pace, Poller, PollMetrics
from order_svc.sender import Sender
from order_svc.shipments import Desk
from simkit.clock import Clock as PlayedClock
from simkit.kit import Kit, make_kit
from simkit.limits import Limit

SHOP = "999001"
MARKET = "http://market.invalid"
LOOK_BACK = timedelta(days=62)
OPEN_ROUTES = ("placed", "open")
# Between two looks of who sends, so long that what was lost on the way is believed to be lost in time.
BETWEEN_LOOKS = (timedelta(seconds=6), timedelta(minutes=6))
LOOKS = 12


class Died(BaseException):
    """Be the end of a process at a point of its work: nothing catches it, and what was not committed is gone."""


class WorldClock:
    """Tell the marketplace's time; sleeping passes it."""

    def __init__(self, played: PlayedClock) -> None:
        self._played = played

    def now(self) -> datetime:
        """Give the time, aware, UTC."""
        return self._played.now()

    def monotonic(self) -> float:
        """Give seconds of which only differences mean something."""
        return self._played.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        self._played.advance(timedelta(seconds=seconds))


@dataclass
class World:
    """Hold the marketplace, what order-svc's doers need, and what has not arrived yet.

    `numbers` are the orders there; `late` are pages and `downloads` files that may arrive at any time, also again.
    `told` is what a file's reader must know of orders that files alone told of, `last_file` the one that came last with
    the versions of its orders behind it. `meanwhile` happens once, while the next answer of the marketplace is on its
    way. `found` is what was seen to be wrong along the way.
    """

    account_id: str
    kit: Kit
    outside: httpx.AsyncClient = field(repr=False)
    means: Means = field(repr=False)
    dice: random.Random = field(repr=False)
    registry: CollectorRegistry = field(repr=False)
    first_fact: int
    has_catalogue: bool
    has_old_files: bool
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    numbers: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    late: list[Sequence[Sighting]] = field(default_factory=list, repr=False)
    downloads: list[Download] = field(default_factory=list, repr=False)
    told: dict[str, Told] = field(default_factory=dict)
    last_file: tuple[Wish, Mapping[str, int]] | None = None
    shelf: Shelf = field(default_factory=Shelf, repr=False)
    meanwhile: Callable[[], Awaitable[None]] | None = None
    found: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    parcel_count: int = 0

    async def send(self, request: HttpRequest, _turn: Turn) -> HttpAnswer:
        """Be the transport to the marketplace."""
        sent_at = self.kit.clock.now()
        answer = await self.outside.request(
            request.method,
            f"{MARKET}{request.path}",
            params=dict(request.query),
            content=request.body,
            headers=dict(request.headers),
        )
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return HttpAnswer(status=answer.status_code, headers=dict(answer.headers), body=answer.content, sent_at=sent_at)

    async def control(self, method: str, path: str, body: object = None, *, may_fail: bool = False) -> Any:
        """Use a control of the shop; None where it is refused and `may_fail`."""
        answer = await self.outside.request(method, f"{MARKET}/_sim/shops/{SHOP}{path}", json=body)
        if may_fail and answer.status_code == httpx.codes.CONFLICT:
            return None
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    async def download(self, layout: str) -> bytes:
        """Give the shop's orders as its download does."""
        answer = await self.outside.get(f"{MARKET}/_sim/shops/{SHOP}/orders.csv", params={"layout": layout})
        assert answer.is_success, answer.text
        return answer.content

    async def truth(self) -> list[dict[str, Any]]:
        """Give every order as it stands at the marketplace."""
        found: list[dict[str, Any]] = (await self.control("GET", "/orders"))["orders"]
        return found

    def any_order(self) -> str | None:
        """Draw one order of the marketplace, the newest ones most often."""
        if not self.numbers:
            return None
        return self.dice.choice(self.numbers[-4:] if self.dice.random() < 0.6 else self.numbers)

    async def any_stored(self, *statuses: str) -> str | None:
        """Draw one order that is stored here, by our id, the newest ones most often, and mostly one that is so far."""
        wanted = list(statuses) if self.dice.random() < 0.8 else []
        async with self.means.db.statements() as db:
            rows = await db.fetch(
                """
                select id from orders where account_id = $1 and (status = any($2::text[]) or $2 = '{}')
                order by external_id
                """,
                self.account_id,
                wanted,
            )
        if not rows:
            return None
        return str(self.dice.choice(rows[-4:] if self.dice.random() < 0.6 else rows)["id"])

    def session(self) -> Session:
        """Give a session of the shop."""
        secrets = Secrets(values=self.secrets, version=1, stored_at=self.kit.clock.now())
        return Session(secrets=secrets, http=self, pacer=FreePacer(), clock=self.means.clock)

    async def read(self, route: str) -> None:
        """Read a route and take its pages in, each perhaps later, after newer ones, or twice."""
        now = self.kit.clock.now()
        window = Window(start=now - LOOK_BACK, end=now + timedelta(seconds=1))
        async for page in plugin.orders(self.session()).pages(route, window):
            fate = self.dice.random()
            if fate < 0.6:
                await self.take_in(page.sightings, route)
            if fate > 0.4:
                self.late.append(page.sightings)

    async def take_in(self, sightings: Sequence[Sighting], route: str) -> None:
        """Store what was sighted."""
        account = await accounts.find(self.means.db, self.account_id)
        assert account is not None
        await orders.ingest_fetched(
            self.means.db,
            self.means.keyring,
            sightings,
            account=account,
            at=self.kit.clock.now(),
            route=route,
            plugin=plugin,
        )

    async def fetch(self, numbers: Sequence[str]) -> None:
        """Read orders again by number."""
        refs = [OrderRef(external_id=number) for number in numbers]
        for start in range(0, len(refs), 100):
            fetched = await plugin.orders(self.session()).fetch(refs[start : start + 100])
            await self.take_in(fetched.sightings, "fetch")

    async def make_due(self) -> None:
        """Let every job be due that reads orders, and every lease be over: notices first, then a route after the other.

        Leases are by the server's clock, and so is what is due.
        """
        async with self.means.db.statements() as db:
            await db.execute(
                """
                update due set lease_until = null, next_at = '2000-01-01'::timestamptz + length(job) * interval '1 hour'
                where account_id = $1
                """,
                self.account_id,
            )

    async def poll(self, count: int) -> None:
        """Let a poller of its own do so many jobs, one after the other."""
        await self.make_due()
        poller = Poller(self.means)
        for _ in range(count):
            await poller.poll_due(asyncio.Event())

    def failed_polls(self) -> list[str]:
        """Give what went wrong with a poll; that one whose lease another one took is nothing wrong."""
        return [
            f"{sample.labels['job']} ended as {sample.labels['outcome']}"
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == "hanro_order_polls_total" and sample.labels["outcome"] not in {"done", "lease-lost"}
        ]

    async def send_all(self) -> None:
        """Send what was asked for until nothing is under way."""
        sender = Sender(self.means)
        for look in range(LOOKS):
            await sender.send_due()
            await sender.look_again()
            left = await self.hasten()
            if not left:
                return
            self.kit.clock.advance(BETWEEN_LOOKS[look > 0])
        self.found.append(f"under way for good: {left}")

    async def hasten(self) -> list[tuple[object, ...]]:
        """Let everything be due that is under way, and every lease be over; give what that is."""
        async with self.means.db.statements() as db:
            left = await db.fetch(
                """
                update operations set lease_until = null, next_at = '2000-01-01'
                where account_id = $1 and next_at is not null returning kind, status, failure
                """,
                self.account_id,
            )
        return [tuple(row) for row in left]

    async def facts(self, after: int) -> list[tuple[str, str, str]]:
        """Give type, order and text of the facts about orders behind so many, oldest first."""
        async with self.means.db.statements() as db:
            rows = await db.fetch(
                "select type, key, value from outbox where topic = 'hanro.orders' and id > $1 order by id offset $2",
                self.first_fact,
                after,
            )
        return [(row["type"], row["key"], row["value"]) for row in rows]

    def desk(self) -> Desk:
        """Give what asking takes."""
        return Desk(abilities=self.abilities(), plugins={plugin.id: plugin}, clock=self.means.clock)

    def abilities(self) -> Mapping[str, Ability]:
        """Give what can be done there."""
        return {str(plugin.id): Ability(supports=plugin.capabilities, grants=plugin.grants)}

    def next_number(self) -> str:
        """Give a tracking number that no parcel has yet."""
        self.parcel_count += 1
        return f"{400_000_000_000 + self.parcel_count}"


async def dies(point: str, turn: int, work: Awaitable[object]) -> bool:
    """Do work in a process that dies when it reaches a point for that time; False: it never did."""
    left, has_died, before = turn, False, failpoints.reach

    def reach(name: str) -> None:
        nonlocal left
        left -= name == point
        if name == point and left == 0:
            raise Died

    failpoints.reach = reach
    try:
        await work
    except* Died:
        has_died = True
    finally:
        failpoints.reach = before
    return has_died


async def create_world(db: Database, seed: int) -> World:
    """Open a shop, link it, and let nothing have happened yet."""
    kit = make_kit(Limit(requests_per_second=1e6, burst=1_000_000), seed=seed)
    clock, registry = WorldClock(kit.clock), new_registry()
    app = build(kit, Assumptions(requests_per_second=1e6, burst=1_000_000), seed)
    outside = httpx.AsyncClient(transport=httpx.ASGITransport(app), trust_env=False)

    async def opened(account_id: str, *, heard: Heard | None, purpose: str, lease: Lease | None = None) -> OpenSession:
        del account_id, heard, purpose, lease
        return OpenSession(plugin=plugin, session=world.session(), account_epoch=1)

    means = Means(
        db=db,
        keyring=fixed_keyring(),
        plugins={plugin.id: plugin},
        open=opened,
        forget=lambda _account_id: None,
        access=AccessLog(db, clock, service="order-svc"),
        clock=clock,
        # One job at a time: a seed that is played again is the same life.
        pace=replace(Pace(), lease=timedelta(minutes=30), slots=1),
        metrics=PollMetrics(registry),
    )
    async with db.begin() as tx:
        (last,) = await tx.fetch("select coalesce(max(id), 0) as id from outbox")
    world = World(
        account_id=f"acc_{seed}",
        kit=kit,
        outside=outside,
        means=means,
        dice=random.Random(seed),  # noqa: S311  repeatable on purpose
        registry=registry,
        first_fact=last["id"],
        has_catalogue=seed % 5 > 0,
        has_old_files=seed % 3 == 0,
    )
    shop = (await outside.post(f"{MARKET}/_sim/shops", json={"number": SHOP})).json()
    world.secrets = {"service_secret": shop["service_secret"], "license_key": shop["license_key"]}
    async with db.begin() as tx:
        linked = activated(id=world.account_id, account_id=world.account_id, marketplace_id=str(plugin.id))
        change = follow(None, linked)
        routes = {str(plugin.id): OPEN_ROUTES}
        await accounts.apply(tx, [change], routes=routes, forget=lambda _account_id: None)
    return world


async def leave(world: World) -> None:
    """Close what is open, and let nobody work for the shop any more."""
    await world.outside.aclose()
    async with world.means.db.begin() as tx:
        for statement in ("delete from due", "delete from imports", "update operations set next_at = null"):
            await tx.execute(f"{statement} where account_id = $1", world.account_id)
