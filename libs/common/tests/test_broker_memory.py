"""The broker in memory keeps the contract, and can be away."""

import pytest

from hanro.broker import BrokerAway, Message
from hanro.testing.broker_contract import BrokerContract, send
from hanro.testing.memory_broker import MemoryBroker


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


class TestMemoryBroker(BrokerContract):
    """The twin passes what Kafka passes."""


async def test_a_broker_that_is_away_takes_nothing() -> None:
    broker = MemoryBroker()
    await broker.ensure_topics(["hanro.orders"])
    broker.is_away = True
    with pytest.raises(BrokerAway):
        await send(broker, [Message("hanro.orders", b"k", b"v", ())])
