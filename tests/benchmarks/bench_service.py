"""Starts a service's process as an installation does, on the servers of a run."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hanro_local.databases import SchemaUrls

SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Process:
    """Be a service's process and the port of its internal listener."""

    popen: subprocess.Popen[bytes]
    internal_port: int

    def get(self, path: str) -> bytes:
        """Ask its internal listener until it answers; fails after 60 s."""
        url = f"http://127.0.0.1:{self.internal_port}{path}"
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            with suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=5) as answer:
                found: bytes = answer.read()
                return found
            time.sleep(0.02)
        raise TimeoutError(url)

    def terminate(self) -> float:
        """Send SIGTERM and give the seconds to exit 0."""
        stopped = time.perf_counter()
        self.popen.terminate()
        if self.popen.wait(SECONDS) != 0:
            raise RuntimeError(f"the service ended with {self.popen.returncode}")
        return time.perf_counter() - stopped


def make_keys(folder: Path) -> None:
    """Write the keys that processes of one service share."""
    for name in ("kek-1.key", "index.key"):
        (folder / name).write_text(secrets.token_hex(32))


@contextmanager
def started(module: str, urls: SchemaUrls, kafka: str, folder: Path, prefix: str) -> Iterator[Process]:
    """Run a service in the role `all`; it is killed at the end if it still lives.

    `prefix` is that of its topics and groups; `folder` holds its keys.
    """
    internal = free_port()
    environment = {
        "HANRO_DATABASE_URL": urls.runtime,
        "HANRO_KAFKA_BOOTSTRAP": kafka,
        "HANRO_TOPIC_PREFIX": prefix,
        "HANRO_GROUP_PREFIX": prefix,
        "HANRO_HOST": "127.0.0.1",
        "HANRO_PORT": str(free_port()),
        "HANRO_INTERNAL_PORT": str(internal),
        "HANRO_ISSUER": "http://127.0.0.1:9",
        "HANRO_JWKS_URL": "http://127.0.0.1:9/jwks",
        "HANRO_TOKEN_URL": "http://127.0.0.1:9/token",
        "HANRO_CLIENT_ID": module,
        "HANRO_CLIENT_SECRET_FILE": str(folder / "index.key"),
        "HANRO_ACCOUNT_URL": "http://127.0.0.1:9",
        "HANRO_ORDER_URL": "http://127.0.0.1:9",
        "HANRO_KEYS_DIR": str(folder),
        "HANRO_MARKETPLACE_URLS": json.dumps({"rakuten_ichiba": "http://127.0.0.1:9"}),
    }
    popen = subprocess.Popen(
        [sys.executable, "-m", module, "all"],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Process(popen=popen, internal_port=internal)
    finally:
        popen.kill()
        popen.wait(SECONDS)


def resident_megabytes(pid: int) -> float:
    """Give what a process holds in memory now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
