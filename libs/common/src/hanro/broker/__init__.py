"""Carries messages between services: a thin protocol, and Kafka behind it."""

from hanro.broker.kafka import KafkaBroker, KafkaSecurity
from hanro.broker.protocol import Broker, BrokerAway, Consumer, Message, Partition, Producer, Record, Refused

__all__ = [
    "Broker",
    "BrokerAway",
    "Consumer",
    "KafkaBroker",
    "KafkaSecurity",
    "Message",
    "Partition",
    "Producer",
    "Record",
    "Refused",
]
