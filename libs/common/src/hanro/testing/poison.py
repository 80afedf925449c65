"""Says what poison on a topic may do to a service's consumers; a test module inherits the suite and gives `edge`.

Everything lies in one partition, between two good facts: what stands behind poison must not wait for it.
"""

# ruff: noqa: S101, PLR2004, D102  a suite of tests: it asserts, its values stand in the test, its names are sentences

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from hanro.broker import Message
from hanro.consume import consume
from hanro.events import envelope
from hanro.events.envelope import Received
from hanro.events.fact import Fact
from hanro.marketplace import installed
from hanro.subscriptions import Subscription
from hanro.testing.documents import CANARY, fitting
from hanro.testing.edges import Edge
from hanro.testing.memory_broker import MemoryBroker

SECONDS = 20.0
CULPRIT = "sample-culprit"
Letter = Mapping[str, Any]


def sample(kind: type[Fact], fact_id: str) -> Fact:
    """Make a fact of a type with every field filled, of an installed marketplace."""
    marketplace = {"marketplace_id": min(installed())} if "marketplace_id" in kind.model_fields else {}
    schema = kind.model_json_schema(mode="serialization")
    return kind.model_validate(fitting(schema, schema.get("$defs", {})) | {"id": fact_id, "version": 1} | marketplace)


def message(fact: Fact, **changed: bytes) -> Message:
    """Make a fact's message; `changed` replaces headers by name, or `value`."""
    _, value, headers = envelope.encode(fact, event_id=f"evt_{fact.id}", source="/test", context={})
    named = {name: changed.get(name, text) for name, text in headers}
    return Message(fact.topic, b"one-key", changed.get("value", value), tuple(named.items()))


def messages_for(subscription: Subscription[Any, Any]) -> dict[str, Message]:
    """Make what the topic of a consumer carries, by name, in this order."""
    kind = subscription.facts[0]
    fact = sample(kind, "sample-poison")
    broken = json.loads(fact.model_dump_json()) | {"version": CANARY, "at": CANARY}
    return {
        "good": message(sample(kind, "sample-before")),
        "no JSON": message(fact, value=b"\x00\xff{" + CANARY.encode()),
        "broken": message(fact, value=json.dumps(broken).encode()),
        "no event": Message(kind.topic, b"one-key", b"{}", (("x-other", b"\xff"),)),
        "unknown type": message(fact, ce_type=b"hanro.never.heard.v9"),
        "a bug's": message(sample(kind, CULPRIT)),
        "good behind": message(sample(kind, "sample-behind")),
    }


class PoisonedTopics:
    """Be the suite; the module gives the fixture `edge`."""

    async def test_poison_is_put_aside_whole_and_what_stands_behind_it_is_handled(
        self, edge: Edge, caplog: pytest.LogCaptureFixture
    ) -> None:
        for subscription in edge.built.subscriptions:
            sent = messages_for(subscription)
            await hear(edge, faulty(subscription), list(sent.values()))
            assert outcomes(edge, subscription) == {"applied": 2, "skipped": 1, "dead": 4, "stale": 0}
            letters = await letters_of(edge, subscription)
            assert sorted(letter["code"] for letter in letters) == ["bug", "unreadable", "unreadable", "unreadable"]
            shown = [await ask(edge, "GET", f"/{letter['id']}") for letter in letters]
            raw = {b64decode(letter["value_base64"]) for letter in shown}
            assert raw == {sent[name].value for name in ("no JSON", "broken", "no event", "a bug's")}
            assert {letter["topic"] for letter in shown} == {sent["broken"].topic}
            assert CANARY not in str([letter["cause"] for letter in shown])
        assert CANARY not in caplog.text

    async def test_a_mended_consumer_takes_what_is_redriven_and_the_rest_stays(self, edge: Edge) -> None:
        for subscription in edge.built.subscriptions:
            await hear(edge, faulty(subscription), list(messages_for(subscription).values()))
            for letter in await letters_of(edge, subscription):
                # The service's own consumer is the mended one.
                found = await ask(edge, "POST", f"/{letter['id']}:redrive")
                if letter["code"] == "bug":
                    assert found["state"] == "handled", found
                    await ask(edge, "POST", f"/{letter['id']}:redrive", status=404)
                else:
                    assert (found["state"], found["letter"]["attempts"]) == ("failed", 2)
            left = await letters_of(edge, subscription)
            assert len(left) == 3
            for letter in left:
                await ask(edge, "DELETE", f"/{letter['id']}", status=204)
            assert await letters_of(edge, subscription) == []

    async def test_poison_that_comes_again_is_put_aside_once(self, edge: Edge) -> None:
        for subscription in edge.built.subscriptions:
            for _ in range(2):
                await hear(edge, faulty(subscription), list(messages_for(subscription).values()))
            letters = await letters_of(edge, subscription)
            assert [letter["attempts"] for letter in letters] == [2] * 4


def faulty(subscription: Subscription[Any, Any]) -> Subscription[Any, Any]:
    """Give the consumer with a bug that one aggregate sets off."""

    def decide(known: object, received: Received) -> object:
        if received.fact.id == CULPRIT:
            raise ZeroDivisionError(CANARY)
        return subscription.decide(known, received)

    return replace(subscription, decide=decide)


async def hear(edge: Edge, subscription: Subscription[Any, Any], sent: list[Message]) -> None:
    """Let a consumer hear messages, in order, and wait until it has moved past all of them."""
    broker = MemoryBroker()
    await broker.ensure_topics(subscription.topics)
    producer = broker.producer()
    await producer.start()
    assert await producer.send_all(sent, timeout_seconds=5) == [None] * len(sent)
    async with _consuming(edge, broker, subscription), asyncio.timeout(SECONDS):
        while sum(broker.groups[subscription.name].committed.values()) < len(sent):  # noqa: ASYNC110  a broker tells nobody
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _consuming(edge: Edge, broker: MemoryBroker, subscription: Subscription[Any, Any]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(
            consume(edge.parts.db, broker, subscription, clock=edge.parts.clock, stop=stop, observer=edge.consumers)
        )
        try:
            yield
        finally:
            stop.set()


def outcomes(edge: Edge, subscription: Subscription[Any, Any]) -> dict[str, int]:
    """Read the metric: how many facts came to what."""
    return {
        one.labels["outcome"]: int(one.value)
        for family in edge.parts.registry.collect()
        for one in family.samples
        if one.name == "hanro_consumer_facts_total" and one.labels["consumer"] == subscription.name
    }


async def letters_of(edge: Edge, subscription: Subscription[Any, Any]) -> list[Letter]:
    """List a consumer's dead letters over REST."""
    found: list[Letter] = (await ask(edge, "GET", f"?consumer={subscription.name}"))["items"]
    return found


async def ask(edge: Edge, method: str, below: str, *, status: int = 200) -> Any:
    """Ask the route of dead letters as an operator does."""
    root = next(path for path in edge.document["paths"] if path.endswith("/dead-letters"))
    answer = await edge.client.request(method, root + below, headers=edge.signer.bearer("ops"))
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None
