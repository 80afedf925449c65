"""Proves what a sighting changes, and that it changes nothing twice."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from order_sightings import EMAIL, NAME, NOON, account, line, seen, unreadable

from hanro.events.orders import (
    OrderCancelled,
    OrderChanged,
    OrderCompleted,
    OrderConfirmed,
    OrderFact,
    OrderLinesCancelled,
    OrderPlaced,
    OrderQuarantined,
    OrderReleased,
    OrderShipped,
)
from hanro.marketplace.types import Detail, Hold, Moment, OrderStatus, OrderTime, Sighting
from order_svc.domain.orders import Order
from order_svc.domain.reconcile import Change, reconcile, reconcile_or_quarantine
from order_svc.store.order_rows import Document, document_of

LATER = NOON + timedelta(minutes=5)


def look(known: Order | None, sighting: Sighting, **wanted: str) -> Change | None:
    return reconcile(known, sighting, account=account(), route=wanted.get("route", "placed"), at=sighting.seen_at)


def placed(sighting: Sighting) -> Order:
    change = look(None, sighting)
    assert change is not None
    return change.order


def changed(known: Order | None, sighting: Sighting) -> Change:
    change = look(known, sighting)
    assert change is not None
    return change


def test_an_order_seen_first_is_placed_with_version_1() -> None:
    change = changed(None, seen())
    assert type(change.fact) is OrderPlaced
    assert change.fact.version == 1
    assert change.fact.first_seen_by == "placed"
    assert change.fact.milestones == {"placed": NOON - timedelta(minutes=1)}
    assert change.fact.lines[0].open_quantity == 1
    assert change.fact.work_state == "new"


def test_an_order_seen_again_changes_nothing() -> None:
    assert look(placed(seen()), seen(at=LATER)) is None


def test_other_bytes_with_the_same_meaning_change_nothing() -> None:
    assert look(placed(seen()), seen(at=LATER, raw=b"the same, written differently")) is None


def test_an_older_sighting_never_moves_an_order_back() -> None:
    known = placed(seen(status=OrderStatus.CANCELLED, at=LATER))
    assert look(known, seen(at=NOON)) is None


def test_an_older_sighting_does_not_release_what_nobody_could_read_since_whoever_told_of_it_first() -> None:
    known = replace(placed(seen(at=NOON - timedelta(minutes=1))), is_from_file=True)
    held = changed(known, unreadable(at=LATER)).order
    assert (held.is_from_file, held.is_quarantined) == (True, True)
    assert look(held, seen(at=NOON)) is None
    assert type(changed(held, seen(at=LATER + timedelta(minutes=1))).fact) is OrderReleased


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (OrderStatus.ACCEPTED, OrderConfirmed),
        (OrderStatus.READY, OrderConfirmed),
        (OrderStatus.SHIPPED, OrderShipped),
        (OrderStatus.COMPLETED, OrderCompleted),
        (OrderStatus.CANCELLED, OrderCancelled),
        (OrderStatus.CANCELLING, OrderChanged),
        (OrderStatus.ON_HOLD, OrderChanged),
    ],
)
def test_a_new_status_is_told_by_its_own_fact(status: OrderStatus, kind: type[OrderFact]) -> None:
    change = changed(placed(seen()), seen(status=status, at=LATER))
    assert type(change.fact) is kind
    assert change.fact.version == 2


def test_an_order_that_jumped_two_steps_is_told_once_with_both_milestones() -> None:
    change = changed(placed(seen()), seen(status=OrderStatus.SHIPPED, at=LATER))
    assert type(change.fact) is OrderShipped
    assert change.fact.milestones["confirmed"] == LATER
    assert change.fact.milestones["shipped"] == LATER


def test_a_milestone_keeps_the_time_at_which_it_was_first_reached() -> None:
    confirmed = changed(placed(seen()), seen(status=OrderStatus.ACCEPTED, at=LATER)).order
    shipped = changed(confirmed, seen(status=OrderStatus.SHIPPED, at=LATER + timedelta(days=1))).order
    assert shipped.milestones["confirmed"] == LATER


def test_a_milestone_has_the_marketplaces_own_time_where_it_states_one() -> None:
    when = NOON + timedelta(minutes=2)
    times = {OrderTime.ACCEPTED: Moment(at=when, local="2026-03-01T21:02:00")}
    change = changed(placed(seen()), seen(status=OrderStatus.ACCEPTED, at=LATER, times=times))
    assert change.fact.milestones["confirmed"] == when


def test_an_old_order_seen_first_tells_no_fresh_milestone() -> None:
    long_ago = NOON - timedelta(days=700)
    change = changed(None, seen(status=OrderStatus.READY, placed=long_ago))
    assert type(change.fact) is OrderPlaced
    assert change.fact.milestones == {"placed": long_ago, "confirmed": long_ago}


def test_an_order_from_before_the_account_began_is_backfilled() -> None:
    begun = account(orders_from=NOON)
    old = reconcile(None, seen(placed=NOON - timedelta(seconds=1)), account=begun, route="open", at=NOON)
    new = reconcile(None, seen(placed=NOON), account=begun, route="open", at=NOON)
    assert old is not None
    assert new is not None
    assert (old.fact.is_backfilled, new.fact.is_backfilled) == (True, False)


def test_fewer_units_of_a_line_are_cancelled_units() -> None:
    known = placed(seen(lines=(line(quantity=5),)))
    change = changed(known, seen(lines=(line(quantity=2),), at=LATER))
    assert type(change.fact) is OrderLinesCancelled
    assert change.fact.lines[0].open_quantity == 2


def test_a_line_that_is_cancelled_leaves_the_others_open() -> None:
    known = placed(seen(lines=(line("1"), line("2"))))
    change = changed(known, seen(lines=(line("1"), line("2", status=OrderStatus.CANCELLED)), at=LATER))
    assert type(change.fact) is OrderLinesCancelled
    assert change.fact.status == "new"
    assert [one.open_quantity for one in change.fact.lines] == [1, 0]


def test_units_that_left_the_house_stay_counted_after_a_cancellation() -> None:
    shipped = placed(seen(lines=(line(quantity=3, status=OrderStatus.SHIPPED),)))
    change = changed(shipped, seen(lines=(line(quantity=3, status=OrderStatus.CANCELLED),), at=LATER))
    assert change.fact.lines[0].shipped_quantity == 3
    assert change.fact.lines[0].open_quantity == 0


def test_lines_that_a_sighting_cannot_show_stay_as_they_were() -> None:
    known = placed(seen(lines=(line("1"), line("2"))))
    change = changed(known, seen(lines=(line("1", status=OrderStatus.READY),), at=LATER, has_all_lines=False))
    assert [(one.external_id, one.status) for one in change.order.lines] == [("1", "ready"), ("2", "new")]


def test_a_shipped_line_stays_shipped_where_the_list_cannot_tell() -> None:
    known = placed(seen(status=OrderStatus.SHIPPED))
    sighting = seen(status=OrderStatus.READY, at=LATER, lacks=frozenset({Detail.DISPATCH}))
    change = look(known, sighting)
    assert (change.order if change else known).status == "shipped"


def test_a_line_keeps_its_id() -> None:
    known = placed(seen())
    assert changed(known, seen(status=OrderStatus.READY, at=LATER)).order.lines[0].id == known.lines[0].id


def test_a_buyer_that_a_sighting_lacks_is_kept() -> None:
    lacking = frozenset({Detail.CONTACT})
    change = changed(placed(seen()), seen(status=OrderStatus.READY, at=LATER, has_buyer=False, lacks=lacking))
    assert change.personal is None


def test_a_changed_note_is_a_change_though_no_fact_tells_it() -> None:
    change = changed(placed(seen()), seen(at=LATER, note="平日に届けてください"))
    assert type(change.fact) is OrderChanged
    assert "平日" not in change.fact.model_dump_json()


def test_a_hold_that_ends_is_a_change() -> None:
    known = placed(seen(holds=frozenset({Hold.CHECK, Hold.AMOUNT})))
    assert known.holds == ("amount", "check")
    assert type(changed(known, seen(at=LATER)).fact) is OrderChanged


def test_the_buyer_stands_in_the_personal_part_alone() -> None:
    change = changed(None, seen(note="門の前に"))
    assert change.personal is not None
    personal = json.loads(change.personal)
    assert personal["buyer"]["name"]["full"] == NAME
    assert personal["packages"][0]["address"]["postal_code"] == "000-0000"
    assert personal["notes"] == {"remarks": "門の前に"}
    for open_part in (change.order.sheet, change.fact.model_dump_json(), repr(change)):
        assert NAME not in open_part
        assert EMAIL not in open_part
        assert "見本町" not in open_part
        assert "門の前" not in open_part


def test_the_sheet_states_what_facts_leave_out() -> None:
    sheet = json.loads(placed(seen()).sheet)
    assert sheet["packages"][0]["parcels"][0]["carrier_code"] == "1001"
    assert sheet["lines"][0]["tax_rate"] == "0.08"


def test_an_unreadable_order_is_quarantined_once() -> None:
    change = changed(None, unreadable())
    assert type(change.fact) is OrderQuarantined
    assert change.order.quarantine_code == "unknown-status"
    assert change.fact.lines == ()
    assert look(change.order, unreadable(at=LATER)) is None


def test_an_order_without_a_number_is_quarantined_under_its_bytes() -> None:
    first, again = placed(unreadable(None)), placed(unreadable(None, at=LATER))
    assert first.external_id == again.external_id
    assert first.external_id.startswith("unreadable-")


def test_a_known_order_that_turns_unreadable_keeps_its_lines_and_comes_back() -> None:
    quarantined = changed(placed(seen()), unreadable(at=LATER))
    assert type(quarantined.fact) is OrderQuarantined
    assert quarantined.order.lines
    released = changed(quarantined.order, seen(at=LATER + timedelta(minutes=1)))
    assert type(released.fact) is OrderReleased
    assert released.fact.version == 3
    assert not released.fact.is_quarantined


def test_a_quarantined_order_that_can_be_read_is_released_then_normal() -> None:
    released = changed(placed(unreadable()), seen(at=LATER))
    assert type(released.fact) is OrderReleased
    assert released.fact.placed_at == NOON - timedelta(minutes=1)
    assert "placed" in released.fact.milestones
    confirmed = changed(released.order, seen(status=OrderStatus.READY, at=LATER + timedelta(minutes=1)))
    assert type(confirmed.fact) is OrderConfirmed


def test_the_works_state_follows_and_never_falls_back_to_new() -> None:
    known = placed(seen(status=OrderStatus.READY))
    assert known.work_state == "in_progress"
    held = changed(known, seen(status=OrderStatus.ON_HOLD, at=LATER)).order
    assert held.work_state == "in_progress"


@given(
    st.permutations(
        list(enumerate([OrderStatus.NEW, OrderStatus.ACCEPTED, OrderStatus.SHIPPED, OrderStatus.CANCELLED]))
    )
)
def test_sightings_in_any_order_end_at_the_newest(sightings: list[tuple[int, OrderStatus]]) -> None:
    known: Order | None = None
    versions = []
    for minute, status in sightings:
        change = look(known, seen(status=status, at=NOON + timedelta(minutes=minute)))
        if change is not None:
            known = change.order
            versions.append(change.fact.version)
    assert known is not None
    assert known.status == "cancelled"
    assert versions == list(range(1, len(versions) + 1))


def test_an_order_that_cannot_be_told_is_quarantined_and_not_the_page() -> None:
    half_a_surrogate = seen(note="\ud83c")
    change = reconcile_or_quarantine(None, half_a_surrogate, account=account(), route="placed", at=NOON)
    assert change is not None
    assert type(change.fact) is OrderQuarantined
    assert change.order.external_id == half_a_surrogate.external_id


@pytest.mark.parametrize("number", ["", "a\x00b", "1" * 201])
def test_an_order_whose_number_cannot_be_stored_is_quarantined_under_its_bytes(number: str) -> None:
    change = reconcile_or_quarantine(None, seen(number), account=account(), route="placed", at=NOON)
    assert change is not None
    assert change.order.is_quarantined
    assert change.order.external_id.startswith("unreadable-")


def before_and_shipped(fact: OrderFact) -> list[tuple[int | None, int]]:
    return [(line.shipped_before, line.shipped_quantity) for line in fact.lines]


def test_a_line_tells_for_good_what_had_left_the_house_when_it_was_seen_first() -> None:
    change = changed(None, seen(lines=(line("1", quantity=2), line("2", quantity=3, status=OrderStatus.SHIPPED))))
    assert before_and_shipped(change.fact) == [(0, 0), (3, 3)]
    later = tuple(
        line(one, quantity=count, status=OrderStatus.SHIPPED) for one, count in (("1", 2), ("2", 4), ("3", 1))
    )
    change = changed(change.order, seen(lines=later, at=LATER))
    assert before_and_shipped(change.fact) == [(0, 2), (3, 4), (1, 1)]


def test_an_order_that_was_stored_before_it_was_kept_does_not_tell_what_had_left_the_house() -> None:
    old = document_of(placed(seen())).replace('"shipped_before":0', '"unknown":0')
    known = replace(placed(seen()), lines=Document.model_validate_json(old).lines)
    change = changed(known, seen(status=OrderStatus.SHIPPED, at=LATER))
    assert before_and_shipped(change.fact) == [(None, 1)]


@pytest.mark.parametrize(("reserves_stock", "before"), [(True, 0), (False, 1)])
def test_what_left_the_house_while_a_file_was_not_to_move_stock_had_left_before(
    reserves_stock: bool,  # noqa: FBT001  a parameter of the test
    before: int,
) -> None:
    known = replace(placed(seen()), is_from_file=True, reserves_stock=reserves_stock)
    change = changed(known, seen(status=OrderStatus.SHIPPED, at=LATER))
    assert before_and_shipped(change.fact) == [(before, 1)]
