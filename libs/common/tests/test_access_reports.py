"""Access reports on a real Postgres: what is told at once, what is told rarely, and what says nothing."""

import json
from datetime import timedelta
from typing import Any

import pytest

from hanro.access_reports import AccessLog
from hanro.db import Database, Transaction
from hanro.errors import NeedsSeller, Refusal
from hanro.testing.clock import FixedClock
from hanro.testing.schemas import create_shared_tables

pytestmark = pytest.mark.schema("probe", create_shared_tables)

SEARCH = "rms.order.searchOrder"
DEAD = NeedsSeller(
    "The key is dead.", code="credential-refused", refusal=Refusal(code="ES04-01", message="no"), grant_id=SEARCH
)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def log(db: Database, clock: FixedClock) -> AccessLog:
    return AccessLog(db, clock, service="order-svc")


async def _facts(db: Database) -> list[dict[str, Any]]:
    async with db.begin() as tx:
        return [json.loads(row["value"]) for row in await tx.fetch("select value from outbox order by id")]


async def _succeed(log: AccessLog, clock: FixedClock, *grants: str, version: int = 1) -> None:
    asked_at = clock.now()
    await log.succeeded("acc_1", grants or (SEARCH,), asked_at=asked_at, credential_version=version, account_epoch=0)


async def _refuse(log: AccessLog, version: int = 1) -> None:
    await log.refused("acc_1", DEAD, credential_version=version, account_epoch=0)


async def test_the_first_success_is_told_and_the_next_only_after_five_minutes(
    db: Database, log: AccessLog, clock: FixedClock
) -> None:
    await _succeed(log, clock)
    clock.advance(timedelta(minutes=4))
    await _succeed(log, clock)
    assert [fact["version"] for fact in await _facts(db)] == [1]
    clock.advance(timedelta(minutes=1))
    await _succeed(log, clock)
    facts = await _facts(db)
    assert [fact["version"] for fact in facts] == [1, 2]
    assert facts[0]["id"] == "acc_1:order-svc"


async def test_two_processes_tell_no_more_than_one(db: Database, log: AccessLog, clock: FixedClock) -> None:
    await _succeed(log, clock)
    await _succeed(AccessLog(db, clock, service="order-svc"), clock)
    assert len(await _facts(db)) == 1


async def test_a_refusal_is_told_at_once_and_its_repetition_is_not(
    db: Database, log: AccessLog, clock: FixedClock
) -> None:
    await _succeed(log, clock)
    await _refuse(log)
    clock.advance(10)
    await _refuse(log)
    facts = await _facts(db)
    assert len(facts) == 2
    (grant,) = facts[1]["grants"]
    assert (grant["refusal_code"], grant["refusal_text"]) == ("credential-refused", "ES04-01")


async def test_a_success_after_a_refusal_is_told_at_once(db: Database, log: AccessLog, clock: FixedClock) -> None:
    await _succeed(log, clock)
    await _refuse(log)
    clock.advance(1)
    await _succeed(log, clock)
    assert len(await _facts(db)) == 3


async def test_what_was_asked_for_before_a_refusal_does_not_hide_it_and_the_next_success_is_told(
    db: Database, log: AccessLog, clock: FixedClock
) -> None:
    asked_at = clock.now()
    clock.advance(1)
    await _refuse(log)
    clock.advance(1)
    await log.succeeded("acc_1", (SEARCH,), asked_at=asked_at, credential_version=1, account_epoch=0)
    (grant,) = (await _facts(db))[-1]["grants"]
    assert grant["succeeded_at"] < grant["refused_at"]
    await _succeed(log, clock)
    (grant,) = (await _facts(db))[-1]["grants"]
    assert grant["succeeded_at"] > grant["refused_at"]


async def test_how_older_credentials_fared_is_not_told_of_newer_ones(
    db: Database, log: AccessLog, clock: FixedClock
) -> None:
    await _succeed(log, clock, "get")
    asked_at = clock.now()
    clock.advance(1)
    await _refuse(log, version=1)
    await log.succeeded("acc_1", (SEARCH,), asked_at=asked_at, credential_version=2, account_epoch=0)
    (grant,) = (await _facts(db))[-1]["grants"]
    assert (grant["grant_id"], grant["refused_at"]) == (SEARCH, None)


async def test_a_new_credential_is_told_and_the_refusal_of_an_older_one_says_nothing(
    db: Database, log: AccessLog, clock: FixedClock
) -> None:
    await _succeed(log, clock)
    await _succeed(log, clock, version=2)
    clock.advance(1)
    await _refuse(log, version=1)
    await _succeed(log, clock, version=1)
    assert [fact["credential_version"] for fact in await _facts(db)] == [1, 2]


async def test_every_grant_that_was_used_is_restated(db: Database, log: AccessLog, clock: FixedClock) -> None:
    await _succeed(log, clock, "b")
    await _succeed(log, clock, "a", "b")
    grants = (await _facts(db))[-1]["grants"]
    assert [grant["grant_id"] for grant in grants] == ["a", "b"]


async def test_the_end_of_the_work_before_an_epoch_is_told_once(db: Database, log: AccessLog) -> None:
    for _ in range(2):
        async with db.begin() as tx:
            await log.released(tx, "acc_1", account_epoch=3)
    assert [(fact["released_epoch"], fact["account_epoch"]) for fact in await _facts(db)] == [(2, 3)]


async def test_what_an_older_link_was_served_is_not_told_after_its_end(
    db: Database, log: AccessLog, clock: FixedClock
) -> None:
    await _succeed(log, clock)
    async with db.begin() as tx:
        await log.released(tx, "acc_1", account_epoch=7)
    await _succeed(log, clock, "late")
    await _refuse(log)
    told = await _facts(db)
    assert len(told) == 2
    assert (told[-1]["grants"], told[-1]["account_epoch"]) == ([], 7)


async def test_a_report_tells_how_much_is_held(db: Database, clock: FixedClock) -> None:
    async def count(tx: Transaction, account_id: str) -> dict[str, int]:
        return {"rows": (await tx.fetch("select 2"))[0][0], account_id: 1}

    async with db.begin() as tx:
        await AccessLog(db, clock, service="catalog-svc", count=count).held(tx, "acc_1", account_epoch=0)
    assert [fact["holdings"] for fact in await _facts(db)] == [{"rows": 2, "acc_1": 1}]
