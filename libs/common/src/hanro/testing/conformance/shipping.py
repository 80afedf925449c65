"""Checks parcels: rules 14 and 16, and rules 17 and 18 for the writes that register them."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from hanro.errors import InDoubt, Retryable
from hanro.marketplace import status_of
from hanro.marketplace.port import Orders
from hanro.marketplace.types import OrderRef, OrderStatus, OutcomeStatus, SeenOrder
from hanro.testing.conformance.asked import code_of, keys_of, parcels, readable, shipping, statuses, tracking
from hanro.testing.conformance.controls import Request
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.rig import open_rig

APPLIED, SENT = OutcomeStatus.APPLIED, OutcomeStatus.SENT
READY = OrderStatus.READY


async def read(orders: Orders, number: str) -> SeenOrder:
    """Read one order that is there."""
    (order,) = readable((await orders.fetch([OrderRef(external_id=number)])).sightings)
    return order


def numbers_of(order: SeenOrder) -> list[str | None]:
    """Give the numbers of an order's parcels."""
    return [parcel.number for package in order.packages for parcel in package.parcels]


def writes(market: Market, requests: list[Request]) -> list[Request]:
    """Give the requests that register parcels."""
    return [one for one in requests if one.function in market.ship_functions]


class Shipping:
    """Rule 14."""

    async def test_a_bad_carrier_or_number_sends_nothing_and_fails_no_other(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            good, first, second = await shipping(market, orders, shop.place(3, status=READY))
            nobody = replace(first, tracking=replace(first.tracking, carrier_code="no such carrier"))
            nothing = replace(second, tracking=replace(second.tracking, number="ABC"))
            before = shop.controls.sequence()
            receipt = await orders.ship([nobody, nothing])
            assert shop.controls.requests(before) == []
            beside = await orders.ship([nobody, good])
        assert [code_of(one) for one in receipt.outcomes] == ["carrier-unsupported", "number-malformed"]
        assert set(statuses(receipt)) == {OutcomeStatus.REJECTED}
        assert statuses(beside) == [OutcomeStatus.REJECTED, APPLIED]

    async def test_several_parcels_are_registered_and_only_the_last_lets_the_order_go(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            (staying, leaving) = shop.place(2, status=READY)
            first = parcels(market, await read(orders, staying), is_last=False)
            both = [
                *parcels(market, await read(orders, leaving), is_last=False),
                *parcels(market, await read(orders, leaving), place=1),
            ]
            for asked in (first, both):
                receipt = await orders.ship(asked)
                assert [one.key for one in receipt.outcomes] == keys_of(asked)
                assert set(statuses(receipt)) == {APPLIED}
                assert set(statuses(await orders.verify(asked))) == {APPLIED}
            assert numbers_of(await read(orders, leaving)) == [one.tracking.number for one in both]
            shop.pass_night()
            stands, gone = await read(orders, staying), await read(orders, leaving)
        assert (status_of(stands.lines), status_of(gone.lines)) == (READY, OrderStatus.SHIPPED)
        assert numbers_of(stands) == [one.tracking.number for one in first]

    async def test_a_cancelled_order_gets_no_parcel(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            asked = await shipping(market, orders, shop.place(status=READY))
            shop.move(asked[0].order.external_id, OrderStatus.CANCELLED)
            receipts = [await orders.ship(asked), await orders.verify(asked)]
        for receipt in receipts:
            assert {code_of(one) for one in receipt.outcomes} == {"order-cancelled"}
            assert set(statuses(receipt)) == {OutcomeStatus.REJECTED}

    async def test_a_correction_replaces_its_parcel(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            (wrong,) = await shipping(market, orders, shop.place(status=READY))
            given = {one.external_id for one in (await orders.ship([wrong])).outcomes}
            ((package,),) = [(await read(orders, wrong.order.external_id)).packages]
            assert given == {package.parcels[0].external_id}
            right = replace(wrong, id="op_right", tracking=tracking(market, 1), replaces=package.parcels[0].external_id)
            assert set(statuses(await orders.verify([right]))) == {OutcomeStatus.NOT_SENT}
            assert set(statuses(await orders.ship([right]))) == {APPLIED}
            assert set(statuses(await orders.verify([right]))) == {APPLIED}
            assert numbers_of(await read(orders, wrong.order.external_id)) == [right.tracking.number]

    async def test_every_carrier_is_taken_by_its_value(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        found = market.tracking_numbers
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            order = await read(orders, shop.place(status=READY)[0])
            (some,) = parcels(market, order, is_last=False)
            asked = []
            for carrier in market.plugin.carriers.carriers:
                number = found[carrier.code].good[0] if carrier.code in found else "A1"
                value = carrier.marketplace_value or market.plugin.carriers.other_value or ""
                told = replace(some.tracking, carrier_code=carrier.code, marketplace_value=value, number=number)
                asked.append(replace(some, id=f"op_{carrier.code}", tracking=told))
            receipt = await orders.ship(asked)
            assert set(statuses(receipt)) == {APPLIED}
            shown = {
                (one.carrier_code, one.number) for one in (await read(orders, order.external_id)).packages[0].parcels
            }
        assert len(shown) >= len({one.tracking.marketplace_value for one in asked})
        assert None not in {code for code, _ in shown}


class Tickets:
    """Rule 16, where parcels are queued."""

    async def test_a_ticket_is_sent_until_it_is_final_and_then_stays_so(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            asked = await shipping(market, orders, shop.place(3, status=READY))
            receipt = await orders.ship(asked)
            ticket = receipt.ticket
            assert ticket is not None
            assert set(statuses(receipt)) == {SENT}
            assert ticket.sent_at < ticket.poll_at < ticket.gives_up_at
            early = await orders.poll(ticket, asked)
            assert set(statuses(early)) == {SENT}
            assert early.ticket is not None
            assert early.ticket.poll_at > ticket.sent_at
            shop.pass_queue()
            done, again = await orders.poll(ticket, asked), await orders.poll(early.ticket, asked)
            verified = await orders.verify(asked)
        assert (set(statuses(done)), done.ticket) == ({APPLIED}, None)
        assert done == again
        assert set(statuses(verified)) == {APPLIED}
        for one in (receipt, early, done, verified):
            assert [outcome.key for outcome in one.outcomes] == keys_of(asked)

    async def test_a_lost_ticket_is_in_doubt_only_once_it_is_given_up(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            asked = await shipping(market, orders, shop.place(2, status=READY))
            ticket = (await orders.ship(asked)).ticket
            assert ticket is not None
            lost = replace(ticket, external_id=ticket.external_id[::-1])
            waiting = await orders.poll(lost, asked)
            past = replace(lost, gives_up_at=rig.clock.now() - timedelta(seconds=1))
            given_up = [await orders.poll(past, asked) for _ in range(2)]
        assert set(statuses(waiting)) == {SENT}
        for receipt in given_up:
            assert set(statuses(receipt)) == {OutcomeStatus.IN_DOUBT}
            assert {code_of(one) for one in receipt.outcomes} == {"ticket-lost"}
            assert receipt.ticket is None


class LostParcels:
    """Rule 17, parcels."""

    @pytest.mark.parametrize("count", [1, 2])
    @pytest.mark.parametrize(
        ("kind", "fault", "stands"),
        [
            ("reset-after", {}, True),
            ("cut-body", {}, True),
            ("html", {"applied": True}, True),
            ("wrong-charset", {}, True),
            ("reset-before", {}, False),
        ],
    )
    async def test_a_lost_answer_is_in_doubt_and_verifying_tells_the_truth(
        self, market: Market, database_url: str, kind: str, fault: Mapping[str, object], *, count: int, stands: bool
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            asked = await shipping(market, orders, shop.place(count, status=READY))
            before = shop.controls.sequence()
            for function in market.ship_functions:
                shop.controls.fault(kind, {**fault, "count": 1}, function)
            receipt = await orders.ship(asked)
            sent = writes(market, shop.controls.requests(before))
            shop.controls.heal()
            shop.pass_queue()
            verified = await orders.verify(asked)
        assert set(statuses(receipt)) == {OutcomeStatus.IN_DOUBT}
        assert all(isinstance(one.failure, InDoubt) for one in receipt.outcomes)
        assert [one.has_effect for one in sent] == [stands]
        assert set(statuses(verified)) == {APPLIED if stands else OutcomeStatus.NOT_SENT}
        assert [one.key for one in verified.outcomes] == [one.key for one in receipt.outcomes] == keys_of(asked)

    async def test_a_refusal_for_rate_raises_and_may_be_sent_again(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            asked = await shipping(market, orders, shop.place(status=READY))
            for function in market.ship_functions:
                shop.controls.fault("throttle", {"count": 1}, function)
            with pytest.raises(Retryable):
                await orders.ship(asked)
            shop.controls.heal()
            assert set(statuses(await orders.ship(asked))) == {APPLIED}
            assert len(numbers_of(await read(orders, asked[0].order.external_id))) == len(asked)


class ShippingBatches:
    """Rule 18, parcels."""

    async def test_an_empty_batch_sends_nothing_and_a_doubled_key_or_one_too_many_is_our_bug(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        size = market.plugin.limits.batches["orders.ship"].size
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            (one,) = await shipping(market, orders, shop.place(status=READY))
            many = [replace(one, id=f"op_{n}", order=OrderRef(external_id=str(n))) for n in range(size + 1)]
            before = shop.controls.sequence()
            assert (await orders.ship([])).outcomes == ()
            for bad in ([one, one], many):
                with pytest.raises(ValueError):  # noqa: PT011  two causes, one kind
                    await orders.ship(bad)
        assert shop.controls.requests(before) == []

    async def test_a_full_batch_is_carried_out_in_the_order_asked(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        size = market.plugin.limits.batches["orders.ship"].size
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            asked = list(reversed(await shipping(market, orders, shop.place(size, status=READY))))
            receipt = await orders.ship(asked)
            assert [one.key for one in receipt.outcomes] == keys_of(asked)
            if receipt.ticket is not None:
                shop.pass_queue()
                receipt = await orders.poll(receipt.ticket, asked)
        assert [one.key for one in receipt.outcomes] == keys_of(asked)
        assert set(statuses(receipt)) == {APPLIED}
