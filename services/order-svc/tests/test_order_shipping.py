"""Proves that a parcel is registered once, believed once a read shows it, and never for what is cancelled."""

import asyncio
from datetime import timedelta
from itertools import permutations
from typing import Any, cast

import pytest
from order_asks import NUMBER, cancel, facts, order_of, parcels_of, ready, ripen, ship, store
from order_playground import Playground, activated, advanced, means_for, prepare, tell
from order_sightings import seen, unreadable

from hanro import operations
from hanro.clock import SystemClock
from hanro.db import Database
from hanro.errors import LocalizedText, MenuPath, Rejected, Retryable, Unsupported
from hanro.events.accounts import SwitchesSet
from hanro.marketplace.types import Absent, Capability, Hold, OrderStatus
from hanro.marketplace.types import Shipment as AskedShipment
from order_svc import backlogs, orders
from order_svc.poller import Means
from order_svc.sender import Sender

pytestmark = pytest.mark.schema("orders", prepare)

OTHER = "210987654321"
BY_HAND = Absent(
    reason=LocalizedText(ja="明細ごとには登録できません。", en="Rows name no lines there."),
    source="invented",
    menu=MenuPath(steps=("受注", "発送")),
)


@pytest.fixture
def playground() -> Playground:
    return Playground()


@pytest.fixture
async def means(db: Database, playground: Playground) -> Means:
    made = means_for(db, playground, SystemClock())
    await tell(db, activated())
    return made


async def bought(means: Means, playground: Playground, *quantities: int) -> str:
    """Give an order that waits to be shipped, there and here."""
    order = ready(quantities=quantities or (1,))
    playground.buy(order)
    return await store(means, order)


async def unconfirmed(means: Means) -> int:
    return sum(one.count for one in await backlogs.count(means.db, []) if one.name == "unconfirmed")


async def states(means: Means, order_id: str) -> list[str]:
    return [one.state for one in await parcels_of(means.db, order_id)]


@pytest.mark.row("O11", kind="walks")
@pytest.mark.row("P23", kind="walks")
async def test_a_parcel_is_registered_once_a_read_shows_it_and_the_order_is_told_as_shipped(
    means: Means, playground: Playground
) -> None:
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    sender = Sender(means)
    assert await sender.send_due() == 1
    assert await states(means, order_id) == ["sent"]
    assert await sender.look_again() == 1
    assert await sender.send_due() == 0
    (parcel,) = await parcels_of(means.db, order_id)
    assert (parcel.state, parcel.parcel_id) == ("registered", "d-1")
    assert [name for name, _ in playground.journal] == ["ship", "verify", "fetch"]
    order = await order_of(means.db, order_id)
    # The marketplace shows its own status only at night.
    assert (order.status, order.work_state, "shipped" in order.milestones) == ("ready", "shipped", True)
    assert order.shipments[0].tracking_url == f"https://yamato.example.invalid/track?no={NUMBER}"
    assert await facts(means.db, order_id) == ["placed", "shipped"]


async def test_the_nightly_run_does_not_tell_a_shipped_order_again(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    registered = (await order_of(means.db, order_id)).milestones["shipped"]
    await store(means, advanced(ready(), OrderStatus.SHIPPED))
    order = await order_of(means.db, order_id)
    assert (order.status, order.milestones["shipped"]) == ("shipped", registered)
    assert (await facts(means.db, order_id)).count("shipped") == 1


async def test_a_lost_answer_ends_as_registered_and_leaves_one_row(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    playground.loses = True
    sender = Sender(means)
    await sender.send_due()
    assert await states(means, order_id) == ["in_doubt"]
    await ripen(means.db)
    assert await sender.send_due() == 0
    await sender.look_again()
    assert await states(means, order_id) == ["registered"]
    assert [one.number for one in playground.parcels] == [NUMBER]
    assert playground.calls("ship") == [("n-1",)]


async def test_what_is_not_there_yet_is_not_sent_again_before_it_had_time_to_be_taken_up(
    means: Means, playground: Playground
) -> None:
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    playground.drops = True
    sender = Sender(means)
    await sender.send_due()
    await ripen(means.db)
    await sender.look_again()
    assert await states(means, order_id) == ["in_doubt"]
    await ripen(means.db, minutes=6)
    await sender.look_again()
    assert await states(means, order_id) == ["waiting"]
    await ripen(means.db)
    await sender.send_due()
    await sender.look_again()
    assert await states(means, order_id) == ["registered"]
    assert len(playground.calls("ship")) == 2


@pytest.mark.row("P23", kind="walks")
async def test_a_parcel_that_no_read_shows_is_unconfirmed_and_never_sent_again(
    means: Means, playground: Playground
) -> None:
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    playground.hides = True
    sender = Sender(means)
    await sender.send_due()
    await ripen(means.db, minutes=30)
    await sender.look_again()
    (parcel,) = await parcels_of(means.db, order_id)
    assert (parcel.state, parcel.is_unconfirmed, (parcel.failure or {})["code"]) == ("in_doubt", True, "unconfirmed")
    assert await unconfirmed(means) == 1
    assert (await facts(means.db, order_id))[-1] == "changed"
    await ripen(means.db, minutes=60)
    await sender.send_due()
    await sender.look_again()
    assert len(playground.calls("ship")) == 1
    playground.hides = False
    await ripen(means.db)
    await sender.look_again()
    (parcel,) = await parcels_of(means.db, order_id)
    assert (parcel.state, parcel.is_unconfirmed) == ("registered", False)
    assert await unconfirmed(means) == 0


async def test_a_process_that_died_after_sent_leaves_one_row(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    wishes = await orders.claim_wishes(means.db, means.plugins, limit=10, lease=timedelta(seconds=60))
    (sent,) = await orders.mark_sent(means.db, means.plugins, wishes)
    # It arrived, and the process died.
    await playground.ship([cast("AskedShipment", sent.effect)])
    sender = Sender(means)
    await ripen(means.db)
    assert await sender.send_due() == 0
    await sender.look_again()
    assert await states(means, order_id) == ["registered"]
    assert len(playground.parcels) == 1


async def test_what_is_queued_there_is_asked_for_by_its_ticket_until_it_is_done(
    means: Means, playground: Playground
) -> None:
    order_id = await bought(means, playground)
    playground.queues = True
    await ship(means, playground, order_id)
    sender = Sender(means)
    await sender.send_due()
    playground.failures = [Retryable("busy", code="throttled")]
    await sender.look_again()
    await ripen(means.db)
    await sender.look_again()
    await sender.look_again()
    assert await states(means, order_id) == ["registered"]
    assert playground.calls("poll") == ["t-1", "t-1"]
    assert len(playground.parcels) == 1


async def test_parcels_of_one_order_go_one_after_another_and_the_last_one_ships_it(
    means: Means, playground: Playground
) -> None:
    order_id = await bought(means, playground, 2, 1)
    first = await ship(means, playground, order_id, lines={"1": 1})
    second = await ship(means, playground, order_id, number=OTHER)
    assert (first.is_last, second.is_last, dict(second.lines)) == (False, True, {"1": 1, "2": 1})
    sender = Sender(means)
    await sender.send_due()
    assert await sender.send_due() == 0
    await sender.look_again()
    assert "shipped" not in (await order_of(means.db, order_id)).milestones
    await sender.send_due()
    await sender.look_again()
    assert await states(means, order_id) == ["registered", "registered"]
    assert [one.number for one in playground.parcels] == [NUMBER, OTHER]
    assert (await facts(means.db, order_id)).count("shipped") == 1


async def test_a_refused_parcel_of_a_batch_fails_no_other_and_is_told(means: Means, playground: Playground) -> None:
    ids = []
    for number in ("n-1", "n-2", "n-3"):
        playground.buy(ready(number))
        ids.append(await store(means, ready(number)))
        await ship(means, playground, ids[-1])
    playground.refused = {"n-2"}
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    assert [(await states(means, one))[0] for one in ids] == ["registered", "rejected", "registered"]
    assert len(playground.calls("ship")) == 1
    assert await facts(means.db, ids[1]) == ["placed", "shipment_rejected"]
    told = (await order_of(means.db, ids[1])).shipments[0]
    assert (told.state, told.failure_code) == ("rejected", "refused")
    # Its units are free for another try.
    playground.refused = set()
    await ship(means, playground, ids[1])
    await sender.send_due()
    await sender.look_again()
    assert (await facts(means.db, ids[1]))[-1] == "shipped"


@pytest.mark.row("P13", kind="walks")
@pytest.mark.row("O10", kind="refuses")
async def test_a_cancellation_recorded_before_dispatch_refuses_the_parcel(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    await store(means, advanced(ready(), OrderStatus.CANCELLED))
    await Sender(means).send_due()
    (parcel,) = await parcels_of(means.db, order_id)
    assert (parcel.state, (parcel.failure or {})["code"]) == ("rejected", "order-cancelled")
    assert playground.calls("ship") == []
    with pytest.raises(Rejected) as refused:
        await ship(means, playground, order_id)
    assert refused.value.code == "order-cancelled"


@pytest.mark.row("P13", kind="walks")
async def test_a_parcel_that_is_claimed_already_is_not_sent_for_an_order_cancelled_since(
    means: Means, playground: Playground
) -> None:
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    claimed = await orders.claim_wishes(means.db, means.plugins, limit=10, lease=timedelta(seconds=60))
    assert len(claimed) == 1
    await store(means, advanced(ready(), OrderStatus.CANCELLED))
    assert await orders.mark_sent(means.db, means.plugins, claimed) == []
    assert await states(means, order_id) == ["rejected"]


async def test_our_own_cancellation_refuses_the_parcels_that_wait(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    await cancel(means, playground, order_id)
    with pytest.raises(Rejected) as refused:
        await ship(means, playground, order_id)
    assert refused.value.code == "order-cancelled"
    sender = Sender(means)
    for _ in range(4):
        await sender.send_due()
        await sender.look_again()
    assert await states(means, order_id) == ["rejected"]
    assert (await order_of(means.db, order_id)).status == "cancelled"
    assert playground.parcels == []


@pytest.mark.fault
@pytest.mark.parametrize("turns", list(permutations(("buyer cancels", "import", "send"))))
async def test_no_order_of_events_confirms_a_cancelled_order(
    means: Means, playground: Playground, turns: tuple[str, ...]
) -> None:
    # Fault 24: the marketplace's cancellation, its import here, and the confirmation come in any order.
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    sender = Sender(means)
    for turn in turns:
        match turn:
            case "buyer cancels":
                now = playground.orders["n-1"]
                playground.buy(advanced(now, OrderStatus.CANCELLED))  # type: ignore[arg-type]
            case "import":
                await store(means, playground.orders["n-1"])
            case _:
                await sender.send_due()
    for _ in range(3):
        await ripen(means.db)
        await sender.look_again()
        await sender.send_due()
    await store(means, playground.orders["n-1"])
    was_first = turns.index("send") < turns.index("buyer cancels")
    assert len(playground.parcels) == int(was_first)
    assert await states(means, order_id) == (["registered"] if was_first else ["rejected"])
    order = await order_of(means.db, order_id)
    assert order.status == "cancelled"
    told = await facts(means.db, order_id)
    assert (told.count("cancelled"), told.count("shipped")) == (1, int("shipped" in order.milestones))


async def test_two_askers_take_the_last_unit_once(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground)
    answers = await asyncio.gather(
        *(ship(means, playground, order_id, number=one) for one in (NUMBER, OTHER)), return_exceptions=True
    )
    refused = [one for one in answers if isinstance(one, Rejected)]
    assert [one.code for one in refused] == ["nothing-left"]


async def test_an_account_that_observes_plans_the_parcel_and_sends_nothing(
    means: Means, playground: Playground
) -> None:
    order_id = await bought(means, playground)
    await tell(means.db, activated(2, switches=SwitchesSet(is_observing=True)))
    await ship(means, playground, order_id)
    await Sender(means).send_due()
    assert await states(means, order_id) == ["observed"]
    async with means.db.begin() as tx:
        (done,) = await operations.list_(tx, limit=2)
    assert [call["url"] for call in done.plan or ()] == ["https://playground.invalid/ship"]
    assert playground.calls("ship") == []


@pytest.mark.row("O11", kind="refuses")
async def test_single_lines_are_refused_where_the_marketplace_cannot_tell_them(
    means: Means, playground: Playground
) -> None:
    order_id = await bought(means, playground, 2)
    playground.capabilities = {**playground.capabilities, Capability.SHIP_LINE: BY_HAND}
    with pytest.raises(Unsupported) as refused:
        await ship(means, playground, order_id, lines={"1": 1})
    assert refused.value.menu == BY_HAND.menu
    # Several parcels can be told all the same: what is in each is not.
    first = await ship(means, playground, order_id, is_last=False)
    last = await ship(means, playground, order_id, number=OTHER)
    assert (dict(first.lines), dict(last.lines), last.is_last) == ({}, {"1": 2}, True)


@pytest.mark.parametrize(("lines", "code"), [({"1": 3}, "too-many-units"), ({"9": 1}, "line-unknown")])
@pytest.mark.row("O11", kind="refuses")
async def test_more_or_other_units_than_were_ordered_are_refused(
    means: Means, playground: Playground, lines: dict[str, int], code: str
) -> None:
    order_id = await bought(means, playground, 2)
    with pytest.raises(Rejected) as refused:
        await ship(means, playground, order_id, lines=lines)
    assert refused.value.code == code


@pytest.mark.row("O11", kind="refuses")
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"status": OrderStatus.NEW}, "not-accepted"),
        ({"status": OrderStatus.ON_HOLD}, "order-held"),
        ({"status": OrderStatus.READY, "holds": frozenset({Hold.PAYMENT})}, "order-held"),
        ({"status": OrderStatus.SHIPPED}, "already-shipped"),
        ({"status": OrderStatus.CANCELLING}, "order-cancelled"),
    ],
)
async def test_an_order_that_is_not_to_be_shipped_says_why(
    means: Means, playground: Playground, changed: dict[str, Any], code: str
) -> None:
    order_id = await store(means, seen("n-1", **changed))
    with pytest.raises(Rejected) as refused:
        await ship(means, playground, order_id)
    assert refused.value.code == code


async def test_an_order_that_cannot_be_read_is_not_shipped(means: Means, playground: Playground) -> None:
    order_id = await store(means, unreadable("n-1"))
    with pytest.raises(Rejected) as refused:
        await ship(means, playground, order_id)
    assert refused.value.code == "order-quarantined"


@pytest.mark.row("P13", kind="refuses")
@pytest.mark.parametrize("is_sent", [True, False])
async def test_a_parcel_whose_units_nobody_told_is_looked_for_or_refused_once_all_of_them_are_cancelled(
    means: Means, playground: Playground, *, is_sent: bool
) -> None:
    order_id = await bought(means, playground, 2)
    playground.capabilities = {**playground.capabilities, Capability.SHIP_LINE: BY_HAND}
    await ship(means, playground, order_id, is_last=False)
    sender = Sender(means)
    if is_sent:
        playground.loses = True
        await sender.send_due()
    await store(means, advanced(ready(quantities=(2,)), OrderStatus.CANCELLED))
    await ripen(means.db, minutes=10)
    await sender.send_due()
    await sender.look_again()
    assert await states(means, order_id) == (["registered"] if is_sent else ["rejected"])
    assert len(playground.calls("ship")) == is_sent
