"""Checks rule 18, batches: sizes, keys, and that no entry fails another; for decisions that accept."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, and its names are sentences

import pytest

from hanro.errors import Rejected
from hanro.marketplace.types import LineKey, Outcome, OutcomeStatus
from hanro.testing.conformance.asked import accepting, decision, keys_of, statuses
from hanro.testing.conformance.controls import Request
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.rig import open_rig


class Batches:
    """Rule 18."""

    async def test_an_empty_batch_sends_nothing(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        before = shop.controls.sequence()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            assert (await orders.decide([])).outcomes == ()
            assert (await orders.verify([])).outcomes == ()
        assert shop.controls.requests(before) == []

    async def test_a_full_batch_is_carried_out_and_a_fuller_or_doubled_one_is_our_bug(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        batch = market.plugin.limits.batches["orders.decide"]
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            decisions = await accepting(orders, shop.place(batch.size))
            one_more = decision(market.unknown_number, "1")
            before = shop.controls.sequence()
            for bad in ([*decisions, one_more], [decisions[0], decisions[0]]):
                for call in (orders.decide, orders.verify):
                    with pytest.raises(ValueError):  # noqa: PT011  two causes, one kind
                        await call(bad)
            assert shop.controls.requests(before) == []
            receipt = await orders.decide(decisions)
        assert [outcome.key for outcome in receipt.outcomes] == keys_of(decisions)
        assert set(statuses(receipt)) == {OutcomeStatus.APPLIED}
        calls = len(shop.controls.requests(before))
        assert calls <= batch.call_count + batch.call_count_each * batch.size

    async def test_the_refused_of_a_batch_keep_their_words_and_fail_no_other(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        good, bad = shop.place(4), shop.place_refused(3)
        mixed = [bad[0], good[0], good[1], bad[1], good[2], bad[2], good[3]]
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            decisions = await accepting(orders, mixed)
            before = shop.controls.sequence()
            receipt = await orders.decide(decisions)
        assert [outcome.key for outcome in receipt.outcomes] == keys_of(decisions)
        (write,) = _writes(market, shop.controls.requests(before))
        number_of = {one.id: one.order.external_id for one in decisions}
        for outcome in receipt.outcomes:
            if number_of[outcome.key.id] in good:
                assert outcome.status is OutcomeStatus.APPLIED
            else:
                _check_refused(outcome, write)

    async def test_a_batch_refused_whole_goes_on_without_the_entry_that_is_named(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        numbers = shop.place(4)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            decisions = await accepting(orders, numbers)
            before = shop.controls.sequence()
            shop.refuse_whole(numbers[1])
            receipt = await orders.decide(decisions)
        first, second = _writes(market, shop.controls.requests(before))
        assert [outcome.key for outcome in receipt.outcomes] == keys_of(decisions)
        for outcome in receipt.outcomes:
            if outcome.key.id == decisions[1].id:
                _check_refused(outcome, first)
            else:
                assert outcome.status is OutcomeStatus.APPLIED
        assert numbers[1] not in second.body

    async def test_a_batch_refused_whole_without_a_name_is_halved_and_repeats_nothing_that_stood(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        numbers = shop.place(4)
        batch = market.plugin.limits.batches["orders.decide"]
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            decisions = await accepting(orders, numbers)
            before = shop.controls.sequence()
            shop.refuse_whole(None)
            receipt = await orders.decide(decisions)
        requests = shop.controls.requests(before)
        assert [outcome.key for outcome in receipt.outcomes] == keys_of(decisions)
        assert set(statuses(receipt)) == {OutcomeStatus.APPLIED}
        assert not any(outcome.is_repeat for outcome in receipt.outcomes)
        applied = [write.body for write in _writes(market, requests) if write.has_effect]
        assert [sum(number in body for body in applied) for number in numbers] == [1] * len(numbers)
        assert len(requests) <= batch.call_count + batch.call_count_each * len(numbers)


def _writes(market: Market, requests: list[Request]) -> list[Request]:
    return [request for request in requests if request.function == market.write_function]


def _check_refused(outcome: Outcome[LineKey], write: Request) -> None:
    """See that the marketplace's words stand in the outcome as they came over the wire."""
    assert outcome.status is OutcomeStatus.REJECTED
    assert isinstance(outcome.failure, Rejected)
    assert outcome.failure.refusal is not None
    assert f'"{outcome.failure.refusal.message}"' in write.answer
    assert f'"{outcome.failure.refusal.code}"' in write.answer
    assert outcome.failure.refusal.http_status == write.status
