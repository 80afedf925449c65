"""The search for canaries finds each form of a text wherever it is left behind."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from canary_places import places
from canary_search import forms, hits
from running_stack import Linked

from hanro_local.stack import DATABASE, Stack

TEXT = "鶸①kanaria-7"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("text", [TEXT, "kanaria-plain", "080-1717-2929"])
def test_a_text_is_found_in_each_of_its_forms(text: str, before: str) -> None:
    whole = f"{before}{text}と{before}"
    written = [
        whole.encode(),
        whole.encode("cp932"),
        base64.b64encode(whole.encode()),
        base64.urlsafe_b64encode(whole.encode()),
        quote(whole).encode(),
        quote(whole).lower().encode(),
        json.dumps(whole).encode(),
        json.dumps(whole).replace("\\u9df8", "\\u9DF8").encode(),
        whole.encode().hex().encode(),
    ]
    assert [sorted(hits([("here", held)], {"canary": text})) for held in written] == [["canary"]] * len(written)


def test_nothing_is_found_where_nothing_is() -> None:
    held = base64.b64encode("別の文 kanari-7".encode()) + b"kanaria-6 080-1717-2928"
    assert hits([("here", held)], {"one": TEXT, "two": "080-1717-2929"}) == {}
    assert all(len(form) >= 9 for form in forms("080-1717-2929"))


async def test_a_leak_anywhere_turns_the_search_red(shared_stack: Stack, linked: Linked) -> None:
    assert linked.account.account_id
    leaks = {name: f"more-{name}-kanaria" for name in ("log", "trace", "fact", "text", "bytes")}
    extra = [shared_stack.state / "log" / "leaky.log", shared_stack.state / "order-svc" / "leaky.jsonl"]
    database = await asyncpg.connect(shared_stack.postgres.url(DATABASE), timeout=10)
    admin = AIOKafkaAdminClient(bootstrap_servers=shared_stack.kafka)
    await admin.start()
    producer = AIOKafkaProducer(bootstrap_servers=shared_stack.kafka)
    await producer.start()
    try:
        extra[0].write_text(json.dumps({"why": base64.b64encode(f"x{leaks['log']}".encode()).decode()}))
        extra[1].write_text(json.dumps({"url": f"/?key={leaks['trace']}"}))
        await database.execute("create table orders.leaky (said text, raw bytea)")
        await database.execute("insert into orders.leaky values ($1, $2)", leaks["text"], f"x{leaks['bytes']}".encode())
        await admin.create_topics([NewTopic("leaky", 1, 1)])
        await producer.send_and_wait("leaky", b"{}", headers=[("ce_subject", leaks["fact"].encode())])
        found = hits(await places(shared_stack), leaks)
    finally:
        await database.execute("drop table if exists orders.leaky")
        await database.close(timeout=10)
        await producer.stop()
        await admin.delete_topics(["leaky"])
        await admin.close()
        _remove(extra)
    assert found.keys() == leaks.keys()
    assert found["log"] == {"log/leaky.log"}
    assert found["trace"] == {"order-svc/leaky.jsonl"}
    assert "orders.leaky" in found["text"] & found["bytes"]
    assert "topic/leaky" in found["fact"]
    assert any(place.startswith("kafka/") for place in found["fact"])


def _remove(made: list[Path]) -> None:
    for file in made:
        file.unlink(missing_ok=True)
