"""What orders do to stock, as values: nothing is held twice, nothing goes below zero, the oldest order comes first."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalog_svc.domain.reservations import Reservation, allot, fill, wishes
from catalog_svc.domain.stock import Stock

NOON = datetime(2026, 5, 11, 3, 0, tzinfo=UTC)


def stock(on_hand: int, committed: int = 0, short: int = 0, sku: str = "TOWEL") -> Stock:
    return Stock(
        id=f"stk_{sku}", sku=sku, version=1, on_hand=on_hand, committed=committed, safety_buffer=0, short_count=short
    )


def line(
    order: str, wanted: int, *, reserved: int = 0, shipped: int = 0, minutes: int = 0, sku: str | None = "TOWEL"
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


def test_what_was_shipped_before_the_order_was_known_moves_no_stock() -> None:
    done = allot({"TOWEL": stock(10)}, {}, [line("a", 0, shipped=2)])
    assert done.stocks["TOWEL"] == stock(10)


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
