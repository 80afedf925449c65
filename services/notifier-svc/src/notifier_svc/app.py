"""Joins notifier-svc's rooms into a process."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from hanro.access_reports import AccessLog
from hanro.http import ServiceHttp
from hanro.releasing import Releaser
from hanro.service import Built, Parts, Service
from hanro.tokens import source
from hanro.web import ServiceInfo
from notifier_svc import accounts
from notifier_svc.api import bindings, messages, senders, templates
from notifier_svc.consumers import on_accounts, on_orders
from notifier_svc.mailer.relays import Relays, trust
from notifier_svc.sender.contacts import OrderService
from notifier_svc.sender.lane import Desk
from notifier_svc.sender.ledger import Ledger
from notifier_svc.sender.loop import Sender
from notifier_svc.sender.metrics import SenderMetrics
from notifier_svc.sender.writing import Writer
from notifier_svc.settings import NotifierSettings
from notifier_svc.store.accounts import list_marketplaces
from notifier_svc.templates.rendering import Renderer

NAME: Final = "notifier-svc"


def build(parts: Parts, settings: NotifierSettings) -> Built:
    """Build what notifier-svc adds to what every service has."""
    db, clock, plugins, renderer = parts.db, parts.clock, parts.outside.plugins, Renderer()
    order_http = ServiceHttp(settings.order_url, clock, tls=parts.tls)
    tokens = source(settings.order_token_file, parts.tokens, clock)
    deadline = timedelta(seconds=settings.mail_deadline_seconds)
    desk = Desk(
        db=db,
        clock=clock,
        ledger=Ledger(db, clock, SenderMetrics(parts.registry), lease=3 * deadline),
        vending=parts.vending,
        relays=Relays(
            tls=trust(settings.mail_relay_ca_file),
            clock=clock,
            instead=settings.mail_relays,
            step_seconds=settings.mail_step_seconds,
            up=parts.servers,
        ),
        writer=Writer(OrderService(order_http, tokens), renderer, clock),
        access=AccessLog(db, clock, service=NAME, count=accounts.count),
        plugins=plugins,
        deadline=deadline,
    )
    sender = Sender(desk, lanes=settings.mail_lanes)
    return Built(
        routers=(
            templates.make_routes(db, parts.cursors, clock, renderer),
            bindings.make_routes(db, clock, plugins, desk.access),
            messages.make_routes(db, parts.idempotency, parts.cursors, sender.wake),
            senders.make_routes(
                senders.Desk(
                    db=db, idempotency=parts.idempotency, plugins=plugins, vending=parts.vending, wake=sender.wake
                )
            ),
        ),
        marketplaces_of=list_marketplaces,
        subscriptions=(on_accounts(desk.access, parts.vending.forget), on_orders(sender.wake)),
        doers={"sender": sender.run, "releaser": Releaser(db, clock, desk.access, accounts.erase).run},
        # A mail that has begun is waited for: the answer to DATA, and the one to the mail.
        drains={"sender": deadline + timedelta(seconds=2 * settings.mail_step_seconds)},
        closers=(order_http.close,),
    )


SERVICE = Service(
    info=ServiceInfo(
        noun="notifier",
        name=NAME,
        title="hanro messages",
        scope="messages:read",
        publishes=("hanro.messages", "hanro.access"),
        description="Templates, what sends them, and what became of each message to a buyer.",
    ),
    schema="notifier",
    migrations=Path(__file__).parents[2] / "migrations",
    revision="0003",
    settings=NotifierSettings,
    build=build,
)
