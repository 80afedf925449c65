"""Checks what orders become: rules 9 and 10, over the wire as the marketplace's simulator sends them."""

# ruff: noqa: S101, D102, PLR2004  a suite of tests: it asserts, its names are sentences, its values stand there

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from hanro.marketplace.types import Amount, Moment, OrderRef, SeenOrder
from hanro.testing.conformance.asked import readable
from hanro.testing.conformance.market import Market, Shop
from hanro.testing.conformance.rig import open_rig
from hanro.testing.conformance.values import walk, written

ZONES = ("UTC", "Asia/Tokyo", "Europe/Paris")
# Both nights on which Paris moves its clocks, around the hour that is missing and the one that comes twice.
CLOCK_CHANGES = (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2025, 10, 26, 0, 30, tzinfo=UTC))
OFFSET = re.compile(r"(?<=T\d\d:\d\d:\d\d)[+-]\d\d:?\d\d")


async def read(market: Market, database_url: str, shop: Shop, numbers: Sequence[str]) -> list[SeenOrder]:
    """Read orders again."""
    async with open_rig(market.plugin, market.base_url, database_url) as rig:
        found = await market.plugin.orders(rig.session(shop.secrets())).fetch(
            [OrderRef(external_id=number) for number in numbers]
        )
    return readable(found.sightings)


class Payloads:
    """Rule 9."""

    async def test_golden_payloads_map_to_the_committed_orders(self, market: Market, database_url: str) -> None:
        for golden in market.goldens():
            shop = market.open_shop()
            shop.answer_with(golden.body)
            (order,) = await read(market, database_url, shop, [golden.external_id])
            shop.controls.heal()
            found = json.loads(json.dumps(written(order, leaves_out=frozenset({"seen_at"}))))
            assert found == json.loads(golden.mapped.read_text(encoding="utf-8")), golden.mapped.name

    async def test_amounts_equal_the_bytes_and_nothing_is_a_float(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        orders = await read(market, database_url, shop, [*shop.place_varied(60), *shop.place_refused(3)])
        assert len(orders) == 63
        amounts = 0
        for order in orders:
            numbers = set(re.findall(rb"-?\d[\d.eE+-]*", order.raw))
            for found in walk(order):
                assert not isinstance(found, float)
                if isinstance(found, Amount):
                    amounts += 1
                    assert found.text.encode() in numbers
                    assert found.money is None or found.money.amount >= 0
                    assert market.is_sentinel(found.text) == (found.money is None), found
        assert amounts > 1000
        assert any(isinstance(one, Amount) and one.money is None for order in orders for one in walk(order))

    async def test_a_wrong_sum_is_told_and_kept(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        good, bad = await read(market, database_url, shop, [*shop.place(), *shop.place(spoilt="wrong-sum")])
        if good.differences:
            good, bad = bad, good
        assert good.differences == ()
        assert bad.differences != ()


class Times:
    """Rule 10."""

    async def test_the_zone_of_the_process_changes_nothing_over_a_clock_change(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        expected = [start + timedelta(seconds=1200 * step) for start in CLOCK_CHANGES for step in range(6)]
        numbers = [number for start in CLOCK_CHANGES for number in shop.place(6, placed_at=start, every_seconds=1200)]
        for zone in ZONES:
            with _in_zone(zone):
                orders = await read(market, database_url, shop, numbers)
            placed = {order.external_id: order.placed.at for order in orders}
            assert [placed[number] for number in numbers] == expected, zone

    async def test_a_whole_order_reads_the_same_in_every_zone_also_without_offsets(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        for golden in market.goldens():
            moments = []
            for body in (golden.body, OFFSET.sub("", golden.body)):
                shop.answer_with(body)
                seen = []
                for zone in ZONES:
                    with _in_zone(zone):
                        (order,) = await read(market, database_url, shop, [golden.external_id])
                    seen.append(written(order, leaves_out=frozenset({"seen_at"})))
                    moments.append([one.at for one in walk(order) if isinstance(one, Moment)])
                shop.controls.heal()
                assert seen[0] == seen[1] == seen[2]
            assert moments[0]
            for found in moments[1:]:
                assert found == moments[0]

    async def test_times_are_utc_and_keep_their_characters(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        (order,) = await read(market, database_url, shop, shop.place())
        moments = [one for one in walk(order) if isinstance(one, Moment)]
        assert moments
        for moment in moments:
            assert moment.at.utcoffset() == timedelta()
            assert moment.local.encode() in order.raw
            in_zone = moment.at.astimezone(market.plugin.zone)
            assert in_zone.replace(tzinfo=None).isoformat(timespec="seconds") in moment.local


@contextmanager
def _in_zone(zone: str) -> Iterator[None]:
    """Put the process into a zone: what reads local time by mistake reads that one's."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
