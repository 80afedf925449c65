"""Proves that orders of some days are looked for between the right ids, whatever the clocks said."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hanro.ids import born_at, least_id, new_id
from order_svc.domain.spans import NEAR, Span, is_apart, spans_of

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)
moments = st.timedeltas(timedelta(), timedelta(days=60)).map(lambda later: NOON + later)
bounds = st.none() | moments | st.sampled_from([datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])


def holds(span: Span, order_id: str, placed_at: datetime) -> bool:
    """Tell whether a span shows an order."""
    if span.is_apart and not is_apart(order_id, placed_at):
        return False
    return (span.first is None or span.first <= order_id) and (span.end is None or order_id < span.end)


@given(found_at=moments, off=st.timedeltas(-timedelta(days=5), timedelta(days=5)), first=bounds, end=bounds)
def test_every_order_that_was_placed_then_lies_in_a_span(
    found_at: datetime, off: timedelta, first: datetime | None, end: datetime | None
) -> None:
    order_id, placed_at = f"{least_id('ord', found_at)[:14]}{new_id('ord')[14:]}", found_at + off
    if (first is None or first <= placed_at) and (end is None or placed_at < end):
        spans = spans_of(placed_from=first, placed_to=end, changed_to=None, before_id=None)
        assert any(holds(span, order_id, placed_at) for span in spans)


def test_orders_of_a_day_are_looked_for_near_that_day_and_apart() -> None:
    near, apart = spans_of(placed_from=NOON, placed_to=NOON + timedelta(days=1), changed_to=None, before_id=None)
    assert (near.first, near.end) == (least_id("ord", NOON - NEAR), least_id("ord", NOON + timedelta(days=1) + NEAR))
    assert apart == Span(is_apart=True)


def test_an_order_is_not_looked_for_behind_the_day_of_its_last_change_nor_before_the_page() -> None:
    behind = least_id("ord", NOON)
    for changed_to, end in (
        (NOON, behind),
        (NOON - timedelta(days=9), least_id("ord", NOON - timedelta(days=9) + NEAR)),
    ):
        found = spans_of(placed_from=None, placed_to=None, changed_to=changed_to, before_id=behind)
        assert found == [Span(end=end)]


def test_what_is_found_when_it_is_placed_is_not_apart() -> None:
    order_id = f"{least_id('ord', NOON)[:14]}{new_id('ord')[14:]}"
    assert born_at(order_id) == NOON
    assert not is_apart(order_id, NOON - NEAR)
    assert is_apart(order_id, NOON - NEAR - timedelta(seconds=1))
    assert is_apart(order_id, NOON + NEAR + timedelta(seconds=1))
    assert is_apart("ord_of_another_form", NOON)
