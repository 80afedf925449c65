"""Wraps sealed rows anew under the current key-encryption key, so that an old one can be taken away.

Run it where the new key seals already: `python -m order_svc rewrap`. It goes through each table in short transactions
and may be stopped and begun again at any time; what is under the current key is passed over. Values are not opened.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hanro import crypto, failpoints
from hanro.crypto import CannotOpen, KeyMissing, Keyring
from hanro.db import Database, Transaction

if TYPE_CHECKING:
    import asyncpg

WINDOW = 2_000
"""Rows that are looked at in one transaction."""
MOST_ROUNDS = 10
"""Whoever still seals with an old key after so many rounds does not know the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedTable:
    """Say where sealed values stand: a text key, the column that is sealed and what it was sealed as.

    `version` is the column with the version that the seal is bound to; None: it is 1 in all rows. `sealed_as`: the
    table that the seal names, where rows move between two; None: this one.
    """

    name: str
    key: str
    column: str
    version: str | None = None
    sealed_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Be what is left: rows by table and the id of their key, which is not mounted; and rows whose seal is broken."""

    missing: Mapping[tuple[str, str], int]
    broken: tuple[str, ...]
    stale: int

    @property
    def is_done(self) -> bool:
        """Tell whether all rows are under the current key."""
        return not self.missing and not self.broken and not self.stale


class Rewrapping:
    """Wrap the rows of a schema anew; `report` takes a line of progress."""

    def __init__(
        self,
        db: Database,
        keyring: Keyring,
        tables: Sequence[SealedTable],
        report: Callable[[str], object],
        window: int = WINDOW,
    ) -> None:
        self._db = db
        self._keyring = keyring
        self._tables = tables
        self._report = report
        self._window = window
        self._missing: Counter[tuple[str, str]] = Counter()
        self._broken: list[str] = []

    async def run(self) -> Outcome:
        """Go through all tables until a round finds nothing to wrap, and say what is left."""
        count = 0
        for _ in range(MOST_ROUNDS):
            self._missing.clear()
            self._broken.clear()
            count = 0
            for table in self._tables:
                count += await self._walk(table)
            if not count:
                break
        for (name, key_id), rows in sorted(self._missing.items()):
            self._report(f"{name}: {rows} rows are under the key {key_id!r}, which is not mounted")
        for row in self._broken:
            self._report(f"{row} was changed or belongs to another place")
        return Outcome(missing=dict(self._missing), broken=tuple(self._broken), stale=count)

    async def _walk(self, table: SealedTable) -> int:
        after, done = "", 0
        while True:
            window = await self._window_of(table, after)
            if not window:
                if done:
                    self._report(f"{self._db.schema}.{table.name}: {done} rows are under {self._keyring.current_id!r}")
                return done
            after = window[-1]["key"]
            stale = [row["key"] for row in window if row["is_stale"]]
            if stale:
                done += await self._db.run(lambda tx, stale=stale: self._wrap(tx, table, stale))  # type: ignore[misc]
                failpoints.reach("rewrap.wrapped")
                self._report(f"{self._db.schema}.{table.name}: {done} rows, up to {after}")

    async def _window_of(self, table: SealedTable, after: str) -> "list[asyncpg.Record]":
        head = crypto.head_of(self._keyring.current_id)
        async with self._db.begin() as tx:
            return await tx.fetch(
                f"""
                select {table.key} as key, substring({table.column} from 1 for $3) <> $4 as is_stale from {table.name}
                where {table.key} > $1 order by {table.key} limit $2
                """,  # noqa: S608  names of ours
                after,
                self._window,
                len(head),
                head,
            )

    async def _wrap(self, tx: Transaction, table: SealedTable, keys: Sequence[str]) -> int:
        found = await tx.fetch(
            f"""
            select {table.key} as key, {table.version or "1"} as version, {table.column} as sealed from {table.name}
            where {table.key} = any($1::text[]) and {table.column} is not null order by {table.key} for update
            """,  # noqa: S608  names of ours
            list(keys),
        )
        wrapped = {row["key"]: sealed for row in found if (sealed := self._wrapped(tx, table, row)) is not None}
        await tx.execute(
            f"""
            update {table.name} set {table.column} = t.sealed from unnest($1::text[], $2::bytea[]) as t (key, sealed)
            where {table.name}.{table.key} = t.key
            """,  # noqa: S608  names of ours
            list(wrapped),
            list(wrapped.values()),
        )
        return len(wrapped)

    def _wrapped(self, tx: Transaction, table: SealedTable, row: "asyncpg.Record") -> bytes | None:
        try:
            fresh = crypto.rewrap(
                self._keyring,
                row["sealed"],
                schema=tx.schema,
                table=table.sealed_as or table.name,
                row_id=row["key"],
                field=table.column,
                version=row["version"],
            )
        except KeyMissing as gone:
            self._missing[f"{tx.schema}.{table.name}", gone.key_id] += 1
            return None
        except CannotOpen as error:
            self._broken.append(f"{tx.schema}.{table.name} {row['key']} under {error.key_id!r}")
            return None
        return None if fresh == row["sealed"] else fresh
