"""Reads every place of a stack in which what passes through it could be left behind."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from canary_search import Place

from hanro_local import postgres, services
from hanro_local.databases import SCHEMAS
from hanro_local.stack import DATABASE, Stack

SECONDS = 30.0
# The marketplace's own side, with its mail sink, and the files in which the stack keeps its secrets.
SIMULATOR = ("ichiba", "log/ichiba.log")
SECRET_FILES = ("clients.json", "client-secret", "roles.json", "password", "token")
SECRET_FOLDERS = ("keys", "issuer")
# Kafka makes these at full size; they hold offsets and times alone.
INDEXES = (".index", ".timeindex", ".txnindex")
TRACES = "trace.jsonl"


async def places(running: Stack) -> list[Place]:
    """Read files, the database's own files, all tables, Kafka's records and metrics."""
    found = [place async for place in tables(running)]
    found += [*files(running.state), *database_files(running.state)]
    found += [place async for place in records(running.kafka)]
    found += [place async for place in metrics(running.state)]
    return found


def files(state: Path) -> Iterator[Place]:
    """Read the stack's files: `log/…`, `<service>/trace.jsonl`, `kafka/…`, and whatever else is written."""
    for file in sorted(state.rglob("*")):
        name = file.relative_to(state).as_posix()
        if not file.is_file() or name.startswith((*SIMULATOR, "postgres/data")) or file.suffix in INDEXES:
            continue
        if file.name in SECRET_FILES or name.partition("/")[0] in SECRET_FOLDERS:
            continue
        yield name, file.read_bytes()


def database_files(state: Path) -> Iterator[Place]:
    """Read Postgres' own files, its write-ahead log too; call `tables` first, which has them written."""
    data = postgres.place(state / "postgres")[0] / "data"
    for folder in ("base", "pg_wal"):
        for file in sorted((data / folder).rglob("*")):
            if file.is_file():
                yield f"database/{folder}", file.read_bytes()


async def tables(running: Stack) -> AsyncIterator[Place]:
    """Copy every table of every schema out, as text: bytes are written in hexadecimal there."""
    connection = await asyncpg.connect(running.postgres.url(DATABASE), timeout=SECONDS)
    try:
        found = await connection.fetch(
            "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind = 'r' and n.nspname = any($1::text[]) order by 1, 2",
            [*SCHEMAS, "public"],
        )
        for schema, table in found:
            out = io.BytesIO()
            await connection.copy_from_table(table, schema_name=schema, output=out, timeout=SECONDS)
            yield f"{schema}.{table}", out.getvalue()
        await connection.execute("checkpoint")
    finally:
        await connection.close(timeout=SECONDS)


async def records(bootstrap: str) -> AsyncIterator[Place]:
    """Consume every record of every topic: key, headers and value."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if not name.startswith("__")]
    finally:
        await admin.close()
    consumer = AIOKafkaConsumer(
        *names, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        async with asyncio.timeout(SECONDS):
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for place, found in (await consumer.getmany(timeout_ms=1000)).items():
                    for record in found:
                        parts = [record.key or b"", record.value or b"", *(value for _, value in record.headers)]
                        yield f"topic/{place.topic}", b"\n".join(parts)
    finally:
        await consumer.stop()


async def metrics(state: Path) -> AsyncIterator[Place]:
    """Ask each service for its metrics."""
    chosen = json.loads((state / "ports.json").read_text())
    async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as client:
        for service in services.SERVICES:
            answer = await client.get(f"http://127.0.0.1:{chosen[f'{service.name}-internal']}/metrics")
            answer.raise_for_status()
            yield f"metrics/{service.name}", answer.content
