"""Stops calls that cannot succeed: a row per account and API group, open until a time; then one probe decides.

Groups open after repeated failures in a row, the whole account at once when its credential is refused. The pacer asks
before it gives a turn and tells how each turn ended, in its own transactions; a group at rest has no row.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Gauge

from hanro.clock import Clock
from hanro.db import Database, Transaction, is_passing
from hanro.errors import (
    CREDENTIAL_CODES,
    ContractBroken,
    Failure,
    InDoubt,
    NeedsSeller,
    Rejected,
    Retryable,
    Unsupported,
)
from hanro.waiting import rest

WHOLE_ACCOUNT = "*"
FAILURES = 5
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
# A new key closes the breaker; this only finds out about one that began to work again by itself.
REFUSED_PAUSE = timedelta(minutes=2)
# Longer than any call: a probe whose process died is followed by another.
PROBE = timedelta(seconds=90)
WATCH_SECONDS = 5.0
MOST_LISTED = 200
REFUSED_CODES = CREDENTIAL_CODES | {"account-kind"}

DDL_1: tuple[str, ...] = (
    """
    create table "{schema}".breaker (
        account_id text not null,
        api_group text not null,
        failure_count integer not null,
        open_until timestamptz,
        probe_until timestamptz,
        reason text not null,
        changed_at timestamptz not null,
        primary key (account_id, api_group)
    )
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerState:
    """Be how an API group of an account fares; `api_group` "*" stands for the whole account.

    `open_until` None: closed, with failures counted; past: the next call is a probe. `reason` is the stable code of the
    last failure.
    """

    account_id: str
    api_group: str
    open_until: datetime | None
    reason: str
    failure_count: int
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Be what a turn finds: `is_troubled` when failures are counted, `shut_for` how long no call may begin, if so."""

    is_troubled: bool
    shut_for: timedelta | None = None
    reason: str = ""


async def look(tx: Transaction, account_id: str, groups: Sequence[str]) -> Standing:
    """Tell whether calls of some groups may begin; locks the rows until the transaction ends."""
    rows = await tx.fetch(
        f"""
        select reason, (case when open_until > now then open_until when open_until is not null and probe_until > now
            then probe_until end) - now as shut_for
        from (select *, {tx.now_sql} as now from breaker where account_id = $1 and api_group = any($2::text[])
            order by api_group for update) found
        """,  # noqa: S608  the schema's own clock
        account_id,
        [*groups, WHOLE_ACCOUNT],
    )
    shut = [row for row in rows if row["shut_for"] is not None]
    if not shut:
        return Standing(is_troubled=bool(rows))
    longest = max(shut, key=lambda row: row["shut_for"])
    return Standing(is_troubled=True, shut_for=longest["shut_for"], reason=longest["reason"])


async def probe(tx: Transaction, account_id: str, groups: Sequence[str]) -> None:
    """Keep others out of groups that were open while one call finds out; after `look`."""
    await tx.execute(
        f"""
        update breaker set probe_until = {tx.now_sql} + $3::interval
        where account_id = $1 and api_group = any($2::text[]) and open_until is not null
        """,  # noqa: S608  the schema's own clock
        account_id,
        [*groups, WHOLE_ACCOUNT],
        PROBE,
    )


async def give_up_probe(tx: Transaction, account_id: str, groups: Sequence[str]) -> None:
    """Let the next call be the probe, because this one ended without telling anything."""
    await tx.execute(
        "update breaker set probe_until = null where account_id = $1 and api_group = any($2::text[])",
        account_id,
        [*groups, WHOLE_ACCOUNT],
    )


async def served(tx: Transaction, account_id: str, groups: Sequence[str]) -> None:
    """Close groups, and the account: the marketplace served a call."""
    await tx.execute(
        "delete from breaker where account_id = $1 and api_group = any($2::text[])",
        account_id,
        [*groups, WHOLE_ACCOUNT],
    )


async def failed(tx: Transaction, account_id: str, groups: Sequence[str], failure: Failure) -> None:
    """Count a failure of groups and open them when it is one too many; a refused credential opens the account."""
    if isinstance(failure, NeedsSeller):
        await _count(tx, account_id, [WHOLE_ACCOUNT], failure.code, opens_at=1, pause=REFUSED_PAUSE)
        return
    pause = failure.after if isinstance(failure, Retryable) and failure.after else timedelta()
    await _count(tx, account_id, sorted(groups), failure.code, opens_at=FAILURES, pause=pause)


def counts(failure: Failure) -> bool:
    """Tell whether a failure speaks against further calls: nobody answers, or not as documented, or the key is dead."""
    match failure:
        case Retryable():
            return failure.code == "unavailable"
        case NeedsSeller():
            return failure.code in REFUSED_CODES
        case ContractBroken():
            return failure.code == "unreadable"
        case InDoubt():
            return True
        case Rejected() | Unsupported():
            return False


async def list_(
    db: Database, *, limit: int = MOST_LISTED, account_id: str | None = None, after: tuple[str, str] = ("", "")
) -> list[BreakerState]:
    """Give breakers that are not at rest, by account and group, at most `limit` behind the pair `after`."""
    async with db.begin() as tx:
        rows = await tx.fetch(
            """
            select account_id, api_group, open_until, reason, failure_count, changed_at from breaker
            where ($1::text is null or account_id = $1) and (account_id, api_group) > ($2, $3)
            order by account_id, api_group limit $4
            """,
            account_id,
            *after,
            limit,
        )
    return [BreakerState(**dict(row)) for row in rows]


async def count_open(db: Database) -> dict[tuple[str, str], int]:
    """Count the breakers that are open, by group and reason."""
    async with db.begin() as tx:
        rows = await tx.fetch(
            "select api_group, reason, count(*) from breaker where open_until is not null group by api_group, reason"
        )
    return {(row["api_group"], row["reason"]): row["count"] for row in rows}


async def close(tx: Transaction, account_id: str) -> None:
    """Close all breakers of an account: its credentials are new, or the account is active again."""
    await tx.execute("delete from breaker where account_id = $1", account_id)


async def watch(db: Database, registry: CollectorRegistry, *, clock: Clock, stop: asyncio.Event) -> None:
    """Keep the metric `hanro_breakers_open` by group and reason, read every 5 s until `stop`; a loop of each worker.

    Accounts are no label: there may be thousands. `list_` names them.
    """
    gauge = Gauge("hanro_breakers_open", "Breakers that are open", ["api_group", "reason"], registry=registry)
    while not stop.is_set():
        try:
            found = await count_open(db)
        except Exception as error:
            if not is_passing(error):
                raise
        else:
            gauge.clear()
            for (group, reason), count in found.items():
                gauge.labels(group, reason).set(count)
        await rest(clock, WATCH_SECONDS, stop)


async def _count(
    tx: Transaction, account_id: str, groups: Sequence[str], reason: str, *, opens_at: int, pause: timedelta
) -> None:
    await tx.execute(
        f"""
        insert into breaker as kept (account_id, api_group, failure_count, reason, changed_at, open_until)
        select $1, api_group, 1, $3, now, case when $4::int <= 1 then now + greatest($5::interval, $6::interval) end
        from unnest($2::text[]) as t (api_group), (select {tx.now_sql} as now) clock
        on conflict (account_id, api_group) do update set
            failure_count = kept.failure_count + 1, reason = excluded.reason, changed_at = excluded.changed_at,
            probe_until = null,
            open_until = case when kept.failure_count + 1 >= $4::int then excluded.changed_at + greatest(
                $5::interval,
                least($7::interval, $6::interval * power(2, least(kept.failure_count + 1 - $4::int, 20)))
            ) end
        """,  # noqa: S608  the schema's own clock
        account_id,
        list(groups),
        reason,
        opens_at,
        pause,
        FIRST_PAUSE,
        LONGEST_PAUSE,
    )
