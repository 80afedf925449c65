"""Facts on the wire: CloudEvents in Kafka's binary mode, read back by an independent reader too."""

import json
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from hanro.errors import ContractBroken
from hanro.events import envelope
from hanro.events.fact import registered, topics
from hanro.events.listings import ListingAdopted
from hanro.events.stock import StockChanged

AT = datetime(2026, 5, 11, 1, 15, 30, tzinfo=UTC)
FACT = StockChanged(
    id="stk_1",
    version=3,
    at=AT,
    sku="TOWEL-M-WH",
    on_hand=10,
    committed=2,
    available=8,
    safety_buffer=0,
    short_count=0,
    cause="set",
)
WANTED = {StockChanged.type: StockChanged}


def test_a_fact_comes_back_as_it_was() -> None:
    _, value, headers = envelope.encode(FACT, event_id="evt_1", source="/catalog-svc", context={"correlationid": "c-1"})
    received = envelope.decode(headers, value, WANTED)
    assert received is not None
    assert (received.fact, received.event_id, received.correlation_id) == (FACT, "evt_1", "c-1")


def test_an_independent_reader_finds_the_attributes() -> None:
    key, value, headers = envelope.encode(FACT, event_id="evt_1", source="/catalog-svc", context={})
    event = from_binary(KafkaMessage(headers=dict(headers), key=key.decode(), value=value), JSONFormat())
    assert (event.get_type(), event.get_subject(), event.get_time()) == ("hanro.stock.changed.v1", "stk_1", AT)


def test_an_unknown_type_is_skipped() -> None:
    _, value, headers = envelope.encode(FACT, event_id="evt_1", source="/catalog-svc", context={})
    assert envelope.decode(headers, value, {}) is None


def test_broken_data_names_the_field_and_shows_no_value() -> None:
    _, value, headers = envelope.encode(FACT, event_id="evt_1", source="/catalog-svc", context={})
    broken = json.dumps(json.loads(value) | {"on_hand": "見本 花子"}).encode()
    with pytest.raises(ContractBroken, match="/on_hand: int_parsing") as caught:
        envelope.decode(headers, broken, WANTED)
    assert "花子" not in caught.value.why


def test_a_name_that_no_schema_names_is_a_value_and_not_shown() -> None:
    headers = (("ce_id", b"evt_1"), ("ce_type", b"hanro.listing.adopted.v1"), ("ce_time", b"2026-05-11T01:15:30Z"))
    value = json.dumps({"id": "lst_1", "version": 1, "keys": {"見本 花子\0": 5}}).encode()
    with pytest.raises(ContractBroken, match=r"/keys/\*: string_type") as caught:
        envelope.decode(headers, value, {"hanro.listing.adopted.v1": ListingAdopted})
    assert "花子" not in caught.value.why


def test_bytes_without_headers_are_no_fact() -> None:
    with pytest.raises(ContractBroken, match="ce_type"):
        envelope.decode((), b"\xff\x00", WANTED)


def test_every_fact_has_one_topic_and_a_type_of_its_own() -> None:
    types = [fact.type for fact in registered()]
    assert len(types) == len(set(types))
    assert topics() == (
        "hanro.access",
        "hanro.accounts",
        "hanro.listings",
        "hanro.messages",
        "hanro.orders",
        "hanro.stock",
    )
