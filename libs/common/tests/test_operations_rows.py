"""Operations on a real Postgres: serial per subject, never blindly repeated, and honest about how far they are."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from hanro import operations
from hanro.db import Database
from hanro.errors import Rejected, Retryable
from hanro.operations import Mark, Operation, OperationStatus
from hanro.testing.schemas import create_shared_tables

pytestmark = pytest.mark.schema("probe", create_shared_tables)

MINUTE = timedelta(minutes=1)
KIND = "orders.accept"


async def _accept(db: Database, subject: str = "ord_1", kind: str = KIND) -> Operation:
    async with db.begin() as tx:
        return await operations.accept(
            tx, kind=kind, subject_id=subject, account_id="acc_1", asked={"lines": ["1"]}, by="warehouse"
        )


async def _claim(db: Database, *, limit: int = 10, lease: timedelta = MINUTE) -> list[Operation]:
    return await operations.claim_sendable(db, [KIND], limit=limit, lease=lease)


async def _unsure(db: Database) -> list[Operation]:
    return await operations.claim_unsure(db, [KIND], limit=10, lease=MINUTE)


async def _mark(db: Database, operation: Operation, status: OperationStatus, **details: object) -> None:
    async with db.begin() as tx:
        await operations.mark(tx, Mark(id=operation.id, fence=operation.fence, status=status, **details))  # type: ignore[arg-type]


async def _get(db: Database, operation: Operation) -> Operation:
    async with db.begin() as tx:
        return await operations.get_(tx, operation.id)


async def test_an_accepted_operation_says_who_asked_for_what_and_not_that_it_was_sent(db: Database) -> None:
    found = await _get(db, await _accept(db))
    assert (found.status, found.asked, found.asked_by) == (OperationStatus.ACCEPTED, {"lines": ["1"]}, "warehouse")
    assert (found.sent_at, found.attempt_count) == (None, 0)


async def test_an_unknown_operation_is_not_found(db: Database) -> None:
    async with db.begin() as tx:
        with pytest.raises(Rejected) as refused:
            await operations.get_(tx, "opr_unknown")
    assert refused.value.code == "not-found"


async def test_twins_never_take_the_same_operation(db: Database) -> None:
    for n in range(12):
        await _accept(db, f"ord_{n}")
    taken = await asyncio.gather(*(_claim(db, limit=3) for _ in range(4)))
    ids = [one.id for batch in taken for one in batch]
    assert len(ids) == len(set(ids)) == 12


async def test_operations_of_one_subject_are_serial(db: Database) -> None:
    first, second = await _accept(db), await _accept(db)
    assert [one.id for one in await _claim(db)] == [first.id]
    claimed = await _get(db, first)
    await _mark(db, claimed, OperationStatus.SENT)
    assert await _claim(db) == []
    await _mark(db, claimed, OperationStatus.APPLIED)
    assert [one.id for one in await _claim(db)] == [second.id]


async def test_an_operation_in_doubt_holds_back_the_next_of_its_subject_until_a_person_decides(db: Database) -> None:
    first, second = await _accept(db), await _accept(db)
    (claimed,) = await _claim(db)
    await _mark(db, claimed, OperationStatus.SENT)
    await _mark(db, claimed, OperationStatus.IN_DOUBT, failure={"code": "answer-lost"})
    assert await _claim(db) == []
    assert await _unsure(db) == []
    async with db.begin() as tx:
        resolved = await operations.resolve(tx, first.id, OperationStatus.APPLIED, by="staff")
        assert await operations.resolve(tx, first.id, OperationStatus.REJECTED, by="staff") is None
    assert resolved is not None
    assert _resolutions(resolved) == [("applied", "staff")]
    assert (resolved.failure, resolved.next_at) == (None, None)
    assert [one.id for one in await _claim(db)] == [second.id]


async def test_what_a_person_decides_stays_although_somebody_looks_and_after_it_is_sent_again(db: Database) -> None:
    await _accept(db)
    (claimed,) = await _claim(db)
    await _mark(db, claimed, OperationStatus.SENT)
    await _mark(db, claimed, OperationStatus.IN_DOUBT, next_at=claimed.accepted_at)
    (looking,) = await _unsure(db)
    async with db.begin() as tx:
        await operations.resolve(tx, claimed.id, OperationStatus.ACCEPTED, by="staff")
    with pytest.raises(Retryable):
        await _mark(db, looking, OperationStatus.APPLIED)
    (again,) = await _claim(db)
    await _mark(db, again, OperationStatus.SENT, answer={})
    await _mark(db, again, OperationStatus.IN_DOUBT, answer={"ticket": 1})
    async with db.begin() as tx:
        await operations.resolve(tx, claimed.id, OperationStatus.REJECTED, by="chief", failure={"code": "given-up"})
    done = await _get(db, again)
    assert (done.attempt_count, done.failure) == (2, {"code": "given-up"})
    assert _resolutions(done) == [("accepted", "staff"), ("rejected", "chief")]


def _resolutions(operation: Operation) -> list[tuple[str, str]]:
    kept = cast("list[dict[str, str]]", (operation.answer or {})["resolutions"])
    return [(one["status"], one["by"]) for one in kept]


async def test_what_was_sent_by_a_process_that_died_is_looked_after_and_never_sent_again(db: Database) -> None:
    await _accept(db)
    (claimed,) = await _claim(db, lease=timedelta(milliseconds=200))
    await _mark(db, claimed, OperationStatus.SENT)
    assert await _unsure(db) == []
    await asyncio.sleep(0.25)
    assert await _claim(db) == []
    (unsure,) = await _unsure(db)
    assert (unsure.id, unsure.attempt_count, unsure.status) == (claimed.id, 1, OperationStatus.SENT)
    assert unsure.sent_at is not None
    with pytest.raises(Retryable) as lost:
        await _mark(db, claimed, OperationStatus.APPLIED)
    assert lost.value.code == "lease-lost"
    await _mark(db, unsure, OperationStatus.APPLIED, answer={"is_repeat": True})
    assert (await _get(db, unsure)).answer == {"is_repeat": True}


async def test_what_was_claimed_and_not_sent_is_claimed_again(db: Database) -> None:
    await _accept(db)
    await _claim(db, lease=timedelta(milliseconds=50))
    await asyncio.sleep(0.1)
    assert len(await _claim(db)) == 1


async def test_what_surely_did_not_arrive_is_sent_again_at_its_time(db: Database) -> None:
    await _accept(db)
    (claimed,) = await _claim(db)
    await _mark(db, claimed, OperationStatus.SENT)
    await _mark(
        db, claimed, OperationStatus.ACCEPTED, next_at=datetime.now(UTC) + MINUTE, failure={"code": "throttled"}
    )
    assert await _claim(db) == []
    async with db.begin() as tx:
        await tx.execute("update operations set next_at = now() - interval '1 second'")
    (again,) = await _claim(db)
    await _mark(db, again, OperationStatus.SENT)
    found = await _get(db, again)
    assert (found.attempt_count, found.failure) == (2, None)


async def test_a_ticket_is_polled_at_its_time(db: Database) -> None:
    await _accept(db)
    (claimed,) = await _claim(db)
    await _mark(db, claimed, OperationStatus.SENT)
    await _mark(db, claimed, OperationStatus.SENT, next_at=datetime.now(UTC), answer={"ticket": "77"})
    (polled,) = await _unsure(db)
    assert (polled.answer, polled.attempt_count) == ({"ticket": "77"}, 1)


async def test_marks_of_a_batch_stand_together_or_not_at_all(db: Database) -> None:
    await _accept(db, "ord_1")
    await _accept(db, "ord_2")
    good, stale = await _claim(db)
    marks = [
        Mark(id=good.id, fence=good.fence, status=OperationStatus.SENT),
        Mark(id=stale.id, fence=stale.fence - 1, status=OperationStatus.SENT),
    ]
    with pytest.raises(Retryable):
        async with db.begin() as tx:
            await operations.mark(tx, *marks)
    assert {(await _get(db, one)).status for one in (good, stale)} == {OperationStatus.ACCEPTED}


async def test_lists_are_newest_first_and_filtered(db: Database) -> None:
    made = [await _accept(db, f"ord_{n}", kind) for n in range(3) for kind in (KIND, "orders.ship")]
    async with db.begin() as tx:
        page = await operations.list_(tx, limit=2)
        rest = await operations.list_(tx, limit=10, before_id=page[-1].id)
        ships = await operations.list_(tx, limit=10, kind="orders.ship", account_ids=["acc_1"])
        others = await operations.list_(tx, limit=10, account_ids=["acc_2"])
    assert [one.id for one in (*page, *rest)] == sorted((one.id for one in made), reverse=True)
    assert len(ships) == 3
    assert others == []
