"""Tells what a failure of the database asks for: wait, run again, or look at the values."""

from collections.abc import Iterator

from asyncpg import exceptions as pg
from sqlalchemy import exc

# 53: out of connections, memory or disk; 57P0x: shutting down or starting; 25006: a standby that was the primary;
# 25P03 and 57014: the server gave up on us, because we or it were too slow.
_AWAY = frozenset({"57P01", "57P02", "57P03", "57P05", "25006", "25P03", "57014"})
_AWAY_CLASSES = ("08", "53", "58")
# 55P03: a lock was not had within `lock_timeout`; 0A000 with this class: a migration changed what a plan relied on.
_CONFLICTS = frozenset({"40P01", "40001", "55P03"})


class Collided(Exception):
    """Say that a twin was faster: what was not there is there now, and the same transaction sees it when it runs again.

    It counts as a conflict; nothing of the transaction may be committed.
    """

    sqlstate = "40001"


def is_away(error: BaseException) -> bool:
    """Tell whether the database is not there or not able: unreachable, shutting down, full, or the pool is exhausted.

    The outcome of a commit that fails so is unknown.
    """
    return any(_is_away(link) for link in _chain(error))


def is_conflict(error: BaseException) -> bool:
    """Tell whether the same transaction may succeed at once: deadlock, serialisation, lock or plan that is stale."""
    return any(
        _state(link) in _CONFLICTS or isinstance(link, pg.InvalidCachedStatementError | pg.OutdatedSchemaCacheError)
        for link in _chain(error)
    )


def is_passing(error: BaseException) -> bool:
    """Tell whether a failure passes by itself: the database is away, or another transaction was in the way."""
    return is_away(error) or is_conflict(error)


def state_of(error: BaseException) -> str:
    """Give the SQLSTATE of a failure, also of one that SQLAlchemy wrapped; empty where the database sent none."""
    return next(filter(None, map(_state, _chain(error))), "")


def _is_away(error: BaseException) -> bool:
    state = _state(error)
    if state:
        return state in _AWAY or state.startswith(_AWAY_CLASSES)
    match error:
        # asyncpg says InterfaceError for wrong arguments too; those say so in their text or class.
        case pg.InterfaceError():
            return not isinstance(error, pg.DataError) and "connection" in str(error)
        case exc.DBAPIError():
            return error.connection_invalidated
        case OSError() | exc.TimeoutError() | pg.PostgresConnectionError() | pg.InternalClientError():
            return True
    return False


def _state(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk to what SQLAlchemy wrapped; not to `__context__`, which may be an older and unrelated failure."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = getattr(link, "orig", None) or link.__cause__
