"""Checks cancellations: rule 15, and rule 17 for the writes that cancel."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from hanro.errors import Retryable
from hanro.marketplace import status_of
from hanro.marketplace.types import (
    Cancellation,
    Capability,
    LinePart,
    OrderRef,
    OrderStatus,
    OutcomeStatus,
    SeenOrder,
    Supported,
)
from hanro.money import Money
from hanro.testing.conformance.asked import cancellation, keys_of, readable, statuses
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.rig import open_rig
from hanro.testing.conformance.shipping import read

APPLIED = OutcomeStatus.APPLIED
OVER = (OrderStatus.CANCELLED, OrderStatus.CANCELLING)
UNITS = 3


def whole(order: SeenOrder, *, is_shipped: bool = False) -> Cancellation:
    """Cancel all of an order."""
    lines = tuple(LinePart(line_id=line.external_id, quantity=line.quantity, left=0) for line in order.lines)
    return _of(order, lines, is_whole=True, is_shipped=is_shipped)


def units(order: SeenOrder, count: int, *, is_shipped: bool = False) -> Cancellation:
    """Cancel units of an order's first line."""
    line = order.lines[0]
    part = LinePart(line_id=line.external_id, quantity=count, left=line.quantity - count)
    return _of(order, (part,), is_whole=False, is_shipped=is_shipped)


def refund(order: SeenOrder) -> Cancellation:
    """Take 10 off each unit of an order's first line."""
    line = order.lines[0]
    price = line.unit_price.money
    assert price is not None
    part = LinePart(
        line_id=line.external_id,
        quantity=0,
        refund=Money(Decimal(10 * line.quantity), price.currency),
        left_price=Money(price.amount - 10, price.currency),
    )
    return _of(order, (part,), is_whole=False, is_shipped=False)


def _of(order: SeenOrder, lines: tuple[LinePart, ...], *, is_whole: bool, is_shipped: bool) -> Cancellation:
    made = cancellation(is_whole=is_whole, is_shipped=is_shipped)
    return replace(made, id=f"op_{order.external_id}", order=OrderRef(external_id=order.external_id), lines=lines)


class Cancelling:
    """Rule 15, each as far as it is declared."""

    @pytest.mark.parametrize("is_shipped", [False, True])
    async def test_a_whole_order_is_cancelled_and_read_back(
        self, market: Market, database_url: str, *, is_shipped: bool
    ) -> None:
        if not _can(market, Capability.CANCEL_SHIPPED if is_shipped else Capability.CANCEL_ORDER):
            return
        shop = market.open_shop()
        (number,) = shop.place(status=OrderStatus.SHIPPED if is_shipped else OrderStatus.READY, line_count=2)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            asked = whole(await read(orders, number), is_shipped=is_shipped)
            assert set(statuses(await orders.verify([asked]))) == {OutcomeStatus.NOT_SENT}
            receipt = await orders.cancel([asked])
            assert statuses(receipt) == [APPLIED] * 2
            assert set(statuses(await orders.verify([asked]))) == {APPLIED}
            assert status_of((await read(orders, number)).lines) in OVER
            before = shop.controls.writes()
            again = await orders.cancel([asked])
        assert all(one.is_repeat for one in again.outcomes)
        assert shop.controls.writes() == before

    @pytest.mark.parametrize(
        ("capability", "count"), [(Capability.CANCEL_QUANTITY, 1), (Capability.CANCEL_LINE, UNITS)]
    )
    async def test_units_and_lines_go_and_the_rest_stays_with_its_sums(
        self, market: Market, database_url: str, capability: Capability, count: int
    ) -> None:
        if not _can(market, capability):
            return
        shop = market.open_shop()
        (number,) = shop.place(status=OrderStatus.READY, line_count=2, units=UNITS)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            order = await read(orders, number)
            asked = units(order, count)
            assert set(statuses(await orders.verify([asked]))) == {OutcomeStatus.NOT_SENT}
            assert statuses(await orders.cancel([asked])) == [APPLIED]
            assert statuses(await orders.verify([asked])) == [APPLIED]
            again = await read(orders, number)
        first, second = again.lines
        assert (first.quantity, second.quantity) == (UNITS - count, UNITS)
        assert (first.status is OrderStatus.CANCELLED) == (count == UNITS)
        assert second.status is not OrderStatus.CANCELLED
        _check_sums(order, again)

    async def test_a_price_is_cut(self, market: Market, database_url: str) -> None:
        if not _can(market, Capability.REFUND_AMOUNT):
            return
        shop = market.open_shop()
        (number,) = shop.place(status=OrderStatus.READY, units=UNITS)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            order = await read(orders, number)
            asked = refund(order)
            assert statuses(await orders.cancel([asked])) == [APPLIED]
            assert statuses(await orders.verify([asked])) == [APPLIED]
            again = await read(orders, number)
        assert again.lines[0].unit_price.money == asked.lines[0].left_price
        assert again.lines[0].quantity == UNITS
        _check_sums(order, again)

    async def test_what_the_order_does_not_have_is_refused_before_a_write(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        (number,) = shop.place(status=OrderStatus.READY, units=UNITS)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            order = await read(orders, number)
            unknown = replace(whole(order), order=OrderRef(external_id=market.unknown_number))
            before = shop.controls.sequence()
            for bad in (units(order, UNITS + 1), unknown):
                assert set(statuses(await orders.cancel([bad]))) == {OutcomeStatus.REJECTED}
            assert (await orders.cancel([])).outcomes == ()
        assert shop.controls.writes(before) == 0


class LostCancellations:
    """Rule 17, cancellations."""

    @pytest.mark.parametrize("is_whole", [True, False])
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
        self, market: Market, database_url: str, kind: str, fault: Mapping[str, object], *, is_whole: bool, stands: bool
    ) -> None:
        if not _can(market, Capability.CANCEL_ORDER if is_whole else Capability.CANCEL_QUANTITY):
            return
        shop = market.open_shop()
        (number,) = shop.place(status=OrderStatus.READY, units=UNITS)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            order = await read(orders, number)
            asked = whole(order) if is_whole else units(order, 1)
            before = shop.controls.sequence()
            for function in market.cancel_functions:
                shop.controls.fault(kind, {**fault, "count": 1}, function)
            receipt = await orders.cancel([asked])
            sent = [one for one in shop.controls.requests(before) if one.function in market.cancel_functions]
            shop.controls.heal()
            verified = await orders.verify([asked])
        assert statuses(receipt) == [OutcomeStatus.IN_DOUBT]
        assert [one.has_effect for one in sent] == [stands]
        assert statuses(verified) == [APPLIED if stands else OutcomeStatus.NOT_SENT]

    async def test_a_refusal_for_rate_raises_and_may_be_sent_again(self, market: Market, database_url: str) -> None:
        if not _can(market, Capability.CANCEL_ORDER):
            return
        shop = market.open_shop()
        (number,) = shop.place(status=OrderStatus.READY)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            asked = whole(await read(orders, number))
            for function in market.cancel_functions:
                shop.controls.fault("throttle", {"count": 1}, function)
            with pytest.raises(Retryable):
                await orders.cancel([asked])
            shop.controls.heal()
            assert set(statuses(await orders.cancel([asked]))) == {APPLIED}


class CancellingBatches:
    """Rule 18, cancellations."""

    async def test_a_doubled_key_or_one_too_many_is_our_bug_and_outcomes_keep_their_order(
        self, market: Market, database_url: str
    ) -> None:
        if not _can(market, Capability.CANCEL_ORDER):
            return
        shop = market.open_shop()
        size = market.plugin.limits.batches["orders.cancel"].size
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            placed = shop.place(size + 1, status=OrderStatus.READY)
            found = [
                *(await orders.fetch([OrderRef(external_id=number) for number in placed[:size]])).sightings,
                *(await orders.fetch([OrderRef(external_id=placed[size])])).sightings,
            ]
            asked = [whole(order) for order in reversed(readable(found))]
            before = shop.controls.sequence()
            for bad in ([asked[0], asked[0]], asked):
                with pytest.raises(ValueError):  # noqa: PT011  two causes, one kind
                    await orders.cancel(bad)
            assert shop.controls.requests(before) == []
            receipt = await orders.cancel(asked[:size])
        assert [one.key for one in receipt.outcomes] == keys_of(asked[:size])
        assert set(statuses(receipt)) == {APPLIED}


def _can(market: Market, capability: Capability) -> bool:
    return isinstance(market.plugin.capabilities[capability], Supported)


def _check_sums(before: SeenOrder, after: SeenOrder) -> None:
    """See that the marketplace states less than before, and that it adds up."""
    first, second = before.totals.payable or before.totals.total, after.totals.payable or after.totals.total
    assert first is not None
    assert second is not None
    assert first.money is not None
    assert second.money is not None
    assert second.money.amount < first.money.amount
    assert after.differences == ()
