"""Plays a marketplace inside a test, and gives what order-svc's doers need around it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

from order_sightings import NOON, line, seen
from order_writes import CARRIERS, PlayedWrites
from prometheus_client import CollectorRegistry

from hanro.access_reports import AccessLog
from hanro.clock import Clock
from hanro.credentials import Heard
from hanro.db import Database, migrate
from hanro.due import Lease
from hanro.errors import ContractBroken, Failure, InDoubt, LocalizedText, MenuPath, Rejected
from hanro.events.accounts import AccountActivated, AccountFact
from hanro.marketplace.port import Http, Plugin, Secrets, Session, Turn
from hanro.marketplace.types import (
    Answer,
    Batch,
    BatchUnit,
    Cancellation,
    Capability,
    Cursor,
    Decision,
    Detail,
    Fetched,
    Grant,
    HttpAnswer,
    HttpRequest,
    KeyField,
    LengthUnit,
    Level,
    Limits,
    LineKey,
    MarketplaceId,
    OrderEffect,
    OrderPage,
    OrderRef,
    OrderStatus,
    Outcome,
    OutcomeStatus,
    Plan,
    PlannedCall,
    ProbeKind,
    Receipt,
    Route,
    RouteKind,
    SeenOrder,
    Shipment,
    Sighting,
    Support,
    Supported,
    TextRule,
    UnreadableOrder,
    Window,
)
from hanro.metrics import new_registry
from hanro.sessions import OpenSession
from hanro.testing.callers import fixed_keyring
from hanro_local.databases import SchemaUrls
from order_svc import accounts
from order_svc.domain.accounts import follow
from order_svc.poller import Means, Pace, PollMetrics
from order_svc.store import accounts as accounts_store

MIGRATIONS = Path(__file__).parents[1] / "migrations"
OPEN = frozenset(
    {OrderStatus.NEW, OrderStatus.ACCEPTED, OrderStatus.READY, OrderStatus.ON_HOLD, OrderStatus.CANCELLING}
)
ROUTES = ("placed", "open")
GRANT = Grant(
    id="searchOrder",
    label=LocalizedText(ja="受注検索", en="find orders"),
    menu=MenuPath(steps=("設定", "機能")),
    probe=ProbeKind.READ,
    group="orders",
    remedies=(LocalizedText(ja="機能を有効にしてください。", en="Switch the function on."),),
)

PAYMENT_GRANT = replace(GRANT, id="getPayment", label=LocalizedText(ja="決済情報取得", en="read payments"))

KEY_FIELDS = tuple(
    KeyField(
        name=name,
        label=LocalizedText(ja=name, en=name),
        level=level,
        rule=TextRule(max_length=32, unit=LengthUnit.UTF8_BYTES, charset="utf-8"),
        is_case_folded=is_folded,
        is_unique=True,
        is_default=True,
    )
    for name, level, is_folded in (("manage_number", Level.LISTING, True), ("variant_id", Level.VARIANT, False))
)


def prepare(urls: SchemaUrls) -> None:
    """Migrate a template."""
    migrate(urls.owner, schema="orders", migrations=MIGRATIONS, runtime_role="orders_runtime")


@dataclass
class Playground(PlayedWrites):
    """Hold orders as a marketplace does; what a test sets here is what doers see.

    `hidden` are not shown by the route `placed`; where it `keeps_payments` they are told to who asks for them alone,
    of `garbled` ones in a form that nobody can read.
    `decided` are all decisions as they came. `failures` are raised by the next calls, first one first. `loses`: the
    next decision is done and its answer lost; `drops`: it is not done and nobody knows. `meanwhile` happens once, while
    the next page is under way. `queues`: parcels are taken once they are polled; `hides`: no look shows what stands;
    orders among `refused` take no parcels.
    """

    hidden: set[str] = field(default_factory=set)
    keeps_payments: bool = False
    garbled: set[str] = field(default_factory=set)
    decided: list[Decision] = field(default_factory=list)
    page_size: int = 100
    credential_version: int = 1
    meanwhile: Callable[[], Awaitable[None]] | None = None
    http: Http | None = None

    id = MarketplaceId("playground")
    limits = Limits(
        groups={},
        batches={
            "orders.fetch": Batch(size=2, unit=BatchUnit.ORDER, groups=()),
            "orders.decide": Batch(size=100, unit=BatchUnit.ORDER, groups=()),
            "orders.ship": Batch(size=100, unit=BatchUnit.ORDER, groups=()),
            "orders.cancel": Batch(size=1, unit=BatchUnit.ORDER, groups=()),
        },
        read_lag={"orders": timedelta()},
        call_deadline=timedelta(seconds=1),
        max_quantity=1,
        max_axes=1,
        max_variants=1,
        max_images=1,
    )
    capabilities = cast(
        "Mapping[Capability, Support]",
        dict.fromkeys(Capability, Supported(grant_ids=frozenset({GRANT.id})))
        | {Capability.READ_PAYMENTS: Supported(grant_ids=frozenset({GRANT.id, PAYMENT_GRANT.id}))},
    )
    grants = (GRANT, PAYMENT_GRANT)
    key_fields = KEY_FIELDS
    routes = tuple(
        Route(
            name=name,
            kind=kind,
            shows=shows,
            is_windowed=True,
            reach=timedelta(days=730),
            overlap=timedelta(minutes=10),
            every=timedelta(seconds=15),
            source="invented",
        )
        for name, kind, shows in (
            ("placed", RouteKind.NEW, frozenset(OrderStatus)),
            ("open", RouteKind.SWEEP, OPEN),
        )
    )

    def windows(self, route: str) -> list[Window]:
        """Give the windows that a route was asked for."""
        asked = [one for one in self.calls(f"pages {route}") if isinstance(one, tuple)]
        return [window for window, _ in asked if isinstance(window, Window)]

    def plugin(self) -> Plugin:
        """Give it as a plug-in; what is not used here is not there."""
        return cast(
            "Plugin",
            SimpleNamespace(
                id=self.id,
                limits=self.limits,
                capabilities=self.capabilities,
                routes=self.routes,
                grants=self.grants,
                order_layouts=(),
                key_fields=self.key_fields,
                orders=self.opened,
                plan=self.plan,
                carriers=CARRIERS,
                zone=ZoneInfo("Asia/Tokyo"),
            ),
        )

    def opened(self, session: Session) -> "Playground":
        """Open the door to orders; requests go by the session's transport."""
        self.http = session.http
        return self

    async def send(self, _request: HttpRequest, _turn: Turn) -> HttpAnswer:
        """Be the transport: everything is answered, with nothing."""
        return HttpAnswer(status=200, headers={}, body=b"", sent_at=NOON)

    def plan(self, asked: Sequence[OrderEffect]) -> Plan:
        """Say what an effect would send."""
        verb = {Decision: "accept", Shipment: "ship", Cancellation: "cancel"}[type(asked[0])]
        return Plan(
            calls=(
                PlannedCall(
                    method="POST",
                    url=f"https://playground.invalid/{verb}",
                    media_type="application/json",
                    body=" ".join(one.order.external_id for one in asked),
                    groups=("orders",),
                    purpose=f"{verb} the orders",
                ),
            ),
            problems=(),
        )

    async def pages(self, route: str, window: Window, after: Cursor | None = None) -> AsyncIterator[OrderPage]:
        """Show orders of the window."""
        self.journal.append((f"pages {route}", (window, after)))
        shown = [one for one in self.orders.values() if self._is_shown(one, route, window)]
        start = int(after or 0)
        for place in range(start, len(shown), self.page_size):
            await self._request()
            self._fail()
            if self.meanwhile is not None:
                happens, self.meanwhile = self.meanwhile, None
                await happens()
            page = shown[place : place + self.page_size]
            end = place + self.page_size
            told = tuple(self._told(one, frozenset()) for one in page)
            yield OrderPage(sightings=told, claims=(), cursor=Cursor(str(end)) if end < len(shown) else None)
        if start >= len(shown):
            self._fail()

    async def fetch(self, refs: Sequence[OrderRef], details: frozenset[Detail] = frozenset()) -> Fetched:
        """Read orders by number."""
        self.journal.append(("fetch", tuple(ref.external_id for ref in refs)))
        if details:
            self.journal.append(("details", (details, len(refs))))
        await self._request()
        self._fail()
        known = [self.orders[ref.external_id] for ref in refs if ref.external_id in self.orders]
        found = tuple(self._told(one, details) for one in known)
        missing = tuple(ref for ref in refs if ref.external_id not in self.orders)
        return Fetched(sightings=found, missing=missing)

    async def decide(self, decisions: Sequence[Decision]) -> Receipt[LineKey]:
        """Accept orders."""
        self.journal.append(("decide", tuple(decision.order.external_id for decision in decisions)))
        self._fail()
        outcomes = []
        for decision in decisions:
            status, failure, is_repeat = self._decide(decision)
            outcomes += [
                Outcome(
                    key=LineKey(id=decision.id, line_id=line_id), status=status, failure=failure, is_repeat=is_repeat
                )
                for line_id in decision.line_ids or ("",)
            ]
        self.loses = self.drops = False
        return Receipt(outcomes=tuple(outcomes))

    def _decide(self, decision: Decision) -> tuple[OutcomeStatus, Failure | None, bool]:
        self.decided.append(decision)
        if decision.claim_id is not None or decision.delay is not None:
            return OutcomeStatus.APPLIED, None, False
        sighting = self.orders[decision.order.external_id]
        if not isinstance(sighting, SeenOrder) or sighting.lines[0].status is OrderStatus.CANCELLED:
            return OutcomeStatus.REJECTED, Rejected("it is cancelled", code="order-cancelled"), False
        if self._is_accepted(decision):
            return OutcomeStatus.APPLIED, None, True
        lost = InDoubt("no answer came", code="answer-lost")
        if self.drops:
            return OutcomeStatus.IN_DOUBT, lost, False
        status = OrderStatus.ACCEPTED if decision.answer is Answer.ACCEPT else OrderStatus.CANCELLED
        self.buy(advanced(sighting, status, line_ids=decision.line_ids))
        return (OutcomeStatus.IN_DOUBT, lost, False) if self.loses else (OutcomeStatus.APPLIED, None, False)

    def _told(self, sighting: Sighting, details: frozenset[Detail]) -> Sighting:
        if details and isinstance(sighting, SeenOrder) and sighting.external_id in self.garbled:
            failure = ContractBroken("a payment is not as documented", code="unreadable", field="/paymentStatus")
            return UnreadableOrder(
                external_id=sighting.external_id, seen_at=sighting.seen_at, failure=failure, raw=sighting.raw
            )
        if not self.keeps_payments or not isinstance(sighting, SeenOrder) or Detail.PAYMENT in details:
            return sighting
        return replace(sighting, lacks=sighting.lacks | {Detail.PAYMENT}, payments=())

    def _is_shown(self, sighting: Sighting, route: str, window: Window) -> bool:
        if not isinstance(sighting, SeenOrder):
            return True
        if not window.start <= sighting.placed.at < window.end:
            return False
        if route == "placed":
            return sighting.external_id not in self.hidden
        return any(line.status in OPEN for line in sighting.lines)

    async def _request(self) -> None:
        if self.http is not None:
            request = HttpRequest(method="POST", path="/", headers={}, has_effect=False)
            await self.http.send(request, cast("Turn", None))


def advanced(sighting: SeenOrder, status: OrderStatus, *, line_ids: Sequence[str] | None = None) -> SeenOrder:
    """Give the same order, or lines of it, in another status, seen a second later."""
    return seen(
        sighting.external_id,
        placed=sighting.placed.at,
        at=sighting.seen_at + timedelta(seconds=1),
        lines=tuple(
            line(
                one.external_id,
                status=status if line_ids is None or one.external_id in line_ids else one.status,
                quantity=one.quantity,
            )
            for one in sighting.lines
        ),
    )


def means_for(
    db: Database,
    playground: Playground,
    clock: Clock,
    *,
    pace: Pace | None = None,
    registry: CollectorRegistry | None = None,
) -> Means:
    """Give what doers need; the session is the playground's own, and each page and look costs one request."""

    async def opened(account_id: str, *, heard: Heard | None, purpose: str, lease: Lease | None = None) -> OpenSession:
        del account_id, heard, purpose, lease
        secrets = Secrets(values={}, version=playground.credential_version, stored_at=datetime(2026, 1, 1, tzinfo=UTC))
        session = Session(secrets=secrets, http=playground, pacer=cast("Any", None), clock=clock)
        return OpenSession(plugin=playground.plugin(), session=session, account_epoch=1)

    return Means(
        db=db,
        keyring=fixed_keyring(),
        plugins={playground.id: playground.plugin()},
        open=opened,
        forget=_forget,
        access=AccessLog(db, clock, service="order-svc"),
        clock=clock,
        pace=pace or Pace(),
        metrics=PollMetrics(registry or new_registry()),
    )


def activated(version: int = 1, **changed: object) -> AccountFact:
    """Give the fact that an account works."""
    said: dict[str, Any] = {
        "id": "acc_1",
        "version": version,
        "at": NOON,
        "account_id": "acc_1",
        "account_epoch": 1,
        "marketplace_id": "playground",
        "display_name": "見本ストア",
        "state": "active",
        "is_enabled": True,
        "credential_version": 1,
        "shop_ids": ("shp_1",),
    }
    return AccountActivated(**(said | changed))


def _forget(account_id: str) -> None:
    """Have kept no secrets."""


async def tell(db: Database, *facts: AccountFact, forget: Callable[[str], None] = _forget) -> None:
    """Follow facts about accounts, one after the other."""
    for fact in facts:
        async with db.begin() as tx:
            known = await accounts_store.lock_accounts(tx, [fact.id])
            change = follow(known.get(fact.id), fact)
            await accounts.apply(tx, [change], routes={"playground": ROUTES}, forget=forget)


async def recorded(db: Database) -> list[tuple[str, str]]:
    """Give type and key of the facts recorded so far, oldest first, without reports of access."""
    async with db.begin() as tx:
        rows = await tx.fetch("select type, key from outbox where topic = 'hanro.orders' order by id")
    return [(row["type"], row["key"]) for row in rows]


async def count(db: Database, table: str) -> int:
    """Count the rows of a table."""
    async with db.begin() as tx:
        return int((await tx.fetch(f"select count(*) from {table}"))[0][0])  # noqa: S608  names of this test
