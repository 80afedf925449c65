"""Proves how an order's status follows from its lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanro.marketplace import status_of
from hanro.marketplace.types import Amount, Line, OrderStatus

statuses = st.lists(st.sampled_from(OrderStatus), min_size=1, max_size=6)


def lines(*of: OrderStatus) -> list[Line]:
    """Build one line for each status."""
    return [
        Line(
            external_id=str(place),
            package_id=None,
            keys={},
            title="見本",
            options_text=None,
            quantity=1,
            status=status,
            status_text="",
            unit_price=Amount(text="1", money=None),
            is_tax_included=None,
            tax_rate=None,
            details={},
        )
        for place, status in enumerate(of)
    ]


@given(statuses)
def test_the_order_of_the_lines_does_not_count(of: list[OrderStatus]) -> None:
    assert status_of(lines(*of)) is status_of(lines(*reversed(of)))


@given(statuses)
def test_a_cancelled_line_beside_a_live_one_says_nothing(of: list[OrderStatus]) -> None:
    assert status_of(lines(*of, OrderStatus.CANCELLED)) is status_of(lines(*of))


@pytest.mark.parametrize(
    ("of", "status"),
    [
        ((OrderStatus.SHIPPED, OrderStatus.READY), OrderStatus.READY),
        ((OrderStatus.COMPLETED, OrderStatus.ON_HOLD), OrderStatus.ON_HOLD),
        ((OrderStatus.CANCELLED, OrderStatus.COMPLETED), OrderStatus.COMPLETED),
        ((OrderStatus.CANCELLED, OrderStatus.CANCELLING), OrderStatus.CANCELLING),
        ((OrderStatus.CANCELLED, OrderStatus.CANCELLED), OrderStatus.CANCELLED),
        ((OrderStatus.PENDING, OrderStatus.NEW, OrderStatus.ACCEPTED), OrderStatus.PENDING),
    ],
)
def test_the_least_advanced_live_line_tells(of: tuple[OrderStatus, ...], status: OrderStatus) -> None:
    assert status_of(lines(*of)) is status


def test_an_order_without_lines_has_no_status() -> None:
    with pytest.raises(ValueError, match="without lines"):
        status_of([])
