"""Remembers the newest version of each aggregate that a consumer has applied."""

from collections.abc import Mapping

from hanro.db import Transaction

DDL_1 = (
    # As many rows as aggregates; updated in place: room on the page saves the index.
    """
    create table "{schema}".inbox (
        consumer text not null,
        aggregate_id text not null,
        version bigint not null,
        primary key (consumer, aggregate_id)
    ) with (fillfactor = 80)
    """,
)

_TAKE = """
    insert into inbox as known (consumer, aggregate_id, version)
    select $1, aggregate_id, version
    from unnest($2::text[], $3::bigint[]) as given (aggregate_id, version) order by aggregate_id
    on conflict (consumer, aggregate_id) do update set version = excluded.version
    where known.version < excluded.version
    returning aggregate_id, old.version as before
"""
_GIVE_BACK = """
    with given as (select * from unnest($2::text[], $3::bigint[]) as given (aggregate_id, before)),
    forgotten as (
        delete from inbox using given
        where consumer = $1 and inbox.aggregate_id = given.aggregate_id and before is null
    )
    update inbox set version = before from given
    where consumer = $1 and inbox.aggregate_id = given.aggregate_id and before is not null
"""


async def take(tx: Transaction, consumer: str, versions: Mapping[str, int]) -> dict[str, int | None]:
    """Store versions by aggregate id and give those that were news, with the version known before (None: none).

    The rows are locked in the order of their ids until the transaction ends: a twin that handles the same aggregate
    waits here, then finds nothing new.
    """
    # A row is an id and the version before.
    return dict(await tx.fetch(_TAKE, consumer, list(versions), list(versions.values())))


async def give_back(tx: Transaction, consumer: str, before: Mapping[str, int | None]) -> None:
    """Undo `take` for aggregates, within its transaction: what could not be handled must stay news."""
    if before:
        await tx.execute(_GIVE_BACK, consumer, list(before), list(before.values()))
