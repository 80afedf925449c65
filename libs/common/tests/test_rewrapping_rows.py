"""Sealed rows come under the current key, in pieces, while others write; a key that is gone is named."""

import asyncio
import secrets
from collections.abc import Mapping

import pytest

from hanro import crypto
from hanro.crypto import Keyring
from hanro.db import Database
from hanro.rewrapping import Rewrapping, SealedTable
from hanro.testing.probe import create_probe_tables

pytestmark = pytest.mark.schema("probe", create_probe_tables)

OLD, NEW, LOST = secrets.token_bytes(32), secrets.token_bytes(32), secrets.token_bytes(32)
INDEX = secrets.token_bytes(32)
# The probe's rows of idempotency: sealed like everywhere.
TABLE = SealedTable(name="idempotency", key="id", column="answer")


def keyring(current: str, keys: Mapping[str, bytes]) -> Keyring:
    return Keyring(keys, current_id=current, index_key=INDEX)


BEFORE = keyring("old", {"old": OLD})
BOTH = keyring("new", {"old": OLD, "new": NEW})
AFTER = keyring("new", {"new": NEW})


def sealed(ring: Keyring, row_id: str) -> bytes:
    return crypto.seal(
        ring, f"value of {row_id}".encode(), schema="probe", table=TABLE.name, row_id=row_id, field="answer", version=1
    )


async def put(db: Database, ring: Keyring, ids: list[str]) -> None:
    async with db.begin() as tx:
        await tx.execute(
            f"""
            insert into idempotency (id, fingerprint, answer, created_at)
            select *, {tx.now_sql} from unnest($1::text[], $2::bytea[], $3::bytea[])
            on conflict (id) do update set answer = excluded.answer
            """,  # noqa: S608  the schema's own clock
            ids,
            [b"x"] * len(ids),
            [sealed(ring, one) for one in ids],
        )


async def keys_used(db: Database) -> dict[str, int]:
    async with db.begin() as tx:
        rows = await tx.fetch("select answer from idempotency")
    found = [crypto.key_id_of(row["answer"]) for row in rows]
    return {key: found.count(key) for key in sorted(set(found))}


def names(count: int, begin: str = "row") -> list[str]:
    return [f"{begin}-{number:05}" for number in range(count)]


async def test_every_row_comes_under_the_current_key_and_opens_with_it_alone(db: Database) -> None:
    await put(db, BEFORE, names(250))
    lines: list[str] = []
    outcome = await Rewrapping(db, BOTH, [TABLE], lines.append, window=100).run()
    assert outcome.is_done
    assert await keys_used(db) == {"new": 250}
    async with db.begin() as tx:
        rows = await tx.fetch("select id, answer from idempotency")
    for row in rows:
        opened = crypto.open_(
            AFTER, row["answer"], schema="probe", table="idempotency", row_id=row["id"], field="answer", version=1
        )
        assert opened == f"value of {row['id']}".encode()
    assert [line.split(": ")[1] for line in lines[:3]] == [
        "100 rows, up to row-00099",
        "200 rows, up to row-00199",
        "250 rows, up to row-00249",
    ]
    again: list[str] = []
    assert (await Rewrapping(db, BOTH, [TABLE], again.append).run()).is_done
    assert again == []


async def test_rows_that_are_written_meanwhile_are_found_too(db: Database) -> None:
    await put(db, BEFORE, names(300, "b"))
    late = [names(40, f"{begin}{number}") for number, begin in enumerate("acacac")]

    async def write() -> None:
        for ids in late:
            # A process that does not know yet which key is current.
            await put(db, BEFORE, ids)
            await put(db, BEFORE, names(300, "b")[:20])
            await asyncio.sleep(0.01)

    writing = asyncio.create_task(write())
    await Rewrapping(db, BOTH, [TABLE], lambda _line: None, window=20).run()
    await writing
    outcome = await Rewrapping(db, BOTH, [TABLE], lambda _line: None, window=20).run()
    assert outcome.is_done
    assert await keys_used(db) == {"new": 300 + 6 * 40}


async def test_a_key_that_is_gone_is_named_and_all_other_rows_are_wrapped(db: Database) -> None:
    await put(db, BEFORE, names(30))
    await put(db, keyring("lost", {"lost": LOST}), names(2, "a"))
    lines: list[str] = []
    outcome = await Rewrapping(db, BOTH, [TABLE], lines.append, window=10).run()
    assert not outcome.is_done
    assert outcome.missing == {("probe.idempotency", "lost"): 2}
    assert await keys_used(db) == {"lost": 2, "new": 30}
    assert "probe.idempotency: 2 rows are under the key 'lost', which is not mounted" in lines


async def test_a_row_whose_seal_is_broken_is_named_and_stays(db: Database) -> None:
    await put(db, BEFORE, names(3))
    async with db.begin() as tx:
        await tx.execute(
            "update idempotency set answer = (select answer from idempotency where id = 'row-00000')"
            " where id = 'row-00001'"
        )
    outcome = await Rewrapping(db, BOTH, [TABLE], lambda _line: None).run()
    assert outcome.broken == ("probe.idempotency row-00001 under 'old'",)
    assert not outcome.is_done
