"""Proves that an acceptance reaches the marketplace once, and that doubt is looked into, never sent over."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from order_playground import Playground, activated, advanced, means_for, prepare, recorded, tell
from order_sightings import seen

from hanro import operations
from hanro.clock import SystemClock
from hanro.credentials import Heard
from hanro.db import Database
from hanro.due import Lease
from hanro.errors import NeedsSeller, Retryable
from hanro.marketplace.types import (
    Batch,
    BatchUnit,
    Capability,
    Decision,
    LineKey,
    OrderStatus,
    Receipt,
    SeenOrder,
    Supported,
)
from hanro.operations import Operation
from hanro.sessions import OpenSession
from hanro.testing.clock import FixedClock
from order_svc import accounts, orders
from order_svc.domain.answers import Wanted
from order_svc.domain.effects import ACCEPT
from order_svc.domain.permits import Ability
from order_svc.poller import Means
from order_svc.sender import Sender

pytestmark = pytest.mark.schema("orders", prepare)

ORDER = seen()
ABILITIES = {"playground": Ability(supports={Capability.ACCEPT: Supported()})}
FETCH = {"orders.fetch": Batch(size=2, unit=BatchUnit.ORDER, groups=())}


@pytest.fixture
def playground() -> Playground:
    return Playground()


@pytest.fixture
async def means(db: Database, playground: Playground) -> Means:
    """Give an account with one new order that somebody wishes to accept."""
    made = means_for(db, playground, SystemClock())
    await tell(db, activated())
    playground.buy(ORDER)
    await wish(made, ORDER)
    return made


async def store(means: Means, sighting: SeenOrder) -> None:
    account = await accounts.find(means.db, "acc_1")
    assert account is not None
    await orders.ingest_fetched(
        means.db,
        means.keyring,
        [sighting],
        account=account,
        plugin=Playground().plugin(),
        at=means.clock.now(),
    )


async def wish(means: Means, sighting: SeenOrder) -> None:
    """Store an order, and wish to accept it."""
    await store(means, sighting)
    async with means.db.begin() as tx:
        (row,) = await tx.fetch("select id from orders where external_id = $1", sighting.external_id)
        await orders.decide(tx, row["id"], Wanted(kind=ACCEPT), account_ids=None, abilities=ABILITIES, by="tester")


async def operation(db: Database) -> Operation:
    async with db.begin() as tx:
        (found,) = await operations.list_(tx, limit=2)
    return found


async def ripen(db: Database) -> None:
    """Let leases run out and make due what waits for a time."""
    async with db.begin() as tx:
        await tx.execute("update operations set lease_until = null, next_at = '2000-01-01' where next_at is not null")


async def kinds(db: Database) -> list[str]:
    return [kind.removeprefix("hanro.order.").removesuffix(".v1") for kind, _ in await recorded(db)]


async def test_an_acceptance_is_sent_once_and_the_order_shows_it(means: Means, playground: Playground) -> None:
    sender = Sender(means)
    assert await sender.send_due() == 1
    assert await sender.send_due() == 0
    done = await operation(means.db)
    assert (done.status, done.attempt_count, done.answer) == ("applied", 1, {"is_repeat": False})
    assert playground.calls("decide") == [(ORDER.external_id,)]
    assert await kinds(means.db) == ["placed", "confirmed"]


async def test_a_lost_answer_is_looked_into_and_not_sent_again(means: Means, playground: Playground) -> None:
    playground.loses = True
    sender = Sender(means)
    await sender.send_due()
    assert (await operation(means.db)).status == "in_doubt"
    await ripen(means.db)
    assert await sender.send_due() == 0
    assert await sender.look_again() == 1
    assert (await operation(means.db)).status == "applied"
    assert len(playground.calls("decide")) == 1
    assert await kinds(means.db) == ["placed", "confirmed"]


async def test_a_lost_answer_is_looked_into_also_where_the_order_was_cancelled_since(
    means: Means, playground: Playground
) -> None:
    playground.loses = True
    await Sender(means).send_due()
    await store(means, advanced(ORDER, OrderStatus.CANCELLED))
    await ripen(means.db)
    assert await Sender(means).look_again() == 1
    ((decided,),) = [[effect for effect in playground.decided if effect.line_ids]]
    assert (await operation(means.db)).status == "applied"
    assert playground.calls("verify") == [(decided.order.external_id,)]


async def test_what_surely_did_not_arrive_is_sent_again_after_the_look(means: Means, playground: Playground) -> None:
    playground.drops = True
    sender = Sender(means)
    await sender.send_due()
    await ripen(means.db)
    await sender.look_again()
    assert (await operation(means.db)).status == "accepted"
    await ripen(means.db)
    await sender.send_due()
    assert (await operation(means.db)).status == "applied"
    assert [name for name, _ in playground.journal if name in {"decide", "verify"}] == ["decide", "verify", "decide"]


async def test_a_process_that_died_after_sent_leaves_doubt_and_no_second_call(
    means: Means, playground: Playground
) -> None:
    wishes = await orders.claim_wishes(means.db, means.plugins, limit=10, lease=timedelta(seconds=60))
    await orders.mark_sent(means.db, means.plugins, wishes)
    playground.buy(advanced(ORDER, OrderStatus.ACCEPTED))  # it arrived, and the process died
    sender = Sender(means)
    assert await sender.send_due() == 0
    assert await sender.look_again() == 0  # its lease still stands
    await ripen(means.db)
    assert await sender.send_due() == 0
    assert await sender.look_again() == 1
    assert (await operation(means.db)).status == "applied"
    assert playground.calls("decide") == []


async def test_a_call_that_raises_has_changed_nothing_and_comes_again(means: Means, playground: Playground) -> None:
    playground.failures = [Retryable("busy", code="throttled")]
    sender = Sender(means)
    await sender.send_due()
    waiting = await operation(means.db)
    assert waiting.status == "accepted"
    assert waiting.failure is not None
    assert waiting.failure["code"] == "throttled"
    assert await sender.send_due() == 0
    await ripen(means.db)
    await sender.send_due()
    assert (await operation(means.db)).status == "applied"


async def test_a_dead_key_pauses_the_account_and_the_wish_waits(means: Means, playground: Playground) -> None:
    playground.failures = [NeedsSeller("the key expired", code="credential-expired")]
    sender = Sender(means)
    await sender.send_due()
    await ripen(means.db)
    await sender.send_due()
    assert len(playground.calls("decide")) == 1
    assert (await operation(means.db)).status == "accepted"
    await tell(means.db, activated(2, credential_version=2))
    await ripen(means.db)
    await sender.send_due()
    assert (await operation(means.db)).status == "applied"


async def test_an_order_cancelled_in_the_meantime_is_not_sent(means: Means, playground: Playground) -> None:
    await store(means, advanced(ORDER, OrderStatus.CANCELLED))
    await Sender(means).send_due()
    done = await operation(means.db)
    assert done.status == "rejected"
    assert done.failure is not None
    assert done.failure["code"] == "order-cancelled"
    assert playground.calls("decide") == []


async def test_a_refusal_closes_the_operation_with_its_cause(means: Means, playground: Playground) -> None:
    playground.buy(advanced(ORDER, OrderStatus.CANCELLED))
    await Sender(means).send_due()
    done = await operation(means.db)
    assert done.status == "rejected"
    assert done.failure is not None
    assert done.failure["code"] == "order-cancelled"


async def test_a_wish_of_an_older_link_is_not_sent(means: Means, playground: Playground) -> None:
    await tell(means.db, activated(2, account_epoch=2))
    await Sender(means).send_due()
    assert (await operation(means.db)).status == "rejected"
    assert playground.calls("decide") == []


async def test_a_wish_is_not_sent_under_a_link_that_only_account_svc_knows_of(
    means: Means, playground: Playground
) -> None:
    async def linked_anew(
        account_id: str, *, heard: Heard | None, purpose: str, lease: Lease | None = None
    ) -> OpenSession:
        return replace(await means.open(account_id, heard=heard, purpose=purpose, lease=lease), account_epoch=2)

    await Sender(replace(means, open=linked_anew)).send_due()
    done = await operation(means.db)
    assert (done.status, done.failure and done.failure["code"]) == ("rejected", "epoch-past")
    assert playground.calls("decide") == []


async def test_two_senders_send_a_wish_once(means: Means, playground: Playground) -> None:
    first = await orders.claim_wishes(means.db, means.plugins, limit=10, lease=timedelta(seconds=60))
    assert len(first) == 1
    assert await Sender(means).send_due() == 0
    assert playground.calls("decide") == []


async def test_what_there_is_no_time_for_is_left_to_be_claimed_again(db: Database, playground: Playground) -> None:
    clock = FixedClock()
    means = means_for(db, playground, clock)
    await tell(db, activated())
    playground.limits = replace(
        playground.limits, batches={"orders.decide": Batch(size=1, unit=BatchUnit.ORDER, groups=()), **FETCH}
    )
    for number in ("n-1", "n-2"):
        await wish(means, seen(number))
        playground.buy(seen(number))

    async def slow(decisions: Sequence[Decision]) -> Receipt[LineKey]:
        clock.advance(25)
        return await Playground.decide(playground, decisions)

    setattr(playground, "decide", slow)  # noqa: B010  this one alone
    await Sender(means).send_due()
    assert playground.calls("decide") == [("n-1",)]
    async with db.begin() as tx:
        assert [one.status for one in await operations.list_(tx, limit=2)] == ["accepted", "applied"]


async def test_a_lease_that_ran_out_before_the_call_sends_nothing(means: Means, playground: Playground) -> None:
    wishes = await orders.claim_wishes(means.db, means.plugins, limit=10, lease=timedelta(seconds=60))
    async with means.db.begin() as tx:
        await tx.execute("update operations set lease_until = '2000-01-01'")
    with pytest.raises(Retryable) as lost:
        await orders.mark_sent(means.db, means.plugins, wishes)
    assert lost.value.code == "lease-lost"
    assert (await operation(means.db)).status == "accepted"
    assert playground.calls("decide") == []


async def test_a_bug_with_one_sellers_acceptances_stops_nobody(means: Means, playground: Playground) -> None:
    playground.failures = [cast("Retryable", KeyError("canary"))]
    assert await Sender(means).send_due() == 1
    await ripen(means.db)
    assert await Sender(means).look_again() == 1
    assert (await operation(means.db)).status == "accepted"


async def test_one_that_was_looked_for_long_enough_leaves_the_others_to_be_looked_for(
    means: Means, playground: Playground
) -> None:
    await wish(means, seen("n-2"))
    playground.buy(seen("n-2"))
    playground.drops = True
    await Sender(means).send_due()
    async with means.db.begin() as tx:
        await tx.execute(
            """
            update operations set sent_at = sent_at - interval '25 hours' where id = (select min(id) from operations)
            """
        )
        await tx.execute("update operations set lease_until = null, next_at = '2000-01-01' where next_at is not null")
    playground.cannot_tell = True
    assert await Sender(means).look_again() == 2
    async with means.db.begin() as tx:
        found = await operations.list_(tx, limit=2)
    assert [(one.status, one.next_at is None) for one in found] == [("in_doubt", False), ("in_doubt", True)]


async def test_a_look_that_failed_itself_leaves_nothing_to_a_person_however_old(
    means: Means, playground: Playground
) -> None:
    playground.loses = True
    await Sender(means).send_due()
    async with means.db.begin() as tx:
        await tx.execute("update operations set sent_at = sent_at - interval '25 hours'")
    await ripen(means.db)
    playground.failures = [Retryable("busy", code="throttled")]
    assert await Sender(means).look_again() == 1
    waiting = await operation(means.db)
    assert (waiting.status, waiting.next_at is None) == ("in_doubt", False)
    await ripen(means.db)
    await Sender(means).look_again()
    assert (await operation(means.db)).status == "applied"
