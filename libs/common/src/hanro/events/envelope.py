"""Turns facts into Kafka messages and back: CloudEvents 1.0 in Kafka's binary mode.

Attributes travel as `ce_*` headers, the value is the JSON of the data alone.
Source: CloudEvents 1.0.2, Kafka protocol binding 3.2.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import ValidationError

from hanro.errors import ContractBroken
from hanro.events.fact import Fact

Headers = tuple[tuple[str, bytes], ...]

SCHEMA_ROOT = "urn:hanro:schema:"
OPTIONAL_ATTRIBUTES = ("correlationid", "causationid", "traceparent")


class Received(NamedTuple):
    """Be a fact as it arrived. `event_id` is the same at every redelivery; times are aware UTC.

    A tuple, because it is made for every message: a frozen dataclass takes four times as long.
    """

    fact: Fact
    event_id: str
    type: str
    source: str
    time: datetime
    correlation_id: str | None
    causation_id: str | None
    traceparent: str | None


def encode(fact: Fact, *, event_id: str, source: str, context: Mapping[str, str]) -> tuple[bytes, bytes, Headers]:
    """Give key, value and headers of a fact's message.

    `source` is the service, for example `/order-svc`; `context` may hold correlationid, causationid and traceparent.
    """
    attributes = {
        "specversion": "1.0",
        "id": event_id,
        "type": fact.type,
        "source": source,
        "subject": fact.id,
        "time": fact.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "dataschema": f"{SCHEMA_ROOT}{fact.type}",
        "partitionkey": fact.id,
    }
    if fact.account_id is not None:
        attributes["accountid"] = fact.account_id
    if fact.account_epoch is not None:
        attributes["accountepoch"] = str(fact.account_epoch)
    attributes |= {name: context[name] for name in OPTIONAL_ATTRIBUTES if context.get(name)}
    headers = tuple((f"ce_{name}", text.encode()) for name, text in attributes.items())
    return fact.id.encode(), fact.model_dump_json().encode(), (("content-type", b"application/json"), *headers)


def type_of(headers: Headers) -> str | None:
    """Give the fact's type, or None where the message is no CloudEvent in binary mode."""
    return next((value.decode(errors="replace") for name, value in headers if name == "ce_type"), None)


def decode(headers: Headers, value: bytes, wanted: Mapping[str, type[Fact]]) -> Received | None:
    """Read a message; None where its type is not in `wanted` (skipped and counted, never a dead letter).

    Raises:
        ContractBroken: no CloudEvents headers, or data that its schema refuses; the text holds no value of the data.
    """
    # A thousand messages bring ten thousand headers: only what is asked for is turned into text.
    named = dict(headers)
    raw_kind, raw_id = named.get("ce_type"), named.get("ce_id")
    if raw_kind is None or raw_id is None:
        raise ContractBroken("the message has no ce_type or ce_id header", code="unreadable")
    kind = str(raw_kind, "utf-8", "replace")
    expected = wanted.get(kind)
    if expected is None:
        return None
    try:
        fact = expected.model_validate_json(value)
        time = datetime.fromisoformat(str(named.get("ce_time", b""), "utf-8", "replace"))
    except ValidationError as error:
        where = "; ".join(f"/{'/'.join(map(_step, fault['loc']))}: {fault['type']}" for fault in error.errors()[:5])
        raise ContractBroken(f"data of {kind} does not fit its schema: {where}", code="unreadable") from None
    except ValueError:
        raise ContractBroken(f"ce_time of {kind} is no RFC 3339 time", code="unreadable", field="ce_time") from None
    return Received(
        fact=fact,
        event_id=str(raw_id, "utf-8", "replace"),
        type=kind,
        source=_text(named, "ce_source") or "",
        time=time,
        correlation_id=_text(named, "ce_correlationid"),
        causation_id=_text(named, "ce_causationid"),
        traceparent=_text(named, "ce_traceparent"),
    )


def _text(named: Mapping[str, bytes], name: str) -> str | None:
    raw = named.get(name)
    return None if raw is None else str(raw, "utf-8", "replace")


def _step(step: str | int) -> str:
    # The name of a member that no schema names is a value of the data.
    return str(step) if isinstance(step, int) or (step.isascii() and step.isidentifier()) else "*"
