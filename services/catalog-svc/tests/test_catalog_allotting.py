"""What orders do to stock, as values: nothing is held twice, nothing goes below zero, the oldest order comes first."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_svc.domain.reservations import Reservation, allot, fill, mapped, wishes, withdraw
from catalog_svc.domain.stock import Stock

NOON = datetime(2026, 5, 11, 3, 0, tzinfo=UTC)


def stock(on_hand: int, committed: int = 0, short: int = 0, sku: str = "TOWEL") -> Stock:
    return Stock(
        id=f"stk_{sku}", sku=sku, version=1, on_hand=on_hand, committed=committed, safety_buffer=0, short_count=short
    )


def line(
    order: str,
    wanted: int,
    *,
    reserved: int = 0,
    shipped: int = 0,
    returned: int = 0,
    before: int | None = None,
    minutes: int = 0,
    sku: str | None = "TOWEL",
) -> Reservation:
    return Reservation(
        order_id=order,
        line_id=f"{order}-1",
        account_id="acc_1",
        external_id=order,
        placed_at=NOON + timedelta(minutes=minutes),
        match_key='["towel-01","m-white"]',
        title="見本タオル",
        sku=sku,
        wanted=wanted,
        reserved=reserved,
        shipped=shipped,
        returned=returned,
        shipped_before=before,
    )


def test_an_order_holds_what_it_wants() -> None:
    done = allot({"TOWEL": stock(10)}, {}, [line("a", 2)])
    assert (done.stocks["TOWEL"].committed, done.stocks["TOWEL"].available) == (2, 8)
    assert done.reservations["a", "a-1"].reserved == 2


def test_an_order_beyond_stock_is_held_as_far_as_it_goes_and_the_rest_is_short() -> None:
    done = allot({"TOWEL": stock(3)}, {}, [line("a", 5)])
    assert (done.stocks["TOWEL"].committed, done.stocks["TOWEL"].short_count) == (3, 2)


def test_the_same_wish_again_changes_nothing() -> None:
    first = allot({"TOWEL": stock(10)}, {}, [line("a", 2)])
    again = allot(first.stocks, first.reservations, [line("a", 2)])
    assert (again.stocks, again.reservations) == (first.stocks, first.reservations)


def test_shipped_units_leave_the_house_and_are_no_longer_held() -> None:
    held = {("a", "a-1"): line("a", 2, reserved=2)}
    done = allot({"TOWEL": stock(10, committed=2)}, held, [line("a", 0, shipped=2)])
    assert (done.stocks["TOWEL"].on_hand, done.stocks["TOWEL"].committed) == (8, 0)


@pytest.mark.parametrize("before", [2, None], ids=["told", "not told"])
def test_what_was_shipped_before_the_order_was_known_moves_no_stock(before: int | None) -> None:
    done = allot({"TOWEL": stock(10)}, {}, [line("a", 0, shipped=2, before=before)])
    assert done.stocks["TOWEL"] == stock(10)


def test_units_that_left_since_the_order_was_known_leave_stock_though_nobody_heard_of_it_before() -> None:
    shipped = line("a", 0, shipped=3, before=1)
    done = allot({"TOWEL": stock(10)}, {}, [shipped])
    assert (done.stocks["TOWEL"].on_hand, done.reservations["a", "a-1"].gone) == (8, 2)
    again = allot(done.stocks, done.reservations, [shipped])
    assert (again.stocks, again.reservations) == (done.stocks, done.reservations)


@pytest.mark.parametrize(("before", "on_hand"), [(0, 4), (None, 6)], ids=["told", "not told"])
def test_units_that_left_beyond_what_was_held_leave_stock_where_the_fact_tells(
    before: int | None, on_hand: int
) -> None:
    known = line("a", 3, reserved=1)
    done = allot({"TOWEL": stock(7, 1, 2)}, {known.key: known}, [line("a", 0, shipped=3, before=before)])
    assert (done.stocks["TOWEL"].on_hand, done.stocks["TOWEL"].committed) == (on_hand, 0)


def test_no_more_units_leave_than_are_in_the_house_and_no_more_come_back_than_left() -> None:
    done = allot({"TOWEL": stock(1)}, {}, [line("a", 0, shipped=3, before=0)])
    assert done.stocks["TOWEL"] == stock(0)
    back = allot(done.stocks, done.reservations, [line("a", 0, shipped=3, before=0, returned=3)])
    assert (back.stocks["TOWEL"].on_hand, back.restocked) == (1, {"TOWEL": 1})


def test_units_that_left_for_another_order_are_taken_from_the_youngest_that_holds_them() -> None:
    holding = [line("old", 2, reserved=2), line("young", 2, reserved=2, minutes=5)]
    left = allot({"TOWEL": stock(4, committed=4)}, {}, [line("a", 0, shipped=1, before=0)])
    done = withdraw(left.stocks, holding)
    assert {key[0]: found.reserved for key, found in done.reservations.items()} == {"young": 1}
    assert done.stocks["TOWEL"] == stock(3, committed=3, short=1)


def test_what_left_while_its_key_was_mapped_to_nothing_leaves_no_stock_once_it_is_mapped() -> None:
    heard = allot({}, {}, [line("a", 1, shipped=2, before=0, sku=None)]).reservations
    done = allot({"TOWEL": stock(10)}, heard, [mapped(one, "TOWEL") for one in heard.values()])
    assert done.stocks["TOWEL"] == stock(10, committed=1)


def test_what_was_held_stays_held_where_another_order_of_the_batch_wants_more() -> None:
    known = {one.key: one for one in (line("a", 1, reserved=1), line("b", 3, reserved=3))}
    done = allot({"TOWEL": stock(4, committed=4)}, known, [line("a", 4), line("b", 2, shipped=1)])
    assert {key[0]: found.reserved for key, found in done.reservations.items()} == {"a": 1, "b": 2}


def test_a_line_that_is_gone_lets_its_units_go() -> None:
    known = [line("a", 2, reserved=2)]
    done = allot({"TOWEL": stock(10, committed=2)}, {known[0].key: known[0]}, wishes(known, []))
    assert done.stocks["TOWEL"].committed == 0


def test_a_line_without_a_mapping_holds_nothing_and_is_short_of_nothing() -> None:
    done = allot({}, {}, [line("a", 2, sku=None)])
    assert (done.reservations["a", "a-1"].reserved, done.reservations["a", "a-1"].short_count) == (0, 0)


def test_free_units_go_to_the_oldest_order_first() -> None:
    waiting = [line("young", 2, minutes=5), line("old", 2)]
    done = fill({"TOWEL": stock(3, short=4)}, waiting)
    assert {key[0]: found.reserved for key, found in done.reservations.items()} == {"old": 2, "young": 1}
    assert done.stocks["TOWEL"].short_count == 1


steps = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 4), st.integers(0, 3), st.sampled_from(["TOWEL", "TEA", None])),
    max_size=30,
)


@given(steps=steps, on_hand=st.integers(0, 8))
def test_any_history_of_orders_adds_up(steps: list[tuple[str, int, int, str | None]], on_hand: int) -> None:
    stocks = {sku: stock(on_hand, sku=sku) for sku in ("TOWEL", "TEA")}
    known: dict[tuple[str, str], Reservation] = {}
    for order, wanted, shipped, sku in steps:
        done = allot(stocks, known, [line(order, wanted, shipped=shipped, sku=sku)])
        stocks, known = done.stocks, known | done.reservations
        filled = fill(stocks, [found for found in known.values() if found.short_count])
        stocks, known = filled.stocks, known | filled.reservations
        for name, found in stocks.items():
            mine = [one for one in known.values() if one.sku == name]
            assert found.committed == sum(one.reserved for one in mine)
            assert found.short_count == sum(one.short_count for one in mine)
            assert 0 <= found.committed <= found.on_hand
            # Nobody waits while units are free.
            assert not (found.short_count and found.available)


Known = dict[tuple[str, str], Reservation]


def hear(stocks: dict[str, Stock], known: Known, batch: Sequence[Reservation]) -> tuple[dict[str, Stock], Known]:
    """Take in a batch as the ledger does."""
    done = allot(stocks, known, batch)
    known = known | done.reservations
    overdrawn = {sku for sku, found in done.stocks.items() if found.available < 0}
    cut = withdraw(done.stocks, [one for one in known.values() if one.sku in overdrawn])
    known = known | cut.reservations
    filled = fill(cut.stocks, [one for one in known.values() if one.short_count])
    return filled.stocks, known | filled.reservations


# What an order wants, how many units left and came back since the fact before, and how many batches later it is heard.
fact_steps = st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))
Life = tuple[int, list[tuple[int, int, int, int]]]
lives = st.lists(st.tuples(st.integers(0, 3), st.lists(fact_steps, min_size=1, max_size=5)), min_size=1, max_size=3)


def heard_of(order: int, life: Life, *, is_returned: bool) -> dict[int, Reservation]:
    """Give what is heard of an order by batch: of the facts that come together the newest alone.

    What its first step ships had left before the order was known.
    """
    before, steps = life
    shipped, returned, batch, heard = before, 0, 0, {}
    for place, (wanted, more, back, later) in enumerate(steps):
        shipped += more if place else 0
        returned += back if is_returned else 0
        batch += later
        heard[batch] = line(f"{order}", wanted, shipped=shipped, returned=returned, before=before, minutes=order)
    return heard


@pytest.mark.parametrize("is_returned", [True, False])
@given(lives=lives, more=st.integers(0, 3))
def test_stock_ends_the_same_whichever_facts_of_an_order_were_heard(
    lives: list[Life],
    more: int,
    is_returned: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    heard = [heard_of(order, life, is_returned=is_returned) for order, life in enumerate(lives)]
    newest = [by_batch[max(by_batch)] for by_batch in heard]
    left = {one.key: one.shipped - (one.shipped_before or 0) for one in newest}
    # What was never counted cannot leave, so it depends on the order of things how much of it comes back.
    on_hand = sum(left.values()) + more if is_returned else more
    stocks, known = {"TOWEL": stock(on_hand)}, Known()
    for batch in range(max(max(by_batch) for by_batch in heard) + 1):
        # Twice: a batch may come again.
        for _ in range(2):
            stocks, known = hear(stocks, known, [by_batch[batch] for by_batch in heard if batch in by_batch])
        found = stocks["TOWEL"]
        assert found.committed == sum(one.reserved for one in known.values()) <= found.on_hand
        assert found.short_count == sum(one.short_count for one in known.values())
        assert not (found.short_count and found.available)
    back = sum(min(one.returned, left[one.key]) for one in newest)
    assert stocks["TOWEL"].on_hand == max(on_hand - sum(left.values()), 0) + back
