"""Proves that a cancellation reaches the marketplace once, and that the order follows what it shows then."""

import pytest
from order_asks import cancel, facts, order_of, parcels_of, ready, ripen, ship, store, undate
from order_playground import Playground, activated, advanced, means_for, prepare, tell

from hanro import operations
from hanro.clock import SystemClock
from hanro.db import Database
from hanro.errors import LocalizedText, MenuPath, Rejected, Unsupported
from hanro.marketplace.types import Absent, Capability, OrderStatus, SeenOrder
from hanro.operations import Operation
from order_svc.domain.cancellations import Units
from order_svc.poller import Means
from order_svc.sender import Sender

pytestmark = pytest.mark.schema("orders", prepare)

BY_HAND = Absent(
    reason=LocalizedText(ja="画面で行います。", en="It is done by hand there."),
    source="invented",
    menu=MenuPath(steps=("受注", "キャンセル")),
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
    order = ready(quantities=quantities or (1,))
    playground.buy(order)
    return await store(means, order)


async def done(means: Means, operation_id: str) -> Operation:
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    async with means.db.begin() as tx:
        return await operations.get_(tx, operation_id)


@pytest.mark.row("O10", kind="walks")
async def test_a_whole_order_is_cancelled_once_and_shows_it(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground, 2, 1)
    operation = await done(means, await cancel(means, playground, order_id))
    assert (operation.status, operation.asked["capability"]) == ("applied", "cancel_order")
    assert (await order_of(means.db, order_id)).status == "cancelled"
    assert await facts(means.db, order_id) == ["placed", "cancelled"]
    assert playground.calls("cancel") == [("n-1",)]
    async with means.db.begin() as tx:
        assert [row["comment"] for row in await tx.fetch("select comment from cancellations")] == [None]


@pytest.mark.row("O10", kind="walks")
@pytest.mark.row("P14", kind="walks")
async def test_three_of_five_units_are_cancelled_and_two_stay(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground, 5)
    operation = await done(means, await cancel(means, playground, order_id, units=[Units(line_id="1", count=3)]))
    assert (operation.status, operation.asked["capability"]) == ("applied", "cancel_quantity")
    order = await order_of(means.db, order_id)
    assert [(one.quantity, one.open_quantity) for one in order.lines] == [(2, 2)]
    assert (await facts(means.db, order_id))[-1] == "lines_cancelled"
    parcel = await ship(means, playground, order_id)
    assert dict(parcel.lines) == {"1": 2}


async def test_a_yes_to_units_that_no_look_can_tell_is_believed(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground, 5)
    playground.cannot_tell = True
    operation_id = await cancel(means, playground, order_id, units=[Units(line_id="1", count=3)])
    assert (await done(means, operation_id)).status == "applied"
    assert [one.quantity for one in (await order_of(means.db, order_id)).lines] == [2]


async def test_one_line_is_cancelled_and_the_other_is_shipped(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground, 1, 1)
    operation = await done(means, await cancel(means, playground, order_id, units=[Units(line_id="2", count=1)]))
    assert (operation.status, operation.asked["capability"]) == ("applied", "cancel_line")
    await ship(means, playground, order_id)
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    assert (await facts(means.db, order_id))[-1] == "shipped"


@pytest.mark.row("O10", kind="refuses")
async def test_what_cannot_be_cancelled_there_says_where_it_is_done(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground, 5)
    playground.capabilities = {**playground.capabilities, Capability.CANCEL_QUANTITY: BY_HAND}
    with pytest.raises(Unsupported) as refused:
        await cancel(means, playground, order_id, units=[Units(line_id="1", count=3)])
    assert (refused.value.code, refused.value.menu) == ("absent", BY_HAND.menu)


async def test_after_shipping_it_takes_a_marketplace_that_takes_that(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground)
    await store(means, advanced(ready(), OrderStatus.SHIPPED))
    playground.capabilities = {**playground.capabilities, Capability.CANCEL_SHIPPED: BY_HAND}
    with pytest.raises(Unsupported):
        await cancel(means, playground, order_id)


@pytest.mark.row("O10", kind="refuses")
@pytest.mark.parametrize(
    ("units", "code"),
    [
        ([Units(line_id="1", count=6)], "too-many-units"),
        ([Units(line_id="9", count=1)], "line-unknown"),
        ([Units(line_id="1", count=1), Units(line_id="1", count=2)], "line-doubled"),
    ],
)
async def test_other_units_than_stand_are_refused(
    means: Means, playground: Playground, units: list[Units], code: str
) -> None:
    order_id = await bought(means, playground, 5)
    with pytest.raises(Rejected) as refused:
        await cancel(means, playground, order_id, units=units)
    assert refused.value.code == code


async def test_a_cancelled_order_is_not_cancelled_again(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground)
    await done(means, await cancel(means, playground, order_id))
    with pytest.raises(Rejected) as refused:
        await cancel(means, playground, order_id)
    assert refused.value.code == "order-cancelled"


async def test_a_lost_answer_is_looked_into_and_not_sent_again(means: Means, playground: Playground) -> None:
    order_id = await bought(means, playground)
    operation_id = await cancel(means, playground, order_id)
    playground.loses = True
    await Sender(means).send_due()
    await ripen(means.db)
    assert (await done(means, operation_id)).status == "applied"
    assert playground.calls("cancel") == [("n-1",)]
    assert (await order_of(means.db, order_id)).status == "cancelled"


@pytest.mark.parametrize("is_done", [True, False])
async def test_units_whose_answer_was_lost_are_told_by_what_must_be_left(
    means: Means, playground: Playground, *, is_done: bool
) -> None:
    order_id = await bought(means, playground, 5)
    operation_id = await cancel(means, playground, order_id, units=[Units(line_id="1", count=3)])
    playground.loses, playground.drops = is_done, not is_done
    await Sender(means).send_due()
    # Whoever reads the order meanwhile no longer knows how much there was.
    (shown,) = playground.orders.values()
    assert isinstance(shown, SeenOrder)
    await store(means, shown)
    await ripen(means.db, minutes=5)
    operation = await done(means, operation_id)
    if not is_done:
        assert operation.status == "accepted"
        await ripen(means.db)
        operation = await done(means, operation_id)
    assert operation.status == "applied"
    assert [one.quantity for one in (await order_of(means.db, order_id)).lines] == [2]
    assert len(playground.calls("cancel")) == (1 if is_done else 2)


async def test_a_dated_parcel_loses_its_day_and_then_the_order_is_cancelled(
    means: Means, playground: Playground
) -> None:
    order_id = await bought(means, playground)
    await ship(means, playground, order_id)
    sender = Sender(means)
    await sender.send_due()
    await sender.look_again()
    refused = await done(means, await cancel(means, playground, order_id))
    assert (refused.status, (refused.failure or {})["code"]) == ("rejected", "parcel-dated")
    (parcel,) = await parcels_of(means.db, order_id)
    await undate(means, playground, parcel.id)
    await sender.send_due()
    await sender.look_again()
    assert [one.state for one in await parcels_of(means.db, order_id)] == ["replaced", "registered"]
    assert (await done(means, await cancel(means, playground, order_id))).status == "applied"
    assert (await order_of(means.db, order_id)).status == "cancelled"
