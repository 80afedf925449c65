"""Proves that nothing begins for an account that is switched off, only observes, or has lost a grant that it takes."""

import asyncio
from datetime import timedelta

import pytest
from order_playground import GRANT, Playground, activated, means_for, prepare, tell
from order_sightings import seen

from hanro import operations
from hanro.clock import SystemClock
from hanro.db import Database
from hanro.errors import NeedsSeller
from hanro.events.accounts import AccountFact, GrantSeen, SwitchesSet
from hanro.marketplace.types import Capability, SeenOrder
from hanro.operations import Operation
from order_svc import accounts, orders
from order_svc.domain.answers import Wanted
from order_svc.domain.effects import ACCEPT
from order_svc.domain.permits import Ability
from order_svc.poller import Means, Poller
from order_svc.sender import Sender

pytestmark = pytest.mark.schema("orders", prepare)

OFF = SwitchesSet(orders=False)
OBSERVING = SwitchesSet(is_observing=True)
ABILITIES = {"playground": Ability(supports=Playground.capabilities, grants=Playground.grants)}


@pytest.fixture
def playground() -> Playground:
    return Playground()


@pytest.fixture
async def means(db: Database, playground: Playground) -> Means:
    made = means_for(db, playground, SystemClock())
    await tell(db, activated())
    return made


def denied(version: int) -> AccountFact:
    """Tell that the one grant of the playground was switched off there."""
    lost = tuple(capability.value for capability in Capability)
    seen_grant = GrantSeen(grant_id=GRANT.id, state="denied")
    return activated(version, state="degraded", grants=(seen_grant,), lost_capabilities=lost)


async def wish(means: Means, sighting: SeenOrder) -> Operation:
    """Store an order, and wish to accept it."""
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
    async with means.db.begin() as tx:
        (row,) = await tx.fetch("select id from orders where external_id = $1", sighting.external_id)
        return await orders.decide(
            tx, row["id"], Wanted(kind=ACCEPT), account_ids=None, abilities=ABILITIES, by="tester"
        )


async def operation(db: Database, operation_id: str) -> Operation:
    async with db.begin() as tx:
        return await operations.get_(tx, operation_id)


@pytest.mark.row("A21", kind="walks")
async def test_an_account_that_observes_plans_its_acceptances_and_never_sends_them(
    means: Means, playground: Playground
) -> None:
    playground.buy(seen())
    asked = await wish(means, seen())
    await tell(means.db, activated(2, switches=OBSERVING))
    await Sender(means).send_due()
    observed = await operation(means.db, asked.id)
    assert (observed.status, observed.next_at, observed.attempt_count) == ("observed", None, 0)
    call = {"method": "POST", "url": "https://playground.invalid/accept", "purpose": "accept the orders"}
    assert observed.plan == [call | {"groups": ["orders"]}]
    # Reading goes on.
    assert await Poller(means).poll_due(asyncio.Event()) > 0
    await tell(means.db, activated(3))
    await Sender(means).send_due()
    assert playground.calls("decide") == []
    again = await wish(means, seen())
    assert again.id != asked.id
    await Sender(means).send_due()
    assert (await operation(means.db, again.id)).status == "applied"


@pytest.mark.row("A21", kind="refuses")
async def test_while_orders_are_off_nothing_is_found_and_wishes_rest_until_they_are_on(
    means: Means, playground: Playground
) -> None:
    playground.buy(seen())
    asked = await wish(means, seen())
    await tell(means.db, activated(2, switches=OFF))
    assert await Poller(means).poll_due(asyncio.Event()) == 0
    await Sender(means).send_due()
    resting = await operation(means.db, asked.id)
    assert (resting.status, (resting.failure or {})["code"]) == ("accepted", "orders-off")
    playground.buy(seen("n-2"))
    with pytest.raises(NeedsSeller) as refused:
        await wish(means, seen("n-2"))
    assert refused.value.code == "orders-off"
    assert playground.journal == []
    await tell(means.db, activated(3))
    # What rested is due at once, not at the end of its rest.
    await Sender(means).send_due()
    assert (await operation(means.db, asked.id)).status == "applied"
    assert await Poller(means).poll_due(asyncio.Event()) == 2


@pytest.mark.row("A21", kind="refuses")
@pytest.mark.parametrize(("switches", "status"), [(OFF, "accepted"), (OBSERVING, "observed")])
async def test_a_wish_that_is_claimed_does_not_begin_once_the_switch_is_known(
    means: Means, playground: Playground, switches: SwitchesSet, status: str
) -> None:
    playground.buy(seen())
    asked = await wish(means, seen())
    claimed = await orders.claim_wishes(means.db, means.plugins, limit=10, lease=timedelta(seconds=60))
    assert len(claimed) == 1
    await tell(means.db, activated(2, switches=switches))
    assert await orders.mark_sent(means.db, means.plugins, claimed) == []
    assert (await operation(means.db, asked.id)).status == status
    assert playground.calls("decide") == []


async def test_what_was_sent_before_the_switch_stays_true(means: Means, playground: Playground) -> None:
    playground.buy(seen())
    playground.loses = True
    asked = await wish(means, seen())
    await Sender(means).send_due()
    await tell(means.db, activated(2, switches=OBSERVING))
    async with means.db.begin() as tx:
        await tx.execute("update operations set lease_until = null, next_at = '2000-01-01'")
    await Sender(means).look_again()
    assert (await operation(means.db, asked.id)).status == "applied"
    assert len(playground.calls("decide")) == 1


async def test_no_work_that_needs_a_lost_grant_begins_and_it_resumes_by_itself(
    means: Means, playground: Playground
) -> None:
    playground.buy(seen())
    asked = await wish(means, seen())
    await tell(means.db, denied(2))
    assert await Poller(means).poll_due(asyncio.Event()) == 0
    await Sender(means).send_due()
    assert (await operation(means.db, asked.id)).status == "accepted"
    playground.buy(seen("n-2"))
    with pytest.raises(NeedsSeller) as refused:
        await wish(means, seen("n-2"))
    missing = refused.value
    assert (missing.code, missing.grant_id, missing.menu) == ("grant-missing", GRANT.id, GRANT.menu)
    assert missing.remedy == GRANT.remedies[0]
    assert "accept" in missing.why
    assert playground.journal == []
    await tell(means.db, activated(3))
    await Sender(means).send_due()
    assert (await operation(means.db, asked.id)).status == "applied"
    assert await Poller(means).poll_due(asyncio.Event()) == 2


async def test_a_grant_that_a_call_finds_missing_lets_only_that_call_rest(means: Means, playground: Playground) -> None:
    playground.buy(seen())
    asked = await wish(means, seen())
    playground.failures = [NeedsSeller("off", code="grant-missing", grant_id=GRANT.id)]
    await Sender(means).send_due()
    assert ((await operation(means.db, asked.id)).failure or {})["code"] == "grant-missing"
    account = await accounts.find(means.db, "acc_1")
    assert account is not None
    assert account.paused_until is None
    assert await Poller(means).poll_due(asyncio.Event()) == 2
