"""Dead letters on a real Postgres: redriven once after the mend, kept with the new cause else, dropped for good."""

import asyncio

import pytest

from hanro import dead_letters, inbox
from hanro.broker import Record
from hanro.db import Database
from hanro.errors import Rejected, Retryable
from hanro.events.envelope import Received
from hanro.testing.probe import (
    Effect,
    ProbeChanged,
    changed,
    counting,
    create_probe_tables,
    effects,
    message,
)

pytestmark = pytest.mark.schema("probe", create_probe_tables)

PROBE = counting()


def _mended(_known: int | None, received: Received) -> tuple[Received, int]:
    return received, received.fact.amount if isinstance(received.fact, ProbeChanged) else 0


MENDED = counting(decide=_mended)


async def _bury(db: Database, fact: ProbeChanged, offset: int = 0, consumer: str = "probe") -> str:
    sent = message(fact)
    record = Record(sent.topic, 3, offset, sent.key, sent.value, sent.headers, 0)
    async with db.begin() as tx:
        await dead_letters.save(tx, consumer, [(record, ValueError("a secret text"))])
    return (await dead_letters.list_(db, limit=1))[0].id


async def test_a_letter_is_handled_after_the_mend_and_gone(db: Database) -> None:
    letter_id = await _bury(db, changed("a", 1, amount=13))
    assert await dead_letters.redrive(db, letter_id, [MENDED]) is None
    assert await effects(db) == {"a": Effect(1, 13, 1)}
    with pytest.raises(Rejected, match="no dead letter"):
        await dead_letters.get_(db, letter_id)


async def test_without_a_mend_it_stays_with_one_attempt_more(db: Database) -> None:
    letter_id = await _bury(db, changed("a", 1, amount=13))
    letter = await dead_letters.redrive(db, letter_id, [PROBE])
    assert letter == await dead_letters.get_(db, letter_id)
    assert letter is not None
    assert (letter.attempts, letter.code, await effects(db)) == (2, "bug", {})
    assert "ValueError in amount_of" in letter.cause


async def test_what_the_table_refuses_stays_too(db: Database) -> None:
    letter_id = await _bury(db, changed("a", 1, amount=0))
    letter = await dead_letters.redrive(db, letter_id, [PROBE])
    assert letter is not None
    assert "CheckViolationError 23514" in letter.cause


async def test_an_older_version_is_handled_by_doing_nothing(db: Database) -> None:
    letter_id = await _bury(db, changed("a", 1, amount=5))
    async with db.begin() as tx:
        await inbox.take(tx, "probe", {"prb_a": 2})
    assert await dead_letters.redrive(db, letter_id, [PROBE]) is None
    assert (await effects(db), await dead_letters.list_(db, limit=5)) == ({}, [])


async def test_twins_that_redrive_handle_it_once(db: Database) -> None:
    letter_id = await _bury(db, changed("a", 1, amount=5))
    answers = await asyncio.gather(
        *(dead_letters.redrive(db, letter_id, [PROBE]) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", "_Missing", "_Missing", "_Missing"]
    assert await effects(db) == {"a": Effect(1, 5, 1)}


async def test_a_consumer_that_is_no_more_is_named(db: Database) -> None:
    letter_id = await _bury(db, changed("a", 1), consumer="gone")
    with pytest.raises(Rejected, match="no consumer gone"):
        await dead_letters.redrive(db, letter_id, [PROBE])
    assert (await dead_letters.get_(db, letter_id)).attempts == 1


async def test_later_leaves_the_letter_as_it_was(db: Database) -> None:
    def later(_known: int | None, _received: Received) -> tuple[Received, int]:
        raise Retryable("not now", code="unavailable")

    letter_id = await _bury(db, changed("a", 1))
    with pytest.raises(Retryable):
        await dead_letters.redrive(db, letter_id, [counting(decide=later)])
    assert (await dead_letters.get_(db, letter_id)).attempts == 1


async def test_a_dropped_letter_is_gone_and_dropping_it_again_says_so(db: Database) -> None:
    letter_id = await _bury(db, changed("a", 1))
    await dead_letters.drop(db, letter_id)
    with pytest.raises(Rejected) as caught:
        await dead_letters.drop(db, letter_id)
    assert caught.value.code == "not-found"


async def test_letters_are_listed_newest_first_in_pages(db: Database) -> None:
    ids = []
    for offset in range(5):
        ids.append(await _bury(db, changed("a", 1), offset=offset))
        await asyncio.sleep(0.002)
    await _bury(db, changed("a", 1), consumer="other")
    first = await dead_letters.list_(db, limit=2, consumer="probe")
    second = await dead_letters.list_(db, limit=10, after=first[-1].id, consumer="probe")
    assert [letter.id for letter in (*first, *second)] == ids[::-1]


async def test_neither_cause_nor_repr_shows_a_value(db: Database) -> None:
    letter = await dead_letters.get_(db, await _bury(db, changed("a", 1)))
    assert "secret" not in letter.cause
    assert "amount" not in repr(letter)


async def test_any_bytes_come_back_as_they_were(db: Database) -> None:
    record = Record("hanro.probe", 0, 0, None, None, (("ce_type", b"\x00\xff"), ("x", b"")), 0)
    async with db.begin() as tx:
        await dead_letters.save(tx, "probe", [(record, ValueError())])
    (letter,) = await dead_letters.list_(db, limit=1)
    assert (letter.key, letter.value, letter.headers) == (None, None, record.headers)
