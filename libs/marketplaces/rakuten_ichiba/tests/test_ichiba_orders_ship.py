"""Parcels are registered once, dated by the last one, and never blindly after a lost answer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from ichiba_decided import failure_code, statuses
from ichiba_session import CannedHttp, SocketHttp, answered, open_session, open_shop_session
from ichiba_shipped import FIRST, SECOND, THIRD, parcel, read_order, rows
from ichiba_wire import Shop, Simulator, open_shop, running_simulator, set_clock

from hanro.errors import InDoubt, Rejected, Retryable, Unsupported
from hanro.marketplace.types import OrderRef, OutcomeStatus, SeenOrder, Ticket, Tracking
from hanro_rakuten_ichiba.orders import IchibaOrders

NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
APPLIED, SENT, REJECTED = OutcomeStatus.APPLIED, OutcomeStatus.SENT, OutcomeStatus.REJECTED
UNKNOWN = "999001-20260101-0000000001"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        set_clock(running, NOW.isoformat())
        yield running


@pytest.fixture
def shop(simulator: Simulator) -> Iterator[Shop]:
    simulator.control("POST", "/reset")
    yield open_shop(simulator, "999001")
    simulator.control("DELETE", "/faults")


def orders_of(shop: Shop, *, later: timedelta = timedelta()) -> IchibaOrders:
    return IchibaOrders(open_shop_session(shop, now=NOW + later).session)


async def place(shop: Shop, progress: int = 300, **wish: Any) -> SeenOrder:
    made = shop.control("POST", "/orders", {"progress": progress, "kind": "ordinary", **wish})
    return await read_order(orders_of(shop), str(made["external_id"]))


def sent(shop: Shop, function: str) -> int:
    entries = shop.simulator.control("GET", "/journal?after=0")["entries"]
    return sum(1 for entry in entries if entry.get("function") == function)


def fault(shop: Shop, kind: str, function: str, **fields: object) -> None:
    shop.simulator.control("POST", "/faults", {"kind": kind, "match": {"path": function}, "count": 1, **fields})


async def test_the_parcels_of_one_order_are_registered_at_once_and_keep_their_ids(shop: Shop) -> None:
    order = await place(shop)
    asked = [parcel(order, FIRST, is_last=False), parcel(order, SECOND, carrier="sagawa")]
    receipt = await orders_of(shop).ship(asked)
    assert set(statuses(receipt)) == {APPLIED}
    assert receipt.ticket is None
    assert rows(shop, order.external_id) == [("1001", FIRST, "2026-06-01"), ("1002", SECOND, "2026-06-01")]
    ids = [one.external_id for one in (await read_order(orders_of(shop), order.external_id)).packages[0].parcels]
    assert list(dict.fromkeys(outcome.external_id for outcome in receipt.outcomes)) == ids
    assert (sent(shop, "updateOrderShipping"), sent(shop, "updateOrderShippingAsync")) == (1, 0)


async def test_rows_have_no_date_until_the_last_parcel_dates_all(shop: Shop) -> None:
    order = await place(shop)
    await orders_of(shop).ship([parcel(order, FIRST, is_last=False)])
    assert rows(shop, order.external_id) == [("1001", FIRST, None)]
    shop.simulator.control("POST", "/night-run")
    await orders_of(shop).ship([parcel(order, SECOND, shipped_on=date(2026, 6, 2))])
    assert rows(shop, order.external_id) == [("1001", FIRST, "2026-06-02"), ("1001", SECOND, "2026-06-02")]


async def test_the_day_is_japans_where_nobody_said_one(shop: Shop) -> None:
    order = await place(shop)
    late = timedelta(hours=13)
    await orders_of(shop, later=late).ship([parcel(order, shipped_on=None)])
    assert rows(shop, order.external_id) == [("1001", FIRST, "2026-06-02")]


async def test_the_same_parcel_twice_is_one_row(shop: Shop) -> None:
    order = await place(shop)
    first = parcel(order)
    await orders_of(shop).ship([first, replace(first, id="shp_other")])
    again = await orders_of(shop).ship([first])
    assert all(outcome.is_repeat for outcome in again.outcomes)
    assert rows(shop, order.external_id) == [("1001", FIRST, "2026-06-01")]
    assert sent(shop, "updateOrderShipping") == 1


async def test_a_number_that_was_registered_undated_is_dated_by_the_last_and_not_doubled(shop: Shop) -> None:
    order = await place(shop)
    await orders_of(shop).ship([parcel(order, FIRST, is_last=False), parcel(order, SECOND, is_last=False)])
    receipt = await orders_of(shop).ship([parcel(order, SECOND)])
    assert set(statuses(receipt)) == {APPLIED}
    assert [row[2] for row in rows(shop, order.external_id)] == ["2026-06-01", "2026-06-01"]


async def test_several_destinations_get_their_own_parcels(shop: Shop) -> None:
    order = await place(shop, kind="several-destinations")
    assert len(order.packages) > 1
    asked = [parcel(order, f"{place:012d}", package=place) for place in range(len(order.packages))]
    await orders_of(shop).ship(asked)
    seen = await read_order(orders_of(shop), order.external_id)
    assert [[one.number for one in package.parcels] for package in seen.packages] == [
        [one.tracking.number] for one in asked
    ]


async def test_a_destination_is_found_by_its_lines_and_lines_of_several_are_refused(shop: Shop) -> None:
    order = await place(shop, kind="several-destinations")
    one = parcel(order, package=None, is_last=False)
    mixed = replace(one, id="shp_mixed", lines=(*one.lines, *parcel(order, package=1).lines))
    receipt = await orders_of(shop).ship([one, mixed])
    found = {outcome.key.id: outcome for outcome in receipt.outcomes}
    assert (found[one.id].status, failure_code(found["shp_mixed"])) == (APPLIED, "refused")


async def test_a_correction_replaces_its_row_and_may_take_its_date_back(shop: Shop) -> None:
    order = await place(shop)
    await orders_of(shop).ship([parcel(order)])
    (known,) = (await read_order(orders_of(shop), order.external_id)).packages[0].parcels
    corrected = parcel(order, SECOND, replaces=known.external_id)
    assert set(statuses(await orders_of(shop).ship([corrected]))) == {APPLIED}
    assert set(statuses(await orders_of(shop).verify([corrected]))) == {APPLIED}
    assert rows(shop, order.external_id) == [("1001", SECOND, "2026-06-01")]
    undated = parcel(order, SECOND, replaces=known.external_id, is_last=False, shipped_on=None)
    assert set(statuses(await orders_of(shop).verify([undated]))) == {OutcomeStatus.NOT_SENT}
    await orders_of(shop).ship([undated])
    assert rows(shop, order.external_id) == [("1001", SECOND, None)]
    assert set(statuses(await orders_of(shop).verify([undated]))) == {APPLIED}


async def test_more_parcels_than_a_request_holds_go_in_several(shop: Shop) -> None:
    order = await place(shop)
    asked = [parcel(order, f"{number:012d}") for number in range(45)]
    receipt = await orders_of(shop).ship(asked)
    assert set(statuses(receipt)) == {APPLIED}
    assert len(rows(shop, order.external_id)) == 45
    assert sent(shop, "updateOrderShipping") == 3


async def test_several_orders_are_queued_and_told_later(shop: Shop) -> None:
    placed = [await place(shop) for _ in range(3)]
    asked = [parcel(order, number) for order, number in zip(placed, (FIRST, SECOND, THIRD), strict=True)]
    receipt = await orders_of(shop).ship(asked)
    assert set(statuses(receipt)) == {SENT}
    ticket = receipt.ticket
    assert ticket is not None
    assert ticket.poll_at - ticket.sent_at == timedelta(seconds=5)
    early = await orders_of(shop).poll(ticket, asked)
    assert (set(statuses(early)), early.ticket is not None) == ({SENT}, True)
    shop.control("POST", f"/orders/{placed[1].external_id}/cancel")
    shop.simulator.control("PUT", "/clock", {"advance_seconds": 6})
    for _ in range(2):
        done = await orders_of(shop).poll(ticket, asked)
        by_id = {outcome.key.id: outcome for outcome in done.outcomes}
        assert done.ticket is None
        assert [by_id[one.id].status for one in asked] == [APPLIED, REJECTED, APPLIED]
        assert failure_code(by_id[asked[1].id]) == "order-cancelled"
        failure = by_id[asked[1].id].failure
        assert failure is not None
        assert failure.refusal is not None
        assert failure.refusal.code == "ORDER_EXT_API_UPDATE_ORDERSHIPPING_ERROR_102"
        assert by_id[asked[0].id].external_id is not None
    assert [outcome.key for outcome in done.outcomes] == [outcome.key for outcome in receipt.outcomes]
    assert set(statuses(await orders_of(shop).verify([asked[0], asked[2]]))) == {APPLIED}


async def test_a_ticket_that_is_lost_is_in_doubt_only_when_it_is_given_up(shop: Shop) -> None:
    placed = [await place(shop) for _ in range(2)]
    asked = [parcel(order) for order in placed]
    lost = Ticket(
        method="orders.ship",
        external_id="00000000-0000-4000-8000-000000000009_20260601120000",
        sent_at=NOW,
        poll_at=NOW,
        gives_up_at=NOW + timedelta(minutes=30),
    )
    waiting = await orders_of(shop, later=timedelta(minutes=29)).poll(lost, asked)
    assert set(statuses(waiting)) == {SENT}
    assert waiting.ticket is not None
    assert waiting.ticket.poll_at > NOW + timedelta(minutes=29)
    given_up = await orders_of(shop, later=timedelta(minutes=31)).poll(lost, asked)
    assert {failure_code(outcome) for outcome in given_up.outcomes} == {"ticket-lost"}
    assert set(statuses(given_up)) == {OutcomeStatus.IN_DOUBT}


async def test_a_cancelled_or_unknown_order_gets_no_parcel_and_the_others_do(shop: Shop) -> None:
    good, cancelled = await place(shop), await place(shop, 900)
    unknown = replace(parcel(good, SECOND), id="shp_x", order=OrderRef(external_id=UNKNOWN))
    live = [line for line in cancelled.lines if line.external_id]
    assert live
    receipt = await orders_of(shop).ship([parcel(cancelled, THIRD), parcel(good), unknown])
    codes = {outcome.key.id: failure_code(outcome) for outcome in receipt.outcomes}
    assert set(codes.values()) == {None, "order-cancelled", "not-found"}
    assert set(statuses(await orders_of(shop).verify([parcel(good)]))) == {APPLIED}
    assert rows(shop, cancelled.external_id) == []


@pytest.mark.parametrize(
    ("tracking", "code"),
    [
        (Tracking(carrier_code="nobody", marketplace_value="1001", number=FIRST, url=None), "carrier-unsupported"),
        (Tracking(carrier_code="sagawa", marketplace_value="1001", number=FIRST, url=None), "carrier-unsupported"),
        (Tracking(carrier_code="yamato", marketplace_value="1001", number="ABC", url=None), "number-malformed"),
    ],
)
async def test_a_bad_carrier_or_number_sends_nothing(shop: Shop, tracking: Tracking, code: str) -> None:
    order = await place(shop)
    before = sent(shop, "getOrder")
    receipt = await orders_of(shop).ship([parcel(order, tracking=tracking)])
    assert {failure_code(outcome) for outcome in receipt.outcomes} == {code}
    assert (sent(shop, "getOrder") - before, sent(shop, "updateOrderShipping")) == (0, 0)


async def test_what_is_absent_is_refused_with_its_reason(shop: Shop) -> None:
    order = await place(shop)
    exchange = replace(parcel(order), claim_id="1")
    with pytest.raises(Unsupported):
        await orders_of(shop).ship([exchange])
    receipt = await orders_of(shop).ship([exchange, replace(parcel(order), id="shp_good")])
    assert {outcome.key.id: outcome.status for outcome in receipt.outcomes} == {
        exchange.id: REJECTED,
        "shp_good": APPLIED,
    }


async def test_what_is_our_bug_is_refused_before_any_request(shop: Shop) -> None:
    order = await place(shop)
    with pytest.raises(ValueError, match="twice"):
        await orders_of(shop).ship([parcel(order), parcel(order)])
    with pytest.raises(ValueError, match="no line"):
        await orders_of(shop).ship([replace(parcel(order), lines=())])
    many = [replace(parcel(order), id=f"shp_{n}", order=OrderRef(external_id=str(n))) for n in range(101)]
    with pytest.raises(ValueError, match="100"):
        await orders_of(shop).ship(many)
    assert (await orders_of(shop).ship([])).outcomes == ()


@pytest.mark.parametrize(
    ("kind", "fields", "stands"),
    [("reset-after", {}, True), ("cut-body", {}, True), ("html", {"applied": True}, True), ("reset-before", {}, False)],
)
async def test_a_lost_answer_is_in_doubt_verified_by_the_number_and_never_a_second_row(
    shop: Shop, kind: str, fields: dict[str, object], *, stands: bool
) -> None:
    order = await place(shop)
    fault(shop, kind, "updateOrderShipping", **fields)
    receipt = await orders_of(shop).ship([parcel(order)])
    assert set(statuses(receipt)) == {OutcomeStatus.IN_DOUBT}
    assert all(isinstance(outcome.failure, InDoubt) for outcome in receipt.outcomes)
    verified = await orders_of(shop).verify([parcel(order)])
    assert set(statuses(verified)) == {APPLIED if stands else OutcomeStatus.NOT_SENT}
    await orders_of(shop).ship([parcel(order)])
    assert rows(shop, order.external_id) == [("1001", FIRST, "2026-06-01")]


async def test_a_lost_answer_to_queued_parcels_is_in_doubt_and_verified(shop: Shop) -> None:
    placed = [await place(shop) for _ in range(2)]
    asked = [parcel(order) for order in placed]
    fault(shop, "reset-after", "updateOrderShippingAsync")
    receipt = await orders_of(shop).ship(asked)
    assert (set(statuses(receipt)), receipt.ticket) == ({OutcomeStatus.IN_DOUBT}, None)
    shop.simulator.control("PUT", "/clock", {"advance_seconds": 6})
    assert set(statuses(await orders_of(shop).verify(asked))) == {APPLIED}


async def test_parcels_without_a_number_are_counted(shop: Shop) -> None:
    order = await place(shop)
    asked = [replace(parcel(order, None), id=f"shp_{place}") for place in range(2)]
    await orders_of(shop).ship(asked[:1])
    assert statuses(await orders_of(shop).verify(asked))[:: len(asked[0].lines)] == [APPLIED, OutcomeStatus.NOT_SENT]


def refusing(order: SeenOrder, *answers: object) -> IchibaOrders:
    """Answer getOrder with the order as it stands and writes with what is given, one after another."""
    queue = [json.dumps(answer, ensure_ascii=False).encode() for answer in answers]
    body = b'{"version":10,"MessageModelList":[],"OrderModelList":[' + order.raw + b"]}"
    http = CannedHttp(lambda request: answered(body) if "getOrder" in request.path else answered(queue.pop(0), 400))
    return IchibaOrders(open_session(http, now=NOW).session)


def entry(place: int | None, code: str = "ERROR_011", kind: str = "ERROR", row: int | None = None) -> dict[str, object]:
    prefix = "ORDER_EXT_API_UPDATE_ORDERSHIPPING_"
    named = {"dataNumber": place, "shippingDetailId": row}
    return {"messageType": kind, "messageCode": prefix + code, "message": "shippingDateの書式が不正です。", **named}


async def test_a_row_that_a_refusal_names_goes_out_and_the_others_go_again(shop: Shop) -> None:
    order = await place(shop)
    asked = [parcel(order, FIRST), parcel(order, SECOND)]
    orders = refusing(order, {"MessageModelList": [entry(1)]}, {"MessageModelList": [entry(1, "INFO_101", "INFO", 70)]})
    by_id = {outcome.key.id: outcome for outcome in (await orders.ship(asked)).outcomes}
    assert isinstance(by_id[asked[0].id].failure, Rejected)
    assert failure_code(by_id[asked[0].id]) == "refused"
    assert (by_id[asked[1].id].status, by_id[asked[1].id].external_id) == (APPLIED, "70")


async def test_a_refusal_without_a_row_is_for_all_and_silence_is_doubt(shop: Shop) -> None:
    order = await place(shop)
    asked = [parcel(order, FIRST), parcel(order, SECOND)]
    refused = await refusing(order, {"MessageModelList": [entry(None, "ERROR_101")]}).ship(asked)
    assert {failure_code(outcome) for outcome in refused.outcomes} == {"refused"}
    silent = await refusing(order, {"MessageModelList": [entry(2, "INFO_101", "INFO", 70)]}).ship(asked)
    by_id = {outcome.key.id: outcome.status for outcome in silent.outcomes}
    assert [by_id[one.id] for one in asked] == [OutcomeStatus.IN_DOUBT, APPLIED]


async def test_a_refusal_before_anything_left_raises(shop: Shop) -> None:
    order = await place(shop)
    fault(shop, "throttle", "updateOrderShipping")
    with pytest.raises(Retryable):
        await orders_of(shop).ship([parcel(order)])
    assert rows(shop, order.external_id) == []


async def test_the_session_sends_no_more_than_the_plan_says(shop: Shop) -> None:
    order = await place(shop)
    opened = open_shop_session(shop, now=NOW)
    await IchibaOrders(opened.session).ship([parcel(order)])
    assert isinstance(opened.http, SocketHttp)
    assert [request.path.rstrip("/").rpartition("/")[2] for request in opened.http.sent] == [
        "getOrder",
        "updateOrderShipping",
    ]
