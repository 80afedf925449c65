"""Proves which moves are believed, what claims make of units, and that the page of states says the same."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from order_sightings import NOON, account, line, seen, yen

from hanro.events.orders import CancellationRequested, OrderLinesCancelled, OrderState
from hanro.marketplace.types import (
    Amount,
    Claim,
    ClaimKind,
    ClaimStage,
    Hold,
    Line,
    Moment,
    OrderRef,
    OrderStatus,
    OrderTime,
    Party,
    SeenOrder,
)
from order_svc.domain.orders import Order
from order_svc.domain.reconcile import Change, reconcile
from order_svc.domain.states import MOVES, believed

PAGE = Path(__file__).parents[3] / "docs/order-states.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| [^|]+ \|((?: `[a-z_]+`)*) \|$", re.MULTILINE)
STATES = get_args(OrderState)


def claim(
    number: str = "c-1",
    *,
    kind: ClaimKind = ClaimKind.CANCEL,
    stage: ClaimStage = ClaimStage.REQUESTED,
    line_id: str | None = "1",
    quantity: int | None = None,
    by: Party = Party.BUYER,
) -> Claim:
    return Claim(
        external_id=number,
        kind=kind,
        stage=stage,
        status_text=stage.value,
        order=OrderRef(external_id="n"),
        line_id=line_id,
        quantity=quantity,
        by=by,
        reason="見本の理由",
    )


def sight(minute: int, *lines: Line, claims: tuple[Claim, ...] = ()) -> SeenOrder:
    sighting = seen(lines=lines, at=NOON + timedelta(minutes=minute), raw=f"{minute}".encode())
    return replace(sighting, claims=claims)


def look(known: Order | None, sighting: SeenOrder) -> Change | None:
    return reconcile(known, sighting, account=account(), route="placed", at=sighting.seen_at)


def follow(*sightings: SeenOrder) -> Order:
    known: Order | None = None
    for sighting in sightings:
        change = look(known, sighting)
        known = change.order if change else known
    assert known is not None
    return known


@pytest.mark.row("P14", kind="walks")
def test_what_left_the_house_is_not_open_again_while_its_cancellation_runs() -> None:
    known = follow(
        sight(0, line(quantity=3, status=OrderStatus.SHIPPED)),
        sight(1, line(quantity=3, status=OrderStatus.CANCELLING)),
    )
    (cancelling,) = known.lines
    assert (cancelling.status, cancelling.open_quantity, cancelling.shipped_quantity) == ("cancelling", 0, 3)


def test_a_change_of_what_left_the_house_leaves_it_shipped_also_where_it_is_seen_first() -> None:
    reported = Moment(at=NOON, local="")
    changing = sight(1, line(quantity=3, status=OrderStatus.ON_HOLD))
    known = follow(sight(0, line(quantity=3)), replace(changing, times={OrderTime.REPORTED: reported}))
    assert (known.status, known.lines[0].open_quantity, known.lines[0].shipped_quantity) == ("shipped", 0, 3)
    assert follow(sight(0, line(quantity=3)), changing).status == "on_hold"


def test_the_page_has_the_moves_of_the_table_and_no_others() -> None:
    part = PAGE.read_text(encoding="utf-8").split("## What a buyer asks")[0]
    told = {state: set(re.findall(r"`([a-z_]+)`", moves)) for state, moves in ROW.findall(part)}
    assert told == {state: set(MOVES[state]) for state in STATES}


@pytest.mark.row("O4", kind="refuses")
@pytest.mark.parametrize("state", STATES)
def test_a_cancelled_line_comes_back_by_a_withdrawal_alone(state: OrderState) -> None:
    assert believed("cancelled", state, is_withdrawn=False) == "cancelled"
    assert believed("cancelled", state, is_withdrawn=True) == state


@pytest.mark.row("O4", kind="walks")
def test_a_copy_that_lags_moves_nothing_back() -> None:
    shipped = follow(sight(0, line(status=OrderStatus.SHIPPED)), sight(1, line(status=OrderStatus.NEW)))
    assert (shipped.status, shipped.work_state) == ("shipped", "shipped")
    cancelled = follow(sight(0, line(status=OrderStatus.CANCELLED)), sight(1, line(status=OrderStatus.READY)))
    assert (cancelled.status, cancelled.work_state) == ("cancelled", "cancelled")


def test_a_cancellation_that_is_withdrawn_opens_its_order_again() -> None:
    withdrawn = claim(stage=ClaimStage.WITHDRAWN, line_id=None)
    order = follow(
        sight(0, line(status=OrderStatus.READY, quantity=2)),
        sight(1, line(status=OrderStatus.CANCELLING, quantity=2), claims=(claim(stage=ClaimStage.RUNNING),)),
        sight(2, line(status=OrderStatus.READY, quantity=2), claims=(withdrawn,)),
    )
    assert (order.status, order.lines[0].open_quantity, order.lines[0].cancelled_quantity) == ("ready", 2, 0)


@pytest.mark.row("O10", kind="walks")
def test_a_buyers_request_is_told_apart_from_a_cancellation() -> None:
    placed = follow(sight(0, line()))
    change = look(placed, sight(1, line(), claims=(claim(),)))
    assert change is not None
    assert type(change.fact) is CancellationRequested
    assert change.fact.cancellation_requested_at == NOON + timedelta(minutes=1)
    assert (change.fact.status, change.fact.lines[0].open_quantity) == ("new", 1)
    assert "見本の理由" not in change.fact.model_dump_json()
    answered = look(change.order, sight(2, line(), claims=(claim(stage=ClaimStage.WITHDRAWN),)))
    assert answered is not None
    assert answered.fact.cancellation_requested_at is None


def test_a_cancellation_that_the_shop_asked_for_is_no_request_of_the_buyer() -> None:
    order = look(follow(sight(0, line())), sight(1, line(), claims=(claim(by=Party.SELLER),)))
    assert order is not None
    assert order.fact.cancellation_requested_at is None


@pytest.mark.row("P14", kind="walks")
def test_three_of_five_units_cancelled_leave_two_in_line_and_sums() -> None:
    five = sight(0, line(quantity=5, price=100))
    two = sight(1, line(quantity=2, price=100))
    two = replace(two, totals=replace(two.totals, goods=yen(200), total=yen(700)))
    change = look(follow(five), two)
    assert change is not None
    assert type(change.fact) is OrderLinesCancelled
    told = change.fact.lines[0]
    assert (told.quantity, told.open_quantity, told.cancelled_quantity) == (2, 2, 3)
    assert (change.fact.totals["goods"].amount, change.fact.totals["total"].amount) == ("200", "700")
    whole = follow(five, two, sight(2, line(quantity=2, status=OrderStatus.CANCELLED)))
    assert (whole.lines[0].open_quantity, whole.lines[0].cancelled_quantity) == (0, 5)


@pytest.mark.row("O22", kind="walks")
def test_a_return_counts_once_however_often_it_is_shown() -> None:
    back = claim("r-1", kind=ClaimKind.RETURN, stage=ClaimStage.DONE, quantity=1)
    shipped = line(quantity=3, status=OrderStatus.SHIPPED)
    order = follow(sight(0, shipped), *(sight(minute, shipped, claims=(back,)) for minute in (1, 2, 3)))
    assert (order.lines[0].shipped_quantity, order.lines[0].returned_quantity) == (3, 1)
    assert [one.external_id for one in order.claims] == ["r-1"]


@pytest.mark.row("O22", kind="refuses")
def test_more_units_than_left_the_house_never_come_back() -> None:
    back = tuple(claim(f"r-{n}", kind=ClaimKind.RETURN, stage=ClaimStage.DONE, quantity=2) for n in range(3))
    order = follow(
        sight(0, line(quantity=3, status=OrderStatus.SHIPPED)),
        sight(1, line(quantity=3, status=OrderStatus.SHIPPED), claims=back),
    )
    assert order.lines[0].returned_quantity == 3


STEPS = st.tuples(
    st.sampled_from([ClaimKind.CANCEL, ClaimKind.RETURN, ClaimKind.EXCHANGE]),
    st.sampled_from(list(ClaimStage)),
    st.one_of(st.none(), st.integers(1, 6)),
    st.sampled_from(list(OrderStatus)),
    st.integers(0, 6),
)


@pytest.mark.row("P12", kind="walks")
@given(st.integers(1, 6), st.lists(STEPS, min_size=1, max_size=8))
def test_units_add_up_in_any_order_of_cancellation_return_and_refund(
    ordered: int, steps: list[tuple[ClaimKind, ClaimStage, int | None, OrderStatus, int]]
) -> None:
    known = follow(sight(0, line(quantity=ordered)))
    most, minute = ordered, count(1)
    claims: list[Claim] = []
    for kind, stage, units, status, quantity in steps:
        most = max(most, quantity)
        claims.append(claim(f"c-{len(claims)}", kind=kind, stage=stage, quantity=units))
        sighting = sight(next(minute), line(quantity=quantity, status=status), claims=tuple(claims))
        change = look(known, sighting)
        known = change.order if change else known
        again = look(known, replace(sighting, seen_at=sighting.seen_at + timedelta(seconds=1)))
        assert again is None
        told = known.lines[0]
        assert told.returned_quantity <= told.shipped_quantity <= most
        assert told.open_quantity <= most
        if told.status == "cancelled":
            assert (told.open_quantity, told.cancelled_quantity >= told.quantity) == (0, True)


@pytest.mark.row("JP4", kind="walks")
@pytest.mark.row("O8", kind="walks")
def test_an_amount_that_is_not_decided_is_held_with_its_reason_and_never_booked() -> None:
    undecided = Amount(text="-9999", money=None)
    sighting = seen(holds=frozenset({Hold.AMOUNT, Hold.PREORDER}))
    change = look(None, replace(sighting, totals=replace(sighting.totals, postage=undecided, total=undecided)))
    assert change is not None
    assert change.fact.holds == ("amount", "preorder")
    for name in ("postage", "total"):
        told = change.fact.totals[name]
        assert (told.text, told.amount, told.currency) == ("-9999", None, None)


@pytest.mark.row("O20", kind="walks")
def test_the_deadline_to_accept_is_told_with_its_line() -> None:
    due = NOON + timedelta(days=2)
    assert follow(sight(0, line(decide_by=due))).lines[0].decide_by == due


def test_a_claim_keeps_the_time_at_which_it_was_asked_for() -> None:
    asked = replace(claim(), requested=Moment(at=NOON - timedelta(hours=1), local="2026-03-01T20:00:00"))
    order = follow(sight(0, line(), claims=(asked,)), sight(1, line(), claims=(claim(stage=ClaimStage.RUNNING),)))
    (kept,) = order.claims
    assert (kept.stage, kept.requested_at) == ("running", NOON - timedelta(hours=1))
