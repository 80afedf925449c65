"""Facts come again byte for byte, those that are older after those that are newer."""

import uuid

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hanro_local.demo import late_facts
from hanro_local.demo.checker.log import read_all


async def test_every_fact_comes_again_and_the_older_ones_after_the_newer(kafka_bootstrap: str) -> None:
    topic = f"hanro.late-{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 12, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await producer.start()
    for version, key in ((1, b"a"), (1, b"b"), (2, b"a")):
        headers = [("ce_id", f"evt-{key.decode()}{version}".encode()), ("ce_type", b"seen")]
        await producer.send_and_wait(topic, f'{{"version": {version}}}'.encode(), key=key, headers=headers)
    await producer.stop()
    assert await late_facts.bring_again(kafka_bootstrap, topic) == 3
    found = [event for event in await read_all(kafka_bootstrap) if event.topic == topic]
    assert [(event.id, event.data["version"]) for event in found if event.key == "a"] == [
        ("evt-a1", 1),
        ("evt-a2", 2),
        ("evt-a2", 2),
        ("evt-a1", 1),
    ]
    assert [event.id for event in found if event.key == "b"] == ["evt-b1", "evt-b1"]
