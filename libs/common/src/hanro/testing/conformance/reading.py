"""Checks how orders are read: rules 8 and 12."""

# ruff: noqa: S101, D102, PLR2004  a suite of tests: it asserts, its names are sentences, its values stand there

from collections.abc import Sequence

import pytest

from hanro.marketplace.types import Detail, OrderRef, UnreadableOrder
from hanro.testing.conformance.asked import readable
from hanro.testing.conformance.finding import window
from hanro.testing.conformance.market import Market, Spoilt
from hanro.testing.conformance.rig import open_rig


class Unreadable:
    """Rule 8."""

    @pytest.mark.parametrize(("spoilt", "code"), [("unreadable", "unreadable"), ("unknown-status", "unknown-status")])
    async def test_one_bad_order_is_kept_raw_and_all_others_arrive(
        self, market: Market, database_url: str, spoilt: Spoilt, code: str
    ) -> None:
        shop = market.open_shop()
        good = shop.place(5)
        (bad,) = shop.place(spoilt=spoilt)
        good += shop.place(5)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            fetched = await orders.fetch([OrderRef(external_id=number) for number in (*good, bad)])
            shown = [
                [one async for page in orders.pages(route.name, window()) for one in page.sightings]
                for route in market.plugin.routes
            ]
        for sightings in shown:
            assert {one.external_id for one in readable(sightings)} == set(good)
        # A state that nobody knows may be none that a route asks for.
        with_bad = [sightings for sightings in shown if len(sightings) > len(good)]
        assert with_bad
        for sightings in (*with_bad, list(fetched.sightings)):
            (kept,) = [one for one in sightings if isinstance(one, UnreadableOrder)]
            assert (kept.external_id, kept.failure.code) == (bad, code)
            assert bad.encode() in kept.raw
            assert not any(number.encode() in kept.raw for number in good)
            assert {one.external_id for one in readable(sightings)} == set(good)


class Fetching:
    """Rule 12."""

    async def test_orders_are_read_in_every_status_and_the_unknown_are_missing(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        there = [shop.place(code=code)[0] for code in market.codes]
        refs = [OrderRef(external_id=number) for number in (*there, market.unknown_number)]
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            found = await market.plugin.orders(rig.session(shop.secrets())).fetch(refs)
        assert sorted(one.external_id for one in readable(found.sightings)) == sorted(there)
        assert found.missing == (refs[-1],)

    async def test_details_asked_for_arrive_and_leave_what_lacks(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        (number,) = shop.place()
        asked = frozenset(Detail)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            found = await orders.fetch([OrderRef(external_id=number)], asked)
            less = await orders.fetch([OrderRef(external_id=number)])
        (order,), (without,) = readable(found.sightings), readable(less.sightings)
        assert not order.lacks
        assert order.payments
        assert all(payment.amount is not None for payment in order.payments)
        assert (order.external_id, order.lines, order.totals) == (without.external_id, without.lines, without.totals)

    @pytest.mark.parametrize("named", [0, 1])
    async def test_line_ids_may_be_given_in_part_or_not_at_all(
        self, market: Market, database_url: str, named: int
    ) -> None:
        shop = market.open_shop()
        (number,) = shop.place(line_count=2)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            (whole,) = readable((await orders.fetch([OrderRef(external_id=number)])).sightings)
            assert len(whole.lines) == 2
            line_ids = tuple(line.external_id for line in whole.lines[:named])
            (again,) = readable((await orders.fetch([OrderRef(external_id=number, line_ids=line_ids)])).sightings)
        assert again.has_all_lines
        assert _line_ids([whole]) == _line_ids([again])

    async def test_a_batch_may_be_full_and_not_fuller(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        size = market.plugin.limits.batches["orders.fetch"].size
        refs = [OrderRef(external_id=number) for number in shop.place(size + 1)]
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            assert len((await orders.fetch(refs[:size])).sightings) == size
            before = shop.controls.sequence()
            for bad in (refs, [refs[0], refs[0]]):
                with pytest.raises(ValueError):  # noqa: PT011  two causes, one kind
                    await orders.fetch(bad)
            assert (await orders.fetch([])).sightings == ()
        assert shop.controls.requests(before) == []


def _line_ids(orders: Sequence[object]) -> list[str]:
    return [line.external_id for order in readable(orders) for line in order.lines]
