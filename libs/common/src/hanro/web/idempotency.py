"""Makes a POST that comes twice act once: claim, effect and answer commit in one transaction.

Scope: caller and route; kept 7 days. The stored answer is encrypted.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.web.answers import Answer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(days=7)

Work = Callable[[Transaction], Awaitable[Answer]]


class Idempotency:
    """Run use cases of POST routes under the caller's key."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        self._db = db
        self._keyring = keyring

    async def once(self, request: Request, work: Work, *, is_required: bool = False) -> Response:
        """Run `work` in a transaction of its own and give its answer, or the stored one where the key is known.

        `work` may run again after a deadlock; it must touch nothing but its transaction. Without a key it just runs.
        A `Rejected` or `Unsupported` that it raises is final: its effects are undone, the problem is kept and
        replayed. Other failures keep nothing, the key stays free.

        Raises:
            Problem: 400 `idempotency-key-missing` or `-malformed`; 409 `idempotency-key-running` while a twin runs;
                422 `idempotency-key-reused` where the key came before with another path or body.
        """
        raise NotImplementedError


async def prune(db: Database) -> int:
    """Delete answers older than `KEPT`; give how many. For the worker's pruning loop."""
    raise NotImplementedError
