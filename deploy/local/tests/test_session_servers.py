"""A test session gets the servers that it asks for, and no others."""

import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from hanro_local.process_table import living
from hanro_local.servers import Embedded, ServersMissing, started_servers

ASK_FOR_CONTAINERS = """
from hanro_local.servers import started_servers
with started_servers() as servers:
    servers.postgres()
"""


async def test_postgres_alone_starts_no_kafka_and_leaves_no_process() -> None:
    with started_servers({}) as servers:
        address = servers.postgres()
        assert servers.postgres() == address
        connection = await asyncpg.connect(address.url(), timeout=5)
        version = await connection.fetchval("show server_version")
        encoding = await connection.fetchval("show server_encoding")
        await connection.close(timeout=5)
        assert isinstance(servers, Embedded)
        pid = servers.pid("postgres")
        assert not (servers.state / "kafka").exists()
    assert version.startswith("18.")
    assert encoding == "UTF8"
    assert pid not in living()
    assert not servers.state.exists()
    assert address.password not in repr(address)


async def test_a_wrong_password_is_refused() -> None:
    with started_servers({}) as servers:
        address = servers.postgres()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(address.url().replace(address.password, "guess"), timeout=5)


def test_external_servers_are_taken_from_the_environment() -> None:
    said = {
        "HANRO_STACK": "external",
        "HANRO_POSTGRES_URL": "postgresql://owner:p%40ss@db.example.invalid:6432",
        "HANRO_KAFKA": "kafka.example.invalid:9092",
    }
    with started_servers(said) as servers:
        address = servers.postgres()
        assert (address.host, address.port, address.user, address.password) == (
            "db.example.invalid",
            6432,
            "owner",
            "p@ss",
        )
        assert address.url("hanro") == "postgresql://owner:p%40ss@db.example.invalid:6432/hanro"
        assert servers.kafka() == "kafka.example.invalid:9092"


def test_a_missing_address_and_an_unknown_kind_are_named() -> None:
    with started_servers({"HANRO_STACK": "external"}) as servers, pytest.raises(ServersMissing, match="HANRO_KAFKA"):
        servers.kafka()
    with pytest.raises(ServersMissing, match="HANRO_STACK=cloud"), started_servers({"HANRO_STACK": "cloud"}):
        pass


def test_containers_without_a_docker_daemon_are_one_line_with_the_remedy(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", ASK_FOR_CONTAINERS],
        env={**os.environ, "HANRO_STACK": "containers", "DOCKER_HOST": f"unix://{tmp_path}/none.sock"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    last = answer.stderr.splitlines()[-1]
    assert answer.returncode == 1
    assert "finds no Docker daemon: start it, or say HANRO_STACK=embedded" in last
