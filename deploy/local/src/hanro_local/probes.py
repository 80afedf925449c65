"""Asks whether a server can be used: one question each, which raises while the answer is no."""

import asyncio
import logging

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from hanro_local.child import NotReady, Probe

TIMEOUT_SECONDS = 3.0


def http_answers(port: int, path: str) -> Probe:
    """Ask for `GET path` on the loopback address; ready when the status is 200."""

    async def probe() -> None:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
                status = (await reader.readline()).split()
            finally:
                writer.close()
        if status[1:2] != [b"200"]:
            raise NotReady(f"answered {status!r}")

    return probe


def postgres_answers(*, host: str, port: int, user: str, password: str) -> Probe:
    """Ask `select 1`; ready when it is answered."""

    async def probe() -> None:
        try:
            connection = await asyncpg.connect(
                host=host,
                port=port,
                user=user,
                password=password,
                database="postgres",
                timeout=TIMEOUT_SECONDS,
                ssl=False,
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as refusal:
            raise NotReady(str(refusal)) from refusal
        try:
            await connection.fetchval("select 1", timeout=TIMEOUT_SECONDS)
        finally:
            await connection.close(timeout=TIMEOUT_SECONDS)

    return probe


def kafka_answers(bootstrap: str) -> Probe:
    """Ask for the metadata; ready when the broker itself stands in it."""
    host, port = bootstrap.rsplit(":", 1)

    async def probe() -> None:
        # A closed port is the usual answer at first, and cheaper to hear without the client.
        async with asyncio.timeout(TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(TIMEOUT_SECONDS * 1000))
        try:
            await admin.start()
            cluster = await admin.describe_cluster()
        except KafkaError as refusal:
            raise NotReady(str(refusal)) from refusal
        finally:
            await admin.close()
        if not cluster["brokers"]:
            raise NotReady("no broker is registered yet")

    return probe


def quiet_clients() -> None:
    """Keep the Kafka client's complaints about a broker that is not up yet off the terminal."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
