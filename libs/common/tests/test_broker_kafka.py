"""The broker on Kafka keeps the contract."""

import secrets
import socket

import pytest

from hanro.broker import BrokerAway, KafkaBroker
from hanro.testing.broker_contract import BrokerContract


@pytest.fixture
def broker(kafka_bootstrap: str) -> KafkaBroker:
    prefix = f"t{secrets.token_hex(4)}."
    return KafkaBroker(kafka_bootstrap, topic_prefix=prefix, group_prefix=prefix)


class TestKafkaBroker(BrokerContract):
    """Against the real broker of this run."""


@pytest.fixture
def deserted() -> str:
    """Give an address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


async def test_a_broker_that_is_not_there_is_away(deserted: str) -> None:
    broker = KafkaBroker(deserted)
    with pytest.raises(BrokerAway):
        await broker.producer().start()
    with pytest.raises(BrokerAway):
        await broker.ensure_topics(["hanro.orders"])
