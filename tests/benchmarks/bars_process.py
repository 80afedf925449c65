"""V15 and V16: how fast a service is ready, and what it holds when nothing happens."""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench_places import Places
from bench_table import Row, limit

from hanro_local.databases import SchemaUrls

REPETITIONS = 3
REQUESTS = 200
SECONDS = 60.0


def measure(places: Places, repetitions: int = REPETITIONS) -> list[Row]:
    """Start order-svc in the role `all` on real servers, ask 200 requests, and look at its memory; then SIGTERM."""
    urls = places.database("orders")
    ready, resident, ended = [], [], []
    for _ in range(repetitions):
        with tempfile.TemporaryDirectory() as folder, _started(urls, places.kafka(), Path(folder)) as (process, port):
            started = time.perf_counter()
            _wait(f"http://127.0.0.1:{port}/readyz")
            ready.append(time.perf_counter() - started)
            for _ in range(REQUESTS):
                _wait(f"http://127.0.0.1:{port}/livez")
            resident.append(_resident_megabytes(process.pid))
            stopped = time.perf_counter()
            process.terminate()
            if process.wait(SECONDS) != 0:
                raise RuntimeError(f"order-svc ended with {process.returncode}")
            ended.append(time.perf_counter() - stopped)
    return [
        limit("V15", "resident memory, idle after 200 requests", resident, unit="MB", passes=140, stretch=120),
        limit("V16", "start to ready", ready, unit="s", passes=2.0, stretch=1.2),
        limit("V17", "SIGTERM to exit 0, idle", ended, unit="s", passes=None, stretch=None),
    ]


@contextmanager
def _started(urls: SchemaUrls, kafka: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    public, internal = _free_port(), _free_port()
    for name in ("kek-1.key", "index.key"):
        (folder / name).write_text(secrets.token_hex(32))
    prefix = f"b{secrets.token_hex(4)}-"
    environment = {
        "HANRO_DATABASE_URL": urls.runtime,
        "HANRO_KAFKA_BOOTSTRAP": kafka,
        "HANRO_TOPIC_PREFIX": prefix,
        "HANRO_GROUP_PREFIX": prefix,
        "HANRO_HOST": "127.0.0.1",
        "HANRO_PORT": str(public),
        "HANRO_INTERNAL_PORT": str(internal),
        "HANRO_ISSUER": "http://127.0.0.1:9",
        "HANRO_JWKS_URL": "http://127.0.0.1:9/jwks",
        "HANRO_TOKEN_URL": "http://127.0.0.1:9/token",
        "HANRO_CLIENT_ID": "order-svc",
        "HANRO_CLIENT_SECRET_FILE": str(folder / "index.key"),
        "HANRO_ACCOUNT_URL": "http://127.0.0.1:9",
        "HANRO_ORDER_URL": "http://127.0.0.1:9",
        "HANRO_KEYS_DIR": str(folder),
        "HANRO_MARKETPLACE_URLS": json.dumps({"rakuten_ichiba": "http://127.0.0.1:9"}),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "order_svc", "all"],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process, internal
    finally:
        process.kill()
        process.wait(SECONDS)


def _wait(url: str) -> None:
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        with suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=5):  # noqa: S310  loopback
            return
        time.sleep(0.02)
    raise TimeoutError(url)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _resident_megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
