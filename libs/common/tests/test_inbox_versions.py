"""The inbox on a real Postgres: what is news, for whom, and given back."""

import asyncio

import pytest

from hanro import inbox
from hanro.db import Database
from hanro.testing.probe import create_probe_tables

pytestmark = pytest.mark.schema("probe", create_probe_tables)


async def _take(db: Database, versions: dict[str, int], consumer: str = "c") -> dict[str, int | None]:
    async with db.begin() as tx:
        return await inbox.take(tx, consumer, versions)


async def test_only_a_higher_version_is_news(db: Database) -> None:
    assert await _take(db, {"a": 2, "b": 1}) == {"a": None, "b": None}
    assert await _take(db, {"a": 2, "b": 3, "c": 1}) == {"b": 1, "c": None}
    assert await _take(db, {"a": 1}) == {}


async def test_consumers_do_not_know_of_each_other(db: Database) -> None:
    await _take(db, {"a": 2})
    assert await _take(db, {"a": 1}, consumer="d") == {"a": None}


async def test_a_rolled_back_take_stays_news(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  the block is the case
        async with db.begin() as tx:
            await inbox.take(tx, "c", {"a": 1})
            raise ZeroDivisionError
    assert await _take(db, {"a": 1}) == {"a": None}


async def test_what_is_given_back_is_as_it_was(db: Database) -> None:
    await _take(db, {"a": 2})
    async with db.begin() as tx:
        before = await inbox.take(tx, "c", {"a": 5, "b": 1})
        await inbox.give_back(tx, "c", before)
    assert await _take(db, {"a": 3, "b": 1}) == {"a": 2, "b": None}


async def test_twins_wait_for_each_other_and_one_finds_nothing(db: Database) -> None:
    async with db.begin() as tx:
        assert await inbox.take(tx, "c", {"a": 1, "b": 1}) == {"a": None, "b": None}
        twin = asyncio.ensure_future(_take(db, {"b": 1, "a": 1}))
        await asyncio.sleep(0.1)
        assert not twin.done()
    assert await twin == {}
