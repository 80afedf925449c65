"""Who may send when, decided from values alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanro.marketplace.types.limits import ApiGroup
from hanro.pacer import slots
from hanro.pacer.slots import AHEAD, GRACE, HOLD, LONGEST_LOOK, Pace, Slot

NOW = datetime(2026, 7, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PACE = {"order": Pace(step=SECOND, burst=1), "shop": Pace(step=SECOND, burst=1)}


def _fresh(*groups: str) -> tuple[Slot, ...]:
    return tuple(Slot(api_group=group, ready_at=NOW - SECOND) for group in groups)


def _group(**changes: object) -> ApiGroup:
    fields = {"name": "order", "request_count": 1, "period": SECOND, "burst": 1, "shares": {"order-svc": Decimal(1)}}
    return ApiGroup(**{**fields, "source": "test", **changes})  # type: ignore[arg-type]


def test_an_owner_uses_97_percent_of_the_limit_and_a_shared_group_its_share() -> None:
    owner = slots.pace_of(_group(), "order-svc", is_alone=False)
    assert owner.step.total_seconds() == pytest.approx(1 / 0.97, abs=1e-5)
    shared = _group(
        request_count=120, period=timedelta(minutes=1), burst=20, shares={"a": Decimal("0.4"), "b": Decimal("0.6")}
    )
    assert slots.pace_of(shared, "a", is_alone=False) == Pace(step=timedelta(seconds=1.25), burst=8)
    assert slots.pace_of(shared, "a", is_alone=True).burst == 20
    with pytest.raises(ValueError, match="share"):
        slots.pace_of(shared, "c", is_alone=False)


def test_a_rested_group_is_given_at_once() -> None:
    assert slots.ask(_fresh("order"), PACE, "a", NOW).not_before == NOW


def test_a_slot_is_one_turns_until_its_request_has_left() -> None:
    given_to_a = slots.ask(_fresh("order"), PACE, "a", NOW)
    b = slots.ask(given_to_a.slots, PACE, "b", NOW + SECOND)
    assert b.not_before is None
    sent_at = NOW + timedelta(seconds=1.3)
    freed = slots.anchor(b.slots, PACE, "a", sent_at)
    assert slots.ask(freed, PACE, "b", sent_at).not_before is None
    assert slots.ask(freed, PACE, "b", sent_at + SECOND - AHEAD).not_before == sent_at + SECOND


def test_turns_are_served_in_the_order_of_asking() -> None:
    state = slots.ask(_fresh("order"), PACE, "a", NOW).slots
    for token in ("b", "c"):
        state = slots.ask(state, PACE, token, NOW).slots
    state = slots.anchor(state, PACE, "a", NOW)
    at = NOW + SECOND
    assert slots.ask(state, PACE, "c", at).not_before is None
    answer = slots.ask(state, PACE, "b", at)
    assert answer.not_before == at
    state = slots.anchor(answer.slots, PACE, "b", at)
    assert slots.ask(state, PACE, "c", at + SECOND).not_before == at + SECOND


def test_a_turn_that_died_waiting_loses_its_place() -> None:
    state = slots.ask(_fresh("order"), PACE, "a", NOW).slots
    state = slots.ask(state, PACE, "dead", NOW).slots
    state = slots.anchor(state, PACE, "a", NOW)
    later = NOW + timedelta(seconds=10)
    assert slots.ask(state, PACE, "c", later).not_before == later


def test_a_holder_that_died_counts_as_if_it_had_sent_at_its_last_moment() -> None:
    state = slots.ask(_fresh("order"), PACE, "dead", NOW).slots
    over = NOW + HOLD
    assert slots.ask(state, PACE, "b", over - timedelta(milliseconds=1)).not_before is None
    answer = slots.ask(state, PACE, "b", over)
    assert answer.not_before is None
    assert slots.ask(answer.slots, PACE, "b", over + SECOND).not_before == over + SECOND


def test_a_hold_that_passed_to_another_cannot_be_extended_and_its_late_send_still_counts() -> None:
    state = slots.ask(_fresh("order"), PACE, "slow", NOW).slots
    later = NOW + HOLD + SECOND
    state = slots.ask(state, PACE, "b", later).slots
    assert slots.extend(state, "slow", later) is None
    extended = slots.extend(state, "b", later)
    assert extended is not None
    late = slots.anchor(extended, PACE, "slow", later + SECOND)
    assert late[0].holder == "b"
    assert late[0].ready_at >= later + 2 * SECOND


def test_a_turn_of_two_groups_waits_for_both_and_lets_others_of_one_group_wait() -> None:
    busy = slots.anchor(slots.ask(_fresh("shop"), PACE, "x", NOW).slots, PACE, "x", NOW)
    state = (*_fresh("order"), *busy)
    both = slots.ask(state, PACE, "both", NOW)
    assert both.not_before is None
    assert slots.ask(both.slots[:1], PACE, "one", NOW).not_before is None
    assert slots.ask(both.slots, PACE, "both", NOW + SECOND).not_before == NOW + SECOND


def test_who_lost_one_place_of_two_stands_behind_in_both() -> None:
    later = NOW + timedelta(seconds=20)
    resting = tuple(Slot(api_group=group, ready_at=later, slowdown=2.0) for group in ("order", "shop"))
    order, shop = slots.ask(resting, PACE, "both", NOW).slots
    # Its place in one queue was cleared away after a pause, and another took its turn there.
    long_after = NOW + LONGEST_LOOK + GRACE
    (order,) = slots.ask((order,), PACE, "one", long_after).slots
    order, shop = slots.ask((order, shop), PACE, "both", long_after).slots
    assert [name for name, _ in order.queue] == ["one", "both"]
    assert [name for name, _ in shop.queue] == ["both"]


def test_a_place_or_slot_that_is_given_back_costs_nothing() -> None:
    state = slots.ask(_fresh("order"), PACE, "a", NOW).slots
    state = slots.ask(state, PACE, "b", NOW).slots
    state = slots.release(slots.release(state, "a"), "b")
    assert slots.ask(state, PACE, "c", NOW).not_before == NOW


def test_a_burst_may_leave_at_once_and_then_the_pace_holds() -> None:
    paces = {"qapi": Pace(step=SECOND, burst=3)}
    state = _fresh("qapi")
    times = []
    now = NOW
    for n in range(5):
        while (answer := slots.ask(state, paces, f"t{n}", now)).not_before is None:
            state, now = answer.slots, answer.ask_again_at or now
        times.append(answer.not_before)
        now = max(now, answer.not_before)
        state = slots.anchor(answer.slots, paces, f"t{n}", answer.not_before)
    assert times[:3] == [NOW, NOW, NOW]
    assert times[4] - times[3] == SECOND


def test_a_refusal_for_rate_narrows_and_service_widens_to_the_full_pace() -> None:
    state = slots.anchor(slots.ask(_fresh("order"), PACE, "a", NOW).slots, PACE, "a", NOW)
    state = slots.narrow(state, PACE, NOW, None)
    assert state[0].slowdown == 2
    assert state[0].ready_at == NOW + 2 * SECOND
    asked = slots.narrow(state, PACE, NOW, timedelta(seconds=30))
    assert asked[0].ready_at == NOW + timedelta(seconds=30)
    assert slots.narrow(state, PACE, NOW, timedelta(days=2))[0].ready_at == NOW + timedelta(hours=1)
    for _ in range(20):
        asked = slots.widen(asked)
    assert asked[0].slowdown == 1


def test_what_left_at_a_small_share_keeps_nobody_waiting_who_has_the_whole_limit() -> None:
    share = {"order": Pace(step=50 * SECOND, burst=1)}
    resting = slots.anchor(slots.ask(_fresh("order"), share, "slow", NOW).slots, share, "slow", NOW)
    assert resting[0].ready_at == NOW + 50 * SECOND
    # Before it stands another that has the share alone: it keeps its place, and nobody waits for its long step.
    resting = slots.ask(resting, share, "slower", NOW).slots
    state, now, sent = resting, NOW, dict[str, datetime]()
    while "quick" not in sent:
        for token, paces in (("slower", share), ("quick", PACE)):
            answer = slots.ask(state, paces, token, now)
            state = answer.slots
            if answer.not_before is not None:
                sent[token] = answer.not_before
                state = slots.anchor(state, paces, token, answer.not_before)
                break
        now += timedelta(seconds=0.1)
    assert sent["slower"] - NOW >= SECOND
    assert SECOND <= sent["quick"] - sent["slower"] <= SECOND + HOLD
    # A refusal for rate is another thing: whoever asks waits as long as was said.
    refused = slots.narrow(resting, PACE, NOW, timedelta(seconds=30))
    refused = slots.release(refused, "slower")
    assert slots.ask(refused, PACE, "quick", NOW + timedelta(seconds=29)).not_before is None


@given(
    delays=st.lists(st.floats(0, 1.9), min_size=5, max_size=30),
    arrivals=st.lists(st.floats(0, 0.5), min_size=5, max_size=30),
)
def test_no_gap_falls_short_however_late_a_sender_is(delays: list[float], arrivals: list[float]) -> None:
    state = _fresh("order")
    now, sent = NOW, []
    for n, (delay, pause) in enumerate(zip(delays, arrivals, strict=False)):
        now += timedelta(seconds=pause)
        while (answer := slots.ask(state, PACE, f"t{n}", now)).not_before is None:
            assert answer.ask_again_at is not None
            assert answer.ask_again_at > now
            state, now = answer.slots, answer.ask_again_at
        sent.append(max(now, answer.not_before) + timedelta(seconds=delay))
        now = sent[-1]
        state = slots.anchor(answer.slots, PACE, f"t{n}", sent[-1])
    assert all(later - earlier >= SECOND for earlier, later in pairwise(sent))
