"""Makes a POST that comes twice act once: claim, effect and answer commit in one transaction.

Scope: caller and route; kept 7 days. What is stored shows neither the key nor the body, and the answer is sealed.
Source: draft-ietf-httpapi-idempotency-key-header-06 (header, 409 and 422).
"""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from asyncpg import exceptions as pg
from starlette.requests import Request
from starlette.responses import Response

from hanro import crypto
from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.errors import Rejected, Unsupported
from hanro.rewrapping import SealedTable
from hanro.web.answers import Answer
from hanro.web.guard import KeyUse, caller, declared_key_use
from hanro.web.problems import Problem, of_failure

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(days=7)
LONGEST_KEY = 255
TWIN_WAIT = "200ms"
TABLE = "idempotency"
SEALED = SealedTable(name=TABLE, key="id", column="answer")

DDL_1: tuple[str, ...] = (
    """
    create table "{schema}".idempotency (
        id text primary key,
        fingerprint bytea not null,
        answer bytea,
        created_at timestamptz not null
    )
    """,
    'create index idempotency_age on "{schema}".idempotency (created_at)',
)

Work = Callable[[Transaction], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """Be one arrival: `id` is caller, route and key, `fingerprint` what was asked; both are one-way."""

    id: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """Be what a request came to: given out again with `Idempotency-Replayed`, where `is_replayed`."""

    status: int
    headers: dict[str, str]
    media_type: str
    content: bytes
    is_replayed: bool = False


class Idempotency:
    """Run use cases of POST routes under the caller's key."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        self._db = db
        self._keyring = keyring

    async def once(self, request: Request, work: Work, *, body: bytes | None = None) -> Response:
        """Run `work` in a transaction of its own and give its answer, or the stored one where the key is known.

        `body` stands for a request's body that was read already, such as its digest.
        `work` may run again after a deadlock; it must touch nothing but its transaction. Without a key it just
        runs, unless the route declares `key_needed()`.
        A `Rejected` or `Unsupported` that it raises is final: its effects are undone, the problem is kept and
        replayed. Other failures keep nothing, the key stays free.

        Raises:
            Problem: 400 `idempotency-key-missing` or `-malformed`; 409 `idempotency-key-running` while a twin runs;
                422 `idempotency-key-reused` where the key came before with another path, query or body.
        """
        attempt = await _attempt(request, body)
        if attempt is None:
            return (await self._db.run(work)).response()
        stored = await self._db.run(lambda tx: self._once(tx, attempt, work))
        headers = stored.headers | ({REPLAYED: "true"} if stored.is_replayed else {})
        media_type = stored.media_type if stored.content else None
        return Response(stored.content, status_code=stored.status, headers=headers, media_type=media_type)

    async def _once(self, tx: Transaction, attempt: _Attempt, work: Work) -> _Stored:
        if not await _claim(tx, attempt):
            return await self._replay(tx, attempt)
        await tx.execute("savepoint effect")
        try:
            answer = await work(tx)
        except (Rejected, Unsupported) as failure:
            await tx.execute("rollback to savepoint effect")
            answer = of_failure(failure)
        stored = _Stored(
            status=answer.status,
            headers=dict(answer.headers),
            media_type=answer.media_type,
            content=answer.content(),
        )
        sealed = crypto.seal(
            self._keyring,
            _pack(stored),
            schema=self._db.schema,
            table=TABLE,
            row_id=attempt.id,
            field="answer",
            version=1,
        )
        await tx.execute("update idempotency set answer = $2 where id = $1", attempt.id, sealed)
        return stored

    async def _replay(self, tx: Transaction, attempt: _Attempt) -> _Stored:
        rows = await tx.fetch("select fingerprint, answer from idempotency where id = $1", attempt.id)
        if not rows:
            raise _running()  # its twin has just rolled back or been pruned: the next try finds the key free
        if not hmac.compare_digest(rows[0]["fingerprint"], attempt.fingerprint):
            raise Problem(
                status=422,
                code="idempotency-key-reused",
                detail="This Idempotency-Key came before with another request; take a new key for a new request.",
            )
        packed = crypto.open_(
            self._keyring,
            rows[0]["answer"],
            schema=self._db.schema,
            table=TABLE,
            row_id=attempt.id,
            field="answer",
            version=1,
        )
        return _unpack(packed)


async def prune(tx: Transaction) -> int:
    """Delete answers that are older than 7 days; give how many. For the worker's pruning loop."""
    return await tx.execute(f"delete from idempotency where created_at < {tx.now_sql} - $1::interval", KEPT)  # noqa: S608  the schema's own clock


async def _attempt(request: Request, body: bytes | None) -> _Attempt | None:
    key = _key(request)
    if key is None:
        return None
    route = request.scope["route"].path
    place = json.dumps([caller(request).subject, request.method, route, key]).encode()
    said = await request.body() if body is None else body
    asked = json.dumps([request.url.path, request.url.query]).encode() + b"\0" + said
    # Keyed: a stored hash of a body alone could be guessed.
    return _Attempt(id=hashlib.sha256(place).hexdigest(), fingerprint=hmac.digest(key.encode(), asked, hashlib.sha256))


def _key(request: Request) -> str | None:
    given = request.headers.getlist(HEADER)
    if not given and declared_key_use(request.scope.get("route")) is not KeyUse.NEEDED:
        return None
    if not given:
        raise Problem(
            status=400,
            code="idempotency-key-missing",
            detail=f"This route needs the header {HEADER}: a new one per request.",
        )
    key = given[0].strip()
    if len(given) > 1 or not key or len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Problem(
            status=400,
            code="idempotency-key-malformed",
            detail=f"{HEADER} is one value of 1 to {LONGEST_KEY} printable ASCII characters.",
        )
    return key


async def _claim(tx: Transaction, attempt: _Attempt) -> bool:
    """Claim the key in this transaction, waiting briefly for a twin; False where a committed request has it."""
    await tx.execute(f"set local lock_timeout = '{TWIN_WAIT}'")
    try:
        rows = await tx.fetch(
            f"""
            insert into idempotency as known (id, fingerprint, created_at) values ($1, $2, {tx.now_sql})
            on conflict (id)
                do update set fingerprint = excluded.fingerprint, answer = null, created_at = excluded.created_at
                where known.created_at < {tx.now_sql} - $3::interval
            returning 1
            """,  # noqa: S608  the schema's own clock
            attempt.id,
            attempt.fingerprint,
            KEPT,
        )
    except pg.LockNotAvailableError:
        raise _running() from None
    await tx.execute("set local lock_timeout to default")
    return bool(rows)


def _running() -> Problem:
    return Problem(
        status=409,
        code="idempotency-key-running",
        detail="A request with this Idempotency-Key is being worked on; ask again in a moment.",
        headers={"Retry-After": "1"},
        is_retryable=True,
    )


def _pack(stored: _Stored) -> bytes:
    return json.dumps(
        {
            "status": stored.status,
            "headers": stored.headers,
            "media_type": stored.media_type,
            "content": b64encode(stored.content).decode(),
        }
    ).encode()


def _unpack(packed: bytes) -> _Stored:
    found = json.loads(packed)
    return _Stored(
        status=found["status"],
        headers=found["headers"],
        media_type=found["media_type"],
        content=b64decode(found["content"]),
        is_replayed=True,
    )
