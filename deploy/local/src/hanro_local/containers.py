"""Gives a test session the images that production uses, where a Docker daemon exists."""

import contextlib
from collections.abc import Callable
from typing import TypeVar

from docker.errors import DockerException  # type: ignore[import-untyped]  # it ships no types
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from hanro_local import postgres
from hanro_local.postgres import PostgresAddress

POSTGRES_IMAGE = "postgres:18"
KAFKA_IMAGE = "apache/kafka:4.4.0"

Value = TypeVar("Value")


class DaemonMissing(RuntimeError):
    """No Docker daemon answers; the text is one line with the remedy."""


class Containers:
    """Servers in containers, stopped with the given stack."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._postgres: PostgresAddress | None = None
        self._kafka: str | None = None

    def postgres(self) -> PostgresAddress:
        """Return Postgres in its container, started by the first call."""
        if self._postgres is None:
            container = self._enter(lambda: PostgresContainer(POSTGRES_IMAGE, username=postgres.SUPERUSER))
            self._postgres = PostgresAddress(
                host=container.get_container_host_ip(),
                port=int(container.get_exposed_port(5432)),
                user=container.username,
                password=container.password,
            )
        return self._postgres

    def kafka(self) -> str:
        """Return Kafka in its container, started by the first call."""
        if self._kafka is None:
            self._kafka = self._enter(lambda: KafkaContainer(KAFKA_IMAGE)).get_bootstrap_server()
        return self._kafka

    def _enter(self, make: Callable[[], contextlib.AbstractContextManager[Value]]) -> Value:
        try:
            return self._stack.enter_context(make())
        except DockerException as refusal:
            raise DaemonMissing(
                "HANRO_STACK=containers finds no Docker daemon: start it, or say HANRO_STACK=embedded"
            ) from refusal
