"""Plays notifier-svc's neighbours inside a test: order-svc, account-svc and the mail relay."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hanro import effects
from hanro.access_reports import AccessLog
from hanro.clock import Clock, SystemClock
from hanro.credentials import Vending
from hanro.db import Database, Transaction, migrate
from hanro.events.accounts import AccountActivated, AccountFact
from hanro.events.envelope import Received
from hanro.events.fact import Fact
from hanro.events.orders import OrderFact, OrderPlaced
from hanro.http import ServiceHttp
from hanro.ids import new_id
from hanro.marketplace import installed
from hanro.marketplace.types import Trigger
from hanro.metrics import new_registry
from hanro.servers import ServersUp
from hanro.subscriptions import Subscription
from hanro.testing.http_server import Arrived, http_server
from hanro_local.databases import SchemaUrls
from notifier_svc import accounts, bindings
from notifier_svc.consumers import on_accounts, on_orders
from notifier_svc.domain.messages import Message
from notifier_svc.mailer.relays import Relays
from notifier_svc.sender.contacts import OrderService
from notifier_svc.sender.lane import Desk
from notifier_svc.sender.ledger import Ledger
from notifier_svc.sender.loop import Sender
from notifier_svc.sender.metrics import SenderMetrics
from notifier_svc.sender.writing import Writer
from notifier_svc.store.messages import list_messages
from notifier_svc.templates import saving
from notifier_svc.templates.rendering import Renderer
from simkit.clock import Clock as SimulatorClock
from simkit.faults import Fault
from simkit.journal import Journal
from simkit.relay.logins import Login
from simkit.relay.mailbox import Content, read_content
from simkit.relay.server import Relay, RelaySettings, make_desk

MIGRATIONS = Path(__file__).parents[1] / "migrations"
LOGIN = Login("999001", "123456", "canary-password", frozenset({"shop@example.invalid"}))
RELAY_NAME = "sub.fw.rakuten.ne.jp:587"
BUYER = "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp"
ACCOUNT = "acc_1"
# Long enough for a machine that has much else to do.
PATIENCE = timedelta(seconds=5)


def prepare(urls: SchemaUrls) -> None:
    """Migrate a template."""
    migrate(urls.owner, schema="notifier", migrations=MIGRATIONS, runtime_role="notifier_runtime")


def account(version: int = 1, **changes: Any) -> AccountFact:
    """Make a fact of the account."""
    stated = {
        "id": ACCOUNT,
        "version": version,
        "at": datetime.now(UTC),
        "account_id": ACCOUNT,
        "account_epoch": 0,
        "marketplace_id": "rakuten_ichiba",
        "display_name": "見本商店",
        "state": "active",
        "is_enabled": True,
        "credential_version": 1,
        "shop_ids": ("shp_1",),
    }
    return AccountActivated.model_validate({**stated, **changes})


def order(number: int = 1, version: int = 1, **changes: Any) -> OrderFact:
    """Make a fact of an order that was placed just now."""
    now = datetime.now(UTC)
    stated = {
        "id": f"ord_{number}",
        "version": version,
        "at": now,
        "account_id": ACCOUNT,
        "account_epoch": 0,
        "marketplace_id": "rakuten_ichiba",
        "external_id": f"999001-20260511-{number:010}",
        "status": "new",
        "work_state": "new",
        "placed_at": now,
        "first_seen_by": "placed",
        "lines": (),
        "milestones": {"placed": now},
        "href": f"/v1/orders/ord_{number}",
    }
    return OrderPlaced.model_validate({**stated, **changes})


def received(fact: Fact) -> Received:
    """Wrap a fact as it arrives."""
    return Received(fact, headers=(("ce_id", new_id("evt").encode()),))


def _forget(account_id: str) -> None:
    """Have kept no secrets."""


async def take(db: Database, *facts: Fact, forget: Callable[[str], None] = _forget) -> None:
    """Hear facts, accounts before orders, each batch in one transaction."""
    await _put(db, on_accounts(log_of(db), forget), facts)
    await _put(db, on_orders(lambda: None), facts)


async def _put(db: Database, subscription: Subscription[Any, Any], facts: Sequence[Fact]) -> None:
    mine = [received(fact) for fact in facts if type(fact) in subscription.facts]
    effect = await db.run(lambda tx: effects.put(tx, subscription, mine))
    assert effect.failures == {}


async def bind(db: Database, trigger: Trigger = Trigger.NEW_ORDER, *, body: str = "{{ buyer.name }} 様\n") -> None:
    """Save a template and bind it to a trigger of the account."""

    async def work(tx: Transaction) -> None:
        at = datetime.now(UTC) - timedelta(hours=100)
        subject = "ご注文 {{ order.external_id }}"
        await saving.save(tx, name="thanks", subject=subject, body=body, by="tester", at=at, agree=lambda _: None)
        known = await bindings.get_account(tx, ACCOUNT, None)
        await bindings.bind(tx, installed(), known, trigger, template="thanks", by="tester", at=at, access=log_of(db))

    await db.run(work)


def log_of(db: Database) -> AccessLog:
    """Give what reports to account-svc."""
    return AccessLog(db, SystemClock(), service="notifier-svc", count=accounts.count)


async def messages(db: Database) -> list[Message]:
    """Give the ledger, oldest first."""
    async with db.begin() as tx:
        found = await list_messages(
            tx, shop_ids=None, order_id=None, account_id=None, state=None, before=None, limit=1000
        )
    return found[::-1]


async def recorded(db: Database) -> list[tuple[str, str]]:
    """Give type and key of every fact in the outbox but those of access, in order."""
    async with db.begin() as tx:
        rows = await tx.fetch("select type, key from outbox where topic <> 'hanro.access' order by id")
    return [(row["type"], row["key"]) for row in rows]


@dataclass
class Neighbours:
    """Play the internal routes of order-svc and account-svc; a status other than 200 refuses."""

    contact_status: int = 200
    contact_code: str = "unavailable"
    vend_status: int = 200
    password: str = LOGIN.password
    sender: str = "shop@example.invalid"
    own: str = ""
    email: str | None = BUYER
    names: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def behave(self, arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        self.asked.append(arrived.path)
        if arrived.path.endswith("/contact"):
            status, body = self.contact_status, self._contact(arrived.path.split("/")[-2])
        else:
            status, body = self.vend_status, self._vended()
        content = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)

    def _contact(self, order_id: str) -> dict[str, object]:
        if self.contact_status != 200:
            return {"code": self.contact_code, "detail": "refused"}
        return {
            "name": self.names.get(order_id, "見本 花子"),
            "email": self.email,
            "is_email_masked": True,
            "external_id": f"999001-20260511-{order_id.removeprefix('ord_'):0>10}",
            "placed_at": "2026-05-11T03:00:00Z",
            "placed_local": "2026-05-11T12:00:00+09:00",
            "lines": [{"id": "lin_1", "title": "見本タオル", "quantity": 2, "status": "new", "unit_price": None}],
            "totals": {"total": {"text": "1980", "amount": "1980", "currency": "JPY"}},
        }

    def _vended(self) -> dict[str, object]:
        if self.vend_status != 200:
            return {"code": "credential-refused", "detail": "suspended"}
        values = {
            "smtp_id": LOGIN.username,
            "smtp_password": self.password,
            "sender_address": self.sender,
            "masked_address": self.own,
        }
        return {
            "values": values,
            "version": 1,
            "stored_at": "2026-05-01T00:00:00Z",
            "account_epoch": 0,
            "marketplace_id": "rakuten_ichiba",
        }


class FixedToken:
    """Be a token source whose token never ends."""

    async def token(self) -> str:
        """Give the token."""
        return "test"


@dataclass
class MailRoom:
    """Be the relay: `relay` as it runs, and what a client needs to trust it."""

    relay: Relay
    tls: ssl.SSLContext
    address: str
    certificate_file: Path

    def fault(self, **fault: Any) -> int:
        """Turn a dial on."""
        return self.relay.desk.faults.add(Fault.model_validate(fault)).id

    def letters(self) -> list[Content]:
        """Give what was taken, decoded, oldest first."""
        return [read_content(mail) for mail in self.relay.desk.mailbox.list(limit=10_000)]

    def stages(self) -> list[object]:
        """Give the stages that the relay's journal holds, in order."""
        return [entry.to_json()["stage"] for entry in self.relay.desk.journal.read(kind="smtp").entries]


@asynccontextmanager
async def mail_room(folder: Path) -> AsyncIterator[MailRoom]:
    """Run a relay for the length of a block."""
    clock = SimulatorClock()
    certificate_file = folder / "authority.pem"
    relay = Relay(
        make_desk(RelaySettings(certificate_file=certificate_file, logins=(LOGIN,)), clock, Journal(clock)),
        "127.0.0.1",
        0,
    )
    await relay.start()
    minding = asyncio.create_task(relay.run())
    try:
        trusted = ssl.create_default_context(cafile=str(certificate_file))
        address = f"127.0.0.1:{relay.port}"
        yield MailRoom(relay=relay, tls=trusted, address=address, certificate_file=certificate_file)
    finally:
        minding.cancel()
        await asyncio.gather(minding, return_exceptions=True)
        await relay.stop()
        # Connections that a test cut end in callbacks of the loop.
        await asyncio.sleep(0.01)


@dataclass
class Bed:
    """Be a notifier with its neighbours."""

    db: Database
    room: MailRoom
    neighbours: Neighbours
    services_url: str
    desk: Desk
    sender: Sender

    async def plan(self, *facts: Fact) -> None:
        """Hear facts."""
        await take(self.db, *facts)

    async def send(self, *, until: Sequence[str] = ("planned", "sending"), seconds: float = 10.0) -> list[Message]:
        """Run the sender until no message is in one of these states, or the time is over; give the ledger."""
        stop = asyncio.Event()
        running = asyncio.create_task(self.sender.run(stop))
        try:
            async with asyncio.timeout(seconds):
                while not running.done() and any(message.state in until for message in await messages(self.db)):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pass
        stop.set()
        await running
        return await messages(self.db)

    def desk_elsewhere(self) -> Desk:
        """Give the desk of one more process, whose connections to relays are its own."""
        return replace(self.desk, relays=_made_relays(self.room.tls, self.room.address, self.desk.clock))

    async def hurry(self) -> None:
        """Let what waits for a later attempt, and a paused account, be due now."""
        async with self.db.begin() as tx:
            await tx.execute("update messages set next_at = notifier.now() where state = 'planned'")
            await tx.execute("update accounts set paused_until = notifier.now() where paused_until is not null")


@asynccontextmanager
async def bed(
    db: Database,
    folder: Path,
    *,
    deadline: timedelta = PATIENCE,
    lease: timedelta = 3 * PATIENCE,
    ledger: type[Ledger] = Ledger,
) -> AsyncIterator[Bed]:
    """Join a notifier with its neighbours for the length of a block; the account is known, nothing is bound."""
    neighbours, clock = Neighbours(), SystemClock()
    async with mail_room(folder) as room, http_server(neighbours.behave) as server:
        http = ServiceHttp(server.url, clock)
        desk = made_desk(
            db,
            http,
            tls=room.tls,
            relay_address=room.address,
            deadline=deadline,
            lease=lease,
            clock=clock,
            ledger=ledger,
        )
        await take(db, account())
        try:
            yield Bed(
                db=db,
                room=room,
                neighbours=neighbours,
                services_url=server.url,
                desk=desk,
                sender=Sender(desk, lanes=4),
            )
        finally:
            await http.close()


def made_desk(
    db: Database,
    http: ServiceHttp,
    *,
    tls: ssl.SSLContext,
    relay_address: str,
    deadline: timedelta,
    lease: timedelta,
    clock: Clock,
    ledger: type[Ledger] = Ledger,
) -> Desk:
    """Make a desk; `http` reaches both neighbours, `ledger` may be one that is broken on purpose."""
    return Desk(
        db=db,
        clock=clock,
        ledger=ledger(db, clock, SenderMetrics(new_registry()), lease=lease),
        vending=Vending(http, FixedToken(), clock, service="notifier-svc"),
        relays=_made_relays(tls, relay_address, clock),
        writer=Writer(OrderService(http, FixedToken()), Renderer(), clock),
        access=AccessLog(db, clock, service="notifier-svc"),
        plugins=installed(),
        deadline=deadline,
    )


def _made_relays(tls: ssl.SSLContext, relay_address: str, clock: Clock) -> Relays:
    return Relays(
        tls=tls, clock=clock, instead={RELAY_NAME: relay_address}, step_seconds=2.0, up=ServersUp(new_registry())
    )
