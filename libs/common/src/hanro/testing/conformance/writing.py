"""Checks writes that stand at once: rules 13, 17 and 18, for decisions that accept."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, its names are sentences, its values stand there

import socket
from collections.abc import Mapping

import pytest

from hanro.errors import InDoubt, Rejected, Retryable, Unsupported
from hanro.marketplace.types import Absent, Answer, Capability, OrderStatus, OutcomeStatus
from hanro.testing.conformance.asked import accepting, code_of, decision, keys_of, statuses
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.rig import open_rig

UNKNOWN = "999999-20260101-0000000000"


class Deciding:
    """Rule 13, accepting."""

    async def test_accepting_twice_is_a_repeat_and_one_write(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            decisions = await accepting(orders, shop.place(3))
            before = shop.controls.sequence()
            first = await orders.decide(decisions)
            again = await orders.decide(decisions)
        assert set(statuses(first)) == set(statuses(again)) == {OutcomeStatus.APPLIED}
        assert not any(outcome.is_repeat for outcome in first.outcomes)
        assert all(outcome.is_repeat for outcome in again.outcomes)
        assert shop.controls.writes(before) == 1

    async def test_outcomes_stand_in_the_order_asked_each_with_its_own_code(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        (cancelled,), (good, last) = shop.place(status=OrderStatus.CANCELLED), shop.place(2, line_count=2)
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            decisions = await accepting(orders, [last, cancelled, UNKNOWN, good])
            receipt = await orders.decide(decisions)
        assert [outcome.key for outcome in receipt.outcomes] == keys_of(decisions)
        codes = [code_of(outcome) for outcome in receipt.outcomes]
        assert codes == [None, None, "order-cancelled", "not-found", None, None]

    async def test_the_other_answer_after_accepting_is_told_apart(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            (accepted,) = await accepting(orders, shop.place())
            await orders.decide([accepted])
            refusing = decision(accepted.order.external_id, *accepted.line_ids, answer=Answer.REFUSE)
            if isinstance(market.plugin.capabilities[Capability.REFUSE_LINE], Absent):
                with pytest.raises(Unsupported):
                    await orders.decide([refusing])
            else:
                receipt = await orders.decide([refusing])
                assert {code_of(outcome) for outcome in receipt.outcomes} == {"already-decided"}

    async def test_single_lines_are_accepted_only_where_that_is_declared(
        self, market: Market, database_url: str
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            (whole,) = await accepting(orders, shop.place(line_count=2))
            before = shop.controls.sequence()
            (outcome,) = (await orders.decide([decision(whole.order.external_id, whole.line_ids[0])])).outcomes
        if isinstance(market.plugin.capabilities[Capability.ACCEPT_LINE], Absent):
            assert isinstance(outcome.failure, Unsupported)
            assert shop.controls.writes(before) == 0
        else:
            assert outcome.status is OutcomeStatus.APPLIED

    async def test_a_passed_deadline_has_its_code(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            late = await accepting(orders, shop.place_past_deadline())
            receipt = await orders.decide(late)
        assert {code_of(outcome) for outcome in receipt.outcomes} <= {"order-cancelled", "decision-too-late"}


class LostAnswers:
    """Rule 17."""

    @pytest.mark.parametrize(
        ("kind", "fault", "stands"),
        [
            ("reset-after", {}, True),
            ("cut-body", {}, True),
            ("html", {"applied": True}, True),
            ("html", {}, False),
            ("wrong-charset", {}, True),
            ("garbage", {"applied": True}, True),
            ("status", {"status": 500, "applied": True}, True),
            ("silence", {"seconds": 30, "applied": True}, True),
            ("silence", {"seconds": 30}, False),
            ("reset-before", {}, False),
        ],
    )
    async def test_a_lost_answer_is_in_doubt_and_verifying_tells_the_truth(
        self, market: Market, database_url: str, kind: str, fault: Mapping[str, object], *, stands: bool
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            decisions = await accepting(orders, shop.place(2))
            before = shop.controls.sequence()
            shop.controls.fault(kind, {**fault, "count": 1}, market.write_function)
            receipt = await orders.decide(decisions)
            sent = [one for one in shop.controls.requests(before) if one.function == market.write_function]
            verified = await orders.verify(decisions)
        assert set(statuses(receipt)) == {OutcomeStatus.IN_DOUBT}
        assert all(isinstance(outcome.failure, InDoubt) for outcome in receipt.outcomes)
        assert (len(sent), sent[0].has_effect) == (1, stands)
        assert set(statuses(verified)) == {OutcomeStatus.APPLIED if stands else OutcomeStatus.NOT_SENT}
        assert [one.key for one in verified.outcomes] == [one.key for one in receipt.outcomes] == keys_of(decisions)

    @pytest.mark.parametrize(
        ("kind", "fault"), [("throttle", {}), ("status", {"status": 429, "headers": {"Retry-After": "1"}})]
    )
    async def test_a_refusal_before_any_effect_raises_and_may_be_sent_again(
        self, market: Market, database_url: str, kind: str, fault: Mapping[str, object]
    ) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            decisions = await accepting(orders, shop.place())
            before = shop.controls.sequence()
            shop.controls.fault(kind, {**fault, "count": 1}, market.write_function)
            with pytest.raises(Retryable):
                await orders.decide(decisions)
            assert shop.controls.writes(before) == 0
            assert set(statuses(await orders.decide(decisions))) == {OutcomeStatus.APPLIED}
        assert shop.controls.writes(before) == 1

    async def test_a_refused_connection_raises_and_nothing_arrived(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
            async with (
                open_rig(market.plugin, market.base_url, database_url) as rig,
                open_rig(market.plugin, nowhere, database_url) as lost,
            ):
                decisions = await accepting(market.plugin.orders(rig.session(shop.secrets())), shop.place())
                before = shop.controls.sequence()
                with pytest.raises(Retryable):
                    await market.plugin.orders(lost.session(shop.secrets())).decide(decisions)
        assert shop.controls.requests(before) == []


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
            one_more = decision(UNKNOWN, "1")
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
            receipt = await orders.decide(decisions)
        assert [outcome.key for outcome in receipt.outcomes] == keys_of(decisions)
        number_of = {one.id: one.order.external_id for one in decisions}
        for outcome in receipt.outcomes:
            if number_of[outcome.key.id] in good:
                assert outcome.status is OutcomeStatus.APPLIED
                continue
            assert outcome.status is OutcomeStatus.REJECTED
            assert isinstance(outcome.failure, Rejected)
            assert outcome.failure.refusal is not None
            assert outcome.failure.refusal.message
