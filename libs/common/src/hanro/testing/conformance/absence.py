"""Checks rule 3: what a plug-in cannot do says so before any request, what it can names the grants that it needs."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest

from hanro.errors import Unsupported
from hanro.marketplace.port import Plugin, Session
from hanro.marketplace.types import (
    Absent,
    Answer,
    Capability,
    DelayReason,
    Detail,
    OrderRef,
    Supported,
    Ticket,
    Trigger,
    Window,
)
from hanro.money import Money
from hanro.testing.conformance.asked import cancellation, decision, message, shipment
from hanro.testing.conformance.market import Market, open_alone
from hanro.testing.conformance.rig import open_rig

# Files are data, looked at without a call. Single lines are told apart once the order is read: rules 13 and 14.
WITHOUT_CALL = frozenset(
    {Capability.IMPORT_ORDERS, Capability.EXPORT_LISTINGS, Capability.ACCEPT_LINE, Capability.SHIP_LINE}
)


@dataclass(frozen=True)
class Way:
    """Be a call that needs a capability; where its `whole` is absent, that reason may be given."""

    capability: Capability
    call: Callable[[], object]
    whole: Capability | None = None


def ways(plugin: Plugin, session: Session) -> list[Way]:
    """Give the calls that need a capability, every method of the port among them."""
    return [*_reading(plugin, session), *_deciding(plugin, session), *_selling(plugin, session)]


def _reading(plugin: Plugin, session: Session) -> list[Way]:
    access, orders, messages = plugin.access(session), plugin.orders(session), plugin.messages(session)
    now = session.clock.now()
    window = Window(start=now, end=now)
    return [
        Way(Capability.KEY_EXPIRY, access.key_expiries),
        Way(Capability.RENEW_KEY, access.renew),
        Way(Capability.MARKET_INFORMATION, access.market_information),
        Way(Capability.FIND_ORDERS, lambda: _first(lambda: orders.pages(plugin.routes[0].name, window))),
        Way(Capability.FETCH_ORDER, lambda: orders.fetch([OrderRef(external_id="1")])),
        Way(
            Capability.READ_PAYMENTS,
            lambda: orders.fetch([OrderRef(external_id="1")], frozenset({Detail.PAYMENT})),
            Capability.FETCH_ORDER,
        ),
        Way(Capability.NOTICES, lambda: plugin.read_notice(b"", {}, session.secrets)),
        Way(Capability.MESSAGE_BUYER, lambda: messages.send(message())),
        Way(Capability.MESSAGE_BUYER, lambda: messages.verify(message())),
        Way(Capability.ANSWER_INQUIRY, lambda: messages.send(message(reply_to="1"))),
        Way(Capability.READ_INQUIRIES, lambda: _first(lambda: messages.inquiries(window))),
    ]


def _deciding(plugin: Plugin, session: Session) -> list[Way]:
    orders = plugin.orders(session)
    ticket = _ticket(session)
    refund = Money(amount=Decimal(1), currency=plugin.currency)
    claim = decision("1", "1", claim_id="1")
    ship, cancel = Capability.SHIP, Capability.CANCEL_ORDER
    return [
        Way(Capability.ACCEPT, lambda: orders.decide([decision("1", "1")])),
        Way(Capability.REFUSE_LINE, lambda: orders.decide([decision("1", "1", answer=Answer.REFUSE)])),
        Way(Capability.REFUSE_LINE, lambda: orders.verify([decision("1", "1", answer=Answer.REFUSE)])),
        Way(Capability.ANNOUNCE_DELAY, lambda: orders.decide([decision("1", "1", delay=DelayReason.OTHER)])),
        Way(Capability.ANSWER_CANCELLATION, lambda: orders.decide([claim])),
        Way(Capability.ANSWER_RETURN, lambda: orders.decide([claim])),
        Way(Capability.ANSWER_EXCHANGE, lambda: orders.decide([claim])),
        Way(ship, lambda: orders.ship([shipment()])),
        Way(ship, lambda: orders.ship([])),
        Way(ship, lambda: orders.verify([shipment()])),
        Way(ship, lambda: orders.poll(ticket, [shipment()])),
        Way(Capability.CORRECT_SHIPMENT, lambda: orders.ship([shipment(replaces="1")]), ship),
        Way(cancel, lambda: orders.cancel([cancellation()])),
        Way(cancel, lambda: orders.cancel([])),
        Way(cancel, lambda: orders.verify([cancellation()])),
        Way(Capability.CANCEL_LINE, lambda: orders.cancel([cancellation(is_whole=False)]), cancel),
        Way(Capability.CANCEL_QUANTITY, lambda: orders.cancel([cancellation(is_whole=False)]), cancel),
        Way(Capability.CANCEL_SHIPPED, lambda: orders.cancel([cancellation(is_shipped=True)]), cancel),
        Way(Capability.REFUND_AMOUNT, lambda: orders.cancel([cancellation(is_whole=False, refund=refund)]), cancel),
    ]


def _selling(plugin: Plugin, session: Session) -> list[Way]:
    listings, stock = plugin.listings(session), plugin.stock(session)
    ticket = _ticket(session)
    publish = Capability.PUBLISH
    return [
        Way(publish, lambda: listings.put(())),
        Way(publish, lambda: listings.poll(ticket, ())),
        Way(publish, lambda: listings.verify(())),
        Way(Capability.PAUSE, lambda: listings.put(()), publish),
        Way(Capability.DELETE, lambda: listings.put(()), publish),
        Way(Capability.UPLOAD_IMAGES, lambda: listings.upload(())),
        Way(Capability.READ_LISTINGS, lambda: _first(listings.pages)),
        Way(Capability.READ_LISTINGS, lambda: listings.fetch(())),
        Way(Capability.READ_ATTRIBUTES, lambda: listings.categories(None)),
        Way(Capability.READ_ATTRIBUTES, lambda: listings.schema("1")),
        Way(Capability.READ_ATTRIBUTES, lambda: listings.values("1", "1", "a")),
        Way(Capability.SET_STOCK, lambda: stock.put(())),
        Way(Capability.SET_STOCK, lambda: stock.poll(ticket, ())),
        Way(Capability.READ_STOCK, lambda: _first(lambda: stock.read(()))),
    ]


def _ticket(session: Session) -> Ticket:
    now = session.clock.now()
    return Ticket(method="any", external_id="1", sent_at=now, poll_at=now, gives_up_at=now + timedelta(minutes=30))


def _first(pages: Callable[[], object]) -> object:
    """Ask an iterator for its first page, where calling it does not refuse already."""
    return anext(pages())  # type: ignore[call-overload]


async def _carry_out(call: Callable[[], object]) -> None:
    found = call()
    if isinstance(found, Awaitable):
        await found


class Capabilities:
    """Rule 3."""

    def test_every_capability_is_declared_and_supported_ones_name_known_grants(self, market: Market) -> None:
        known = {grant.id for grant in market.plugin.grants}
        assert set(market.plugin.capabilities) == set(Capability)
        for capability, support in market.plugin.capabilities.items():
            assert support.grant_ids <= known, capability
            if isinstance(support, Absent):
                assert support.reason.ja, capability
                assert support.instead is None or support.instead in Capability
        assert set(market.plugin.channels) == set(Trigger)

    async def test_what_is_absent_is_refused_with_its_reason_and_path_before_any_request(
        self, market: Market, database_url: str
    ) -> None:
        shop = open_alone(market)
        before, digest = shop.controls.sequence(), shop.controls.digest()
        absent = {one: found for one, found in market.plugin.capabilities.items() if isinstance(found, Absent)}
        called: set[Capability] = set()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            for way in ways(market.plugin, rig.session(shop.secrets())):
                if way.capability not in absent:
                    continue
                with pytest.raises(Unsupported) as refused:
                    await _carry_out(way.call)
                reasons = [absent[one] for one in (way.capability, way.whole) if one in absent]
                assert refused.value.code == "absent"
                assert (refused.value.remedy, refused.value.menu) in [(one.reason, one.menu) for one in reasons], way
                called.add(way.capability)
        assert called == set(absent) - WITHOUT_CALL
        assert shop.controls.requests(before) == []
        assert shop.controls.digest() == digest

    def test_files_exist_only_where_they_are_declared(self, market: Market) -> None:
        pairs = (
            (Capability.IMPORT_ORDERS, market.plugin.order_layouts),
            (Capability.EXPORT_LISTINGS, market.plugin.listing_layouts),
        )
        for capability, layouts in pairs:
            assert bool(layouts) == isinstance(market.plugin.capabilities[capability], Supported), capability
