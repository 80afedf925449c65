"""Proves that nobody writes to a buyer who was erased, and that what is left of the mails names nobody."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from notifier_playground import Bed, bed, bind, messages, order, prepare, recorded, take

from hanro.db import Database
from hanro.events.orders import BuyerErased, OrderFact
from notifier_svc.domain.messages import State

pytestmark = pytest.mark.schema("notifier", prepare)


@pytest.fixture
async def here(db: Database, tmp_path: Path) -> AsyncIterator[Bed]:
    async with bed(db, tmp_path) as made:
        await bind(db)
        yield made


def erased(number: int = 1, version: int = 2, **changes: Any) -> OrderFact:
    fact = order(number, version, erased_at=datetime.now(UTC), **changes)
    return BuyerErased.model_validate(fact.model_dump())


@pytest.mark.row("O16", kind="walks")
async def test_what_is_planned_for_an_erased_buyer_is_never_sent(here: Bed) -> None:
    await here.plan(order(1))
    await here.plan(order(2))
    await here.plan(erased(1))
    first, second = await here.send()
    assert (first.state, first.reason_code) == (State.SUPPRESSED, "buyer-erased")
    assert second.state is State.HANDED_OVER
    assert [letter.subject for letter in here.room.letters()] == ["ご注文 999001-20260511-0000000002"]
    assert ("hanro.message.suppressed.v1", first.id) in await recorded(here.db)


async def test_what_an_erased_order_reaches_afterwards_is_told_to_nobody(here: Bed) -> None:
    await take(here.db, erased(1, version=3))
    (message,) = await messages(here.db)
    assert (message.state, message.reason_code) == (State.SUPPRESSED, "buyer-erased")


async def test_answers_of_relays_about_an_erased_buyer_are_forgotten(here: Bed) -> None:
    await here.plan(order(1))
    (message,) = await here.send()
    assert message.answer is not None
    await here.plan(erased(1))
    await here.plan(erased(1, version=3))
    (message,) = await messages(here.db)
    assert (message.state, message.answer, message.plan) == (State.HANDED_OVER, None, None)


async def test_a_quarantined_order_whose_buyer_is_erased_ends_its_mails_too(here: Bed) -> None:
    await here.plan(order(1))
    await here.plan(erased(1, is_quarantined=True))
    (message,) = await messages(here.db)
    assert message.state is State.SUPPRESSED
