"""Runs a Kafka of two brokers for one test: one stops and comes back, and leaders and coordinators go with it."""

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from fault_switches import Switches, await_true

from hanro_local import jars, java, kafka, ports
from hanro_local.background import Background, in_background
from hanro_local.child import Child, Command, Runner
from hanro_local.kafka import HOST, JVM_FLAGS, KafkaSettings
from hanro_local.supervisor import Supervisor, supervised

SECONDS = 60.0
# The first is the controller too, and never stops.
STEADY, MOVING = 1, 2
REPLICAS = 2
# A broker that fell silent is given up, and one that came back leads again what it led first, within two seconds each.
BOTH = {
    "offsets.topic.replication.factor": "2",
    "offsets.topic.num.partitions": "4",
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "300",
    "auto.leader.rebalance.enable": "true",
    "leader.imbalance.check.interval.seconds": "1",
    "leader.imbalance.per.broker.percentage": "0",
}


@dataclass(frozen=True)
class Cluster:
    """Be two running brokers: where clients begin, and the levers on the second."""

    bootstrap: str
    running: Background[Supervisor] = field(repr=False)
    switches: Switches = field(repr=False)

    def stop_moving(self, number: int) -> None:
        """Stop the second broker by a signal, and keep it down."""
        self.switches.hold(_name(MOVING))
        os.kill(self.running.value.pid(_name(MOVING)), number)

    def bring_back(self) -> None:
        """Let the second broker start again, and wait until it answers."""
        self.switches.release(_name(MOVING))
        await_true(SECONDS, lambda: self.running.value.states()[_name(MOVING)] == "running", "the second broker")

    async def await_leader(self, broker: int, topic: str, group: str, *, is_alone: bool) -> None:
        """Wait until a broker coordinates a group and leads a topic's partitions: all, or those that begin with it.

        Raises:
            TimeoutError: it does not within a minute.
        """
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=2000)
        async with asyncio.timeout(SECONDS):
            await admin.start()
            try:
                while not await _leads(admin, broker, topic, group, is_alone=is_alone):
                    await asyncio.sleep(0.1)
            finally:
                await admin.close()

    async def group_of(self, broker: int) -> str:
        """Give a prefix for groups whose first name, `probe`, a broker coordinates."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=2000)
        async with asyncio.timeout(SECONDS):
            await admin.start()
            try:
                while True:
                    prefix = f"g{uuid.uuid4().hex[:8]}."
                    # Made with the first question: until then nobody coordinates anything.
                    with contextlib.suppress(KafkaError):
                        if await admin.find_coordinator(f"{prefix}probe") == broker:
                            return prefix
                    await asyncio.sleep(0.05)
            finally:
                await admin.close()


@contextlib.contextmanager
def two_brokers() -> Iterator[Cluster]:
    """Run the cluster while the block lasts, in a folder and on ports of its own."""
    state = Path(tempfile.mkdtemp(prefix="hanro-brokers-"))
    switches = Switches(state / "faults")
    first, second, controller = ports.choose(3)
    with in_background(_opened(state, switches, (first, second), controller), name="two-brokers") as background:
        yield Cluster(f"{HOST}:{first},{HOST}:{second}", background, switches)


@contextlib.asynccontextmanager
async def _opened(
    state: Path, switches: Switches, taken: tuple[int, int], controller: int
) -> AsyncIterator[Supervisor]:
    class_path = await jars.ready()
    cluster_id = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
    lines = (state / "supervisor.log").open("w")

    def report(line: str) -> None:
        lines.write(f"{line}\n")
        lines.flush()

    with lines:
        async with supervised(state, report) as supervisor:
            supervisor.guard.remove_at_end(state)
            brokers = [
                _child(
                    number, KafkaSettings(state / _name(number), port, controller, java.find(), class_path), cluster_id
                )
                for number, port in zip((STEADY, MOVING), taken, strict=True)
            ]
            await supervisor.start([switches.holdable(broker) for broker in brokers])
            yield supervisor


def _child(number: int, settings: KafkaSettings, cluster_id: str) -> Child:
    data, configuration = settings.folder / "data", settings.folder / "server.properties"

    def program(*arguments: str) -> Command:
        class_path = os.pathsep.join(map(str, settings.class_path))
        return Command((str(settings.java), *JVM_FLAGS, "-cp", class_path, *arguments), folder=settings.folder)

    async def prepare(run: Runner) -> None:
        shutil.rmtree(settings.folder, ignore_errors=True)
        settings.folder.mkdir(parents=True)
        # Of two lines with one name the later holds.
        own = BOTH if number == STEADY else BOTH | _without_controller(number, settings)
        told = "".join(f"{name}={value}\n" for name, value in own.items())
        configuration.write_text(kafka.properties(settings, data) + told)
        quorum = "--standalone" if number == STEADY else "--no-initial-controllers"
        words = ("format", f"--cluster-id={cluster_id}", "--config", str(configuration), quorum)
        await run(program("kafka.tools.StorageTool", *words))

    whole = kafka.child(settings)
    return replace(
        whole,
        name=_name(number),
        title=f"Kafka {number}",
        command=program("kafka.Kafka", str(configuration)),
        prepare=prepare,
    )


def _without_controller(number: int, settings: KafkaSettings) -> dict[str, str]:
    place = f"PLAINTEXT://{HOST}:{settings.port}"
    return {"process.roles": "broker", "node.id": str(number), "listeners": place, "advertised.listeners": place}


async def _leads(admin: AIOKafkaAdminClient, broker: int, topic: str, group: str, *, is_alone: bool) -> bool:
    try:
        (found,) = await admin.describe_topics([topic])
        coordinator = await admin.find_coordinator(group)
    except (KafkaError, OSError):
        # Whom we asked is gone, or nobody coordinates just now.
        return False
    partitions = found["partitions"]
    led = [one for one in partitions if is_alone or one["replicas"][0] == broker]
    return coordinator == broker and bool(led) and all(one["leader"] == broker for one in led)


def _name(number: int) -> str:
    return f"kafka-{number}"


KILLED, TOLD = signal.SIGKILL, signal.SIGTERM
