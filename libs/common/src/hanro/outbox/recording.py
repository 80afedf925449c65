"""Writes facts into the outbox, inside the transaction that makes them true."""

from collections.abc import Sequence
from itertools import repeat

from pydantic_core import to_json

from hanro import failpoints, trace
from hanro.db import Transaction
from hanro.errors import ContractBroken
from hanro.events.envelope import Received, attributes_of
from hanro.events.fact import Fact
from hanro.ids import new_id

RECORDED = "outbox"
"""The signal that wakes this process's relay."""
MOST_BYTES = 900 * 1024

DDL_1 = (
    # CACHE 1: a session that cached numbers would hand out lower ones later, and a key's facts would change places.
    # Rows come and go: vacuum by count, not by share.
    """
    create table "{schema}".outbox (
        id bigint generated always as identity (cache 1) primary key,
        event_id text not null,
        topic text not null,
        type text not null,
        key text not null,
        headers text not null,
        value bytea not null
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
    """
    create table "{schema}".outbox_dead (
        id bigint primary key,
        event_id text not null,
        topic text not null,
        type text not null,
        key text not null,
        headers text not null,
        value bytea not null,
        why text not null,
        refused_at timestamptz not null default "{schema}".now()
    )
    """,
)

_COLUMNS = ("event_id", "topic", "type", "key", "headers", "value")


async def record(tx: Transaction, *facts: Fact, causes: Sequence[Received] = ()) -> None:
    """Write facts in one statement, to be published in this order; nothing where `facts` is empty.

    After the commit the relay of this process is woken. Correlation, causation and trace are those of `causes`, one
    for each fact where a batch of received facts led to them, else the current ones.

    Raises:
        ContractBroken: code too-large: the data of a fact is over 900 KB; over 256 KiB it should be counts and a link.
    """
    if not facts:
        return
    contexts = [_follow(cause) for cause in causes] or repeat(trace.context(), len(facts))
    rows: list[tuple[object, ...]] = []
    for fact, context in zip(facts, contexts, strict=True):
        event_id = new_id("evt")
        value = fact.model_dump_json().encode()
        if len(value) > MOST_BYTES:
            raise ContractBroken(f"a {fact.type} of {len(value)} bytes is over {MOST_BYTES}", code="too-large")
        # The relay knows the source.
        named = attributes_of(fact, event_id=event_id, context=context)
        rows.append((event_id, fact.topic, fact.type, fact.id, to_json(named).decode(), value))
    await tx.insert("outbox", _COLUMNS, rows)
    tx.announce(RECORDED)
    failpoints.reach("outbox.after_record")


def _follow(cause: Received) -> dict[str, str]:
    context = {
        "correlationid": cause.correlation_id,
        "causationid": cause.event_id,
        "traceparent": cause.traceparent,
    }
    return {name: text for name, text in context.items() if text}


async def backlog(tx: Transaction, *, most: int = 100_000) -> int:
    """Count what waits to be published, up to `most`: pollers pause there."""
    return int((await tx.fetch("select count(*) from (select from outbox limit $1) as waiting", most))[0][0])
