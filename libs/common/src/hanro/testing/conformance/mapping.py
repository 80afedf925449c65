"""Checks what orders become: rules 9, 10 and 11, over the wire as the marketplace's simulator sends them."""

# ruff: noqa: S101, D102, PLR2004  a suite of tests: it asserts, its names are sentences, its values stand there

import asyncio
import json
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hanro.ids import new_id
from hanro.marketplace.types import Amount, Moment, OrderRef, SeenOrder
from hanro.testing.conformance.asked import readable
from hanro.testing.conformance.caller import Errand
from hanro.testing.conformance.market import Market, Shop
from hanro.testing.conformance.pace import run
from hanro.testing.conformance.rig import FAST, open_rig
from hanro.testing.conformance.values import texts, walk, written

ZONES = ("UTC", "Asia/Tokyo", "Europe/Paris")
# Both nights on which Paris moves its clocks, around the hour that is missing and the one that comes twice.
CLOCK_CHANGES = (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2025, 10, 26, 0, 30, tzinfo=UTC))
AWKWARD = (
    "①㈱髙〜～－‖",
    "ﾊﾝｶｸｶﾅ ﾌﾘｶﾞﾅ",
    "\\ ¥ 0x5C \\u3042 表ソ能",
    "tab\tbell\x07escape\x1bend",
    "𠮷野家 👨‍👩‍👧 e\u0301",
    '"quotes" <b>&amp;</b> {subject} %s',
    "東京都千代田区" * 36 + "あいう",
)


async def _read(market: Market, database_url: str, shop: Shop, numbers: Sequence[str]) -> list[SeenOrder]:
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
            (order,) = await _read(market, database_url, shop, [golden.external_id])
            shop.controls.heal()
            found = json.loads(json.dumps(written(order, leaves_out=frozenset({"seen_at"}))))
            assert found == json.loads(golden.mapped.read_text(encoding="utf-8")), golden.mapped.name

    async def test_amounts_equal_the_bytes_and_nothing_is_a_float(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        orders = await _read(market, database_url, shop, [*shop.place_varied(60), *shop.place_refused(3)])
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
        good, bad = await _read(market, database_url, shop, [*shop.place(), *shop.place(spoilt="wrong-sum")])
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
        numbers = [number for start in CLOCK_CHANGES for number in shop.place(6, placed_at=start, every_seconds=1200)]
        errand = Errand(
            work="write",
            marketplace_id=market.plugin.id,
            base_url=market.base_url,
            database_url=database_url,
            secrets=shop.secrets(),
            account_id=new_id("acc"),
            factor=FAST,
            numbers=numbers,
        )
        outputs = await asyncio.gather(*(run(errand, os.environ | {"TZ": zone}) for zone in ZONES))
        assert len(set(outputs)) == 1
        placed = {one["external_id"]: one["placed"]["at"] for one in json.loads(outputs[0])}
        expected = [start + timedelta(seconds=1200 * step) for start in CLOCK_CHANGES for step in range(6)]
        assert [datetime.fromisoformat(placed[number]) for number in numbers] == expected

    async def test_times_are_utc_and_keep_their_characters(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        (order,) = await _read(market, database_url, shop, shop.place())
        moments = [one for one in walk(order) if isinstance(one, Moment)]
        assert moments
        for moment in moments:
            assert moment.at.utcoffset() == timedelta()
            assert moment.local.encode() in order.raw


class Texts:
    """Rule 11."""

    @pytest.mark.parametrize("text", AWKWARD)
    async def test_awkward_characters_survive_inwards(self, market: Market, database_url: str, text: str) -> None:
        shop = market.open_shop()
        (order,) = await _read(market, database_url, shop, shop.place(text=text))
        assert order.buyer is not None
        assert order.buyer.name is not None
        assert order.buyer.name.family == text
        assert any(text in found for found in texts(order.packages))
        assert any(text in found for found in order.notes.values())

    def test_every_rule_for_outward_texts_can_be_applied(self, market: Market) -> None:
        for name, rule in market.plugin.text_rules.items():
            "x".encode(rule.charset)
            for pattern in (rule.pattern, rule.refused):
                assert pattern is None or re.compile(pattern), name
            for found, instead in rule.folds:
                instead.encode(rule.charset)
                assert found != instead, name
