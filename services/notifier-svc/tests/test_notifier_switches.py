"""Switches of an account on a real Postgres with a real relay: what is off, observed or not permitted never leaves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from notifier_playground import ACCOUNT, Bed, account, bed, bind, messages, order, prepare, recorded, take

from hanro.db import Database
from hanro.events.accounts import AccountFact, GrantSeen, SwitchesSet
from notifier_svc.domain.messages import State
from notifier_svc.store import claims

pytestmark = pytest.mark.schema("notifier", prepare)

OFF = SwitchesSet(messages=False)
OBSERVING = SwitchesSet(is_observing=True)


@pytest.fixture
async def here(db: Database, tmp_path: Path) -> AsyncIterator[Bed]:
    async with bed(db, tmp_path) as made:
        await bind(db)
        yield made


def relay_grant(version: int, state: str) -> AccountFact:
    """Tell that the mail relay's login was found in that state."""
    return account(version, grants=(GrantSeen.model_validate({"grant_id": "mail_relay", "state": state}),))


@pytest.mark.row("A21", kind="walks")
async def test_messages_that_are_switched_off_are_suppressed_and_never_sent_later(here: Bed) -> None:
    await here.plan(order(1))
    await here.plan(account(2, switches=OFF), order(2))
    found = await messages(here.db)
    assert [(one.state, one.reason_code) for one in found] == [(State.SUPPRESSED, "messages-off")] * 2
    assert {kind for kind, _ in await recorded(here.db)} == {"hanro.message.suppressed.v1"}
    await here.plan(account(3), order(3))
    found = await here.send()
    assert [one.state for one in found] == [State.SUPPRESSED, State.SUPPRESSED, State.HANDED_OVER]
    assert len(here.room.letters()) == 1


@pytest.mark.row("A21", kind="walks")
async def test_an_account_that_observes_lists_its_mails_and_hands_none_over(here: Bed) -> None:
    await here.plan(account(2, switches=OBSERVING), order(1), order(2))
    found = await here.send()
    assert [(one.state, one.reason_code) for one in found] == [(State.SUPPRESSED, "observed")] * 2
    assert found[0].plan == {"recipient": "…@pc.fw.rakuten.ne.jp", "subject": "ご注文 {{ order.external_id }}"}
    assert here.room.letters() == []
    # Looking does not even open a connection.
    assert here.room.stages() == []
    await here.plan(account(3))
    await here.send()
    assert here.room.letters() == []


async def test_an_observed_mail_that_could_not_be_written_is_refused_as_it_would_be(here: Bed) -> None:
    here.neighbours.email = None
    await here.plan(account(2, switches=OBSERVING), order(1))
    (found,) = await here.send()
    assert (found.state, found.reason_code, found.plan) == (State.REFUSED, "contact-missing", None)


@pytest.mark.row("A21", kind="refuses")
@pytest.mark.parametrize("switches", [OFF, OBSERVING])
async def test_a_mail_that_is_claimed_does_not_begin_once_the_switch_is_known(here: Bed, switches: SwitchesSet) -> None:
    await here.plan(order(1))
    (claimed,) = await here.desk.ledger.claim(account_limit=1, limit_each=1, busy=())
    await here.plan(account(2, switches=switches))
    assert not await here.desk.ledger.mark_sending(claimed)
    assert here.room.letters() == []


async def test_a_mail_that_has_begun_stays_true(here: Bed) -> None:
    await here.plan(order(1))
    (claimed,) = await here.desk.ledger.claim(account_limit=1, limit_each=1, busy=())
    assert await here.desk.ledger.mark_sending(claimed)
    await here.plan(account(2, switches=OFF))
    await here.desk.ledger.settle(claimed, State.HANDED_OVER, answer="250 ok")
    (found,) = await messages(here.db)
    assert (found.state, found.reason_code) == (State.HANDED_OVER, None)


async def test_a_mail_that_failed_while_messages_were_switched_off_is_suppressed_too(here: Bed) -> None:
    await here.plan(order(1))
    (claimed,) = await here.desk.ledger.claim(account_limit=1, limit_each=1, busy=())
    assert await here.desk.ledger.mark_sending(claimed)
    await here.plan(account(2, switches=OFF))
    async with here.db.begin() as tx:
        await claims.give_back(tx, [claimed])
    (found,) = await here.send()
    assert (found.state, found.reason_code) == (State.SUPPRESSED, "messages-off")
    assert here.room.letters() == []


async def test_no_mail_begins_while_the_relays_login_is_lost_and_all_go_once_it_is_back(here: Bed) -> None:
    await here.plan(relay_grant(2, "denied"), order(1))
    (waiting,) = await here.send(seconds=0.7)
    assert (waiting.state, waiting.failure_count) == (State.PLANNED, 0)
    # Not even its credentials are asked for.
    assert here.neighbours.asked == []
    assert here.room.stages() == []
    await here.plan(relay_grant(3, "granted"))
    (sent,) = await here.send()
    assert sent.state is State.HANDED_OVER


@pytest.mark.parametrize("changed", [{"state": "suspended"}, {"is_enabled": False}, {"state": "unlinking"}])
async def test_the_relays_login_is_dropped_once_the_account_must_not_use_it_any_more(
    db: Database, changed: dict[str, object]
) -> None:
    forgotten: list[str] = []
    await take(db, account(), account(2, switches=OFF), forget=forgotten.append)
    assert forgotten == []
    await take(db, account(3, **changed), forget=forgotten.append)
    assert forgotten == [ACCOUNT]
