"""The rate limiter: exact by GCRA, live changes, counts."""

from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from simkit.clock import Clock
from simkit.limits import Limit, Limits


class Hand:
    """Hold a monotonic time that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.clock = Clock(real_now=lambda: datetime(2026, 1, 1, tzinfo=UTC), real_monotonic=lambda: self.seconds)


@given(
    rate=st.sampled_from([0.5, 1, 3, 7]),
    burst=st.integers(1, 6),
    gaps=st.lists(st.integers(0, 2500), min_size=1, max_size=60),
)
def test_it_admits_exactly_what_a_token_bucket_admits(rate: float, burst: int, gaps: list[int]) -> None:
    hand = Hand()
    limits = Limits(hand.clock, Limit(rate, burst))
    tokens, milliseconds = Fraction(burst), 0
    for gap in gaps:
        milliseconds += gap
        hand.seconds = milliseconds / 1000
        tokens = min(Fraction(burst), tokens + Fraction(gap, 1000) * Fraction(str(rate)))
        wait = limits.admit("shop", "orders")
        assert (wait is None) == (tokens >= 1)
        if wait is None:
            tokens -= 1
        else:
            assert abs(wait - float((1 - tokens) / Fraction(str(rate)))) < 1e-6


@given(
    rate=st.sampled_from([1, 2, 3]),
    burst=st.integers(1, 5),
    gaps=st.lists(st.integers(0, 800), min_size=1, max_size=80),
)
def test_no_window_ever_admits_more_than_burst_and_refill(rate: int, burst: int, gaps: list[int]) -> None:
    hand = Hand()
    limits = Limits(hand.clock, Limit(rate, burst))
    admitted: list[int] = []
    milliseconds = 0
    for gap in gaps:
        milliseconds += gap
        hand.seconds = milliseconds / 1000
        if limits.admit("shop", "orders") is None:
            admitted.append(milliseconds)
    for index, start in enumerate(admitted):
        for count, end in enumerate(admitted[index:], start=1):
            assert count <= burst + Fraction(end - start, 1000) * rate


def test_waiting_as_long_as_told_is_enough_and_a_refusal_costs_nothing() -> None:
    hand = Hand()
    limits = Limits(hand.clock, Limit(1, 1))
    assert limits.admit("shop", "orders") is None
    hand.seconds = 0.4
    for _ in range(3):
        wait = limits.admit("shop", "orders")
        assert wait == 0.6
    hand.seconds = 1.0
    assert limits.admit("shop", "orders") is None


def test_shops_and_groups_do_not_share_tokens() -> None:
    limits = Limits(Hand().clock, Limit(1, 1))
    assert [limits.admit("a", "x"), limits.admit("b", "x"), limits.admit("a", "y")] == [None, None, None]
    assert limits.admit("a", "x") == 1.0


def test_the_most_special_limit_counts() -> None:
    limits = Limits(Hand().clock, Limit(1, 1))
    limits.set(Limit(1, 2), group="x")
    limits.set(Limit(1, 3), shop="a")
    limits.set(Limit(1, 4), shop="a", group="x")
    found = [limits.find(shop, group).burst for shop, group in (("b", "y"), ("b", "x"), ("a", "y"), ("a", "x"))]
    assert found == [1, 2, 3, 4]


def test_a_limit_halved_live_holds_from_the_next_call_and_gives_no_new_tokens() -> None:
    hand = Hand()
    limits = Limits(hand.clock, Limit(2, 1))
    assert limits.admit("a", "x") is None
    limits.set(Limit(1, 1))
    hand.seconds = 0.5
    assert limits.admit("a", "x") == 0.5
    limits.set(Limit(1, 5))
    hand.seconds = 1.0
    assert limits.admit("a", "x") is None
    assert limits.admit("a", "x") is not None


def test_counts_tell_gaps_and_windows() -> None:
    hand = Hand()
    limits = Limits(hand.clock, Limit(1, 2))
    for hand.seconds in (0.0, 0.25, 0.5, 1.25):
        limits.admit("a", "x")
    (meter,) = limits.meters()
    assert (meter.accepted, meter.refused) == (3, 1)
    assert meter.smallest_gap_seconds == 0.25
    assert meter.most_in_one_second == 3
