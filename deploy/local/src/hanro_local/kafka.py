"""Describes the real Apache Kafka of the stack: one node in KRaft mode, broker and controller in one process."""

import base64
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hanro_local import probes
from hanro_local.child import Child, Command, Runner

HOST = "127.0.0.1"
JVM_FLAGS = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
READY_SECONDS = 60.0


@dataclass(frozen=True)
class KafkaSettings:
    """Where the broker's state lies, its two ports, the `java` program and the class path.

    `advertised_port` is the one that clients are told, where something stands in between; 0: the broker's own.
    """

    folder: Path
    port: int
    controller_port: int
    java: Path
    class_path: Sequence[Path]
    advertised_port: int = 0


def properties(settings: KafkaSettings, data: Path) -> str:
    """Return the broker's configuration with its log folder at `data`."""
    told = settings.advertised_port or settings.port
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"{HOST}:{settings.controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{settings.port},CONTROLLER://{HOST}:{settings.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{told},CONTROLLER://{HOST}:{settings.controller_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(data),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "8",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # A misspelt topic must be an error, not a new topic.
        "auto.create.topics.enable": "false",
        "log.retention.hours": str(30 * 24),
        "message.max.bytes": "1200000",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def child(settings: KafkaSettings) -> Child:
    """Describe the broker as a child of the stack; its topics outlive it, also when its ports change."""
    data = settings.folder / "data"
    configuration = settings.folder / "server.properties"

    def java(*arguments: str) -> Command:
        class_path = os.pathsep.join(map(str, settings.class_path))
        return Command((str(settings.java), *JVM_FLAGS, "-cp", class_path, *arguments), folder=settings.folder)

    async def prepare(run: Runner) -> None:
        settings.folder.mkdir(parents=True, exist_ok=True)
        configuration.write_text(properties(settings, data))
        if data.exists():
            return
        # Formatted aside and renamed: half a format would never start.
        aside = settings.folder / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        formatting = settings.folder / "format.properties"
        formatting.write_text(properties(settings, aside))
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # An id that begins with a dash would be read as an option.
        words = ("format", f"--cluster-id={cluster_id}", "--config", str(formatting), "--standalone")
        await run(java("kafka.tools.StorageTool", *words))
        aside.rename(data)

    return Child(
        name="kafka",
        title="Kafka",
        command=java("kafka.Kafka", str(configuration)),
        probe=probes.kafka_answers(bootstrap(settings)),
        url=f"kafka://{bootstrap(settings)}",
        ready_seconds=READY_SECONDS,
        prepare=prepare,
    )


def bootstrap(settings: KafkaSettings) -> str:
    """Return the address that clients are given, `host:port`."""
    return f"{HOST}:{settings.port}"
