"""Checks writes that stand at once: rules 13 and 17, for decisions that accept."""

# ruff: noqa: S101, D102  a suite of tests: it asserts, its names are sentences, its values stand there

import socket
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from hanro.errors import InDoubt, Retryable, Unsupported
from hanro.marketplace.types import Absent, Answer, Capability, OrderRef, OrderStatus, OutcomeStatus
from hanro.testing.conformance.asked import accepting, code_of, decision, keys_of, readable, statuses
from hanro.testing.conformance.market import Market
from hanro.testing.conformance.rig import CALL_DEADLINE, open_rig

# Long enough for the read before the write.
SILENT_DEADLINE = timedelta(seconds=2)


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
            decisions = await accepting(orders, [last, cancelled, market.unknown_number, good])
            receipt = await orders.decide(decisions)
        assert [outcome.key for outcome in receipt.outcomes] == keys_of(decisions)
        codes = [code_of(outcome) for outcome in receipt.outcomes]
        assert codes == [None, None, "order-cancelled", "not-found", None, None]
        assert [outcome.status for outcome in receipt.outcomes if outcome.failure] == [OutcomeStatus.REJECTED] * 2

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
            absent = market.plugin.capabilities[Capability.ACCEPT_LINE]
            assert isinstance(absent, Absent)
            assert isinstance(outcome.failure, Unsupported)
            assert (outcome.status, outcome.failure.remedy) == (OutcomeStatus.REJECTED, absent.reason)
            assert shop.controls.writes(before) == 0
        else:
            assert outcome.status is OutcomeStatus.APPLIED

    async def test_what_is_absent_is_rejected_beside_what_can_be_done(self, market: Market, database_url: str) -> None:
        absent = market.plugin.capabilities[Capability.REFUSE_LINE]
        if not isinstance(absent, Absent):
            return
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            good, other = await accepting(orders, shop.place(2))
            refusing = replace(other, answer=Answer.REFUSE)
            receipt = await orders.decide([refusing, good])
            verified = await orders.verify([refusing, good])
        for found in (receipt, verified):
            assert [outcome.key for outcome in found.outcomes] == keys_of([refusing, good])
            assert statuses(found) == [OutcomeStatus.REJECTED, OutcomeStatus.APPLIED]
            assert found.outcomes[0].failure is not None
            assert (found.outcomes[0].failure.code, found.outcomes[0].failure.remedy) == ("absent", absent.reason)

    async def test_a_passed_deadline_has_its_code_and_no_effect(self, market: Market, database_url: str) -> None:
        shop = market.open_shop()
        async with open_rig(market.plugin, market.base_url, database_url) as rig:
            orders = market.plugin.orders(rig.session(shop.secrets()))
            numbers = shop.place_near_deadline()
            (waiting,) = readable((await orders.fetch([OrderRef(external_id=numbers[0])])).sightings)
            decisions = await accepting(orders, numbers)
            now = rig.clock.now()
            assert all(line.decide_by is not None and line.decide_by > now for line in waiting.lines)
            shop.pass_deadline()
            before = shop.controls.sequence()
            receipts = [await orders.decide(decisions), await orders.verify(decisions)]
        assert shop.controls.writes(before) == 0
        for receipt in receipts:
            assert set(statuses(receipt)) == {OutcomeStatus.REJECTED}
            assert {code_of(outcome) for outcome in receipt.outcomes} == {market.code_past_deadline}


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
            deadline = SILENT_DEADLINE if kind == "silence" else CALL_DEADLINE
            receipt = await market.plugin.orders(rig.session(shop.secrets(), call_deadline=deadline)).decide(decisions)
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
