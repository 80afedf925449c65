"""Turns facts into Kafka messages and back: CloudEvents 1.0 in Kafka's binary mode.

Attributes travel as `ce_*` headers, the value is the JSON of the data alone.
Source: CloudEvents 1.0.2, Kafka protocol binding 3.2.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import NamedTuple

from pydantic import ValidationError

from hanro.errors import ContractBroken
from hanro.events.fact import Fact

Headers = tuple[tuple[str, bytes], ...]

SCHEMA_ROOT = "urn:hanro:schema:"
OPTIONAL_ATTRIBUTES = ("correlationid", "causationid", "traceparent")


class Received(NamedTuple):
    """Be a fact as it arrived; `headers` are those of its message.

    A tuple, because it is made for every message: a frozen dataclass takes four times as long. What few ask for is read
    from the headers when it is asked for.
    """

    fact: Fact
    headers: Headers

    @property
    def event_id(self) -> str:
        """Give the event's id: the same at every redelivery."""
        return self._text("ce_id") or ""

    @property
    def type(self) -> str:
        """Give the fact's type."""
        return self.fact.type

    @property
    def source(self) -> str:
        """Give the service that told it, for example `/order-svc`."""
        return self._text("ce_source") or ""

    @property
    def correlation_id(self) -> str | None:
        """Give what all consequences of one request or poll share."""
        return self._text("ce_correlationid")

    @property
    def causation_id(self) -> str | None:
        """Give the event that it follows from."""
        return self._text("ce_causationid")

    @property
    def traceparent(self) -> str | None:
        """Give the trace that it belongs to."""
        return self._text("ce_traceparent")

    def _text(self, wanted: str) -> str | None:
        return next((value.decode(errors="replace") for name, value in self.headers if name == wanted), None)


def attributes_of(fact: Fact, *, event_id: str, context: Mapping[str, str]) -> dict[str, str]:
    """Give the names and texts of a fact's headers but for its source, in the order in which they are sent.

    `context` may hold correlationid, causationid and traceparent.
    """
    named = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_type": fact.type,
        "ce_subject": fact.id,
        "ce_time": fact.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "ce_dataschema": f"{SCHEMA_ROOT}{fact.type}",
        "ce_partitionkey": fact.id,
    }
    if fact.account_id is not None:
        named["ce_accountid"] = fact.account_id
    if fact.account_epoch is not None:
        named["ce_accountepoch"] = str(fact.account_epoch)
    for name in OPTIONAL_ATTRIBUTES:
        if text := context.get(name):
            named[f"ce_{name}"] = text
    return named


def encode(fact: Fact, *, event_id: str, source: str, context: Mapping[str, str]) -> tuple[bytes, bytes, Headers]:
    """Give key, value and headers of a fact's message; `source` is the service, for example `/order-svc`."""
    named = {**attributes_of(fact, event_id=event_id, context=context), "ce_source": source}
    return (
        fact.id.encode(),
        fact.model_dump_json().encode(),
        tuple((name, text.encode()) for name, text in named.items()),
    )


def type_of(headers: Headers) -> str | None:
    """Give the fact's type, or None where the message is no CloudEvent in binary mode."""
    return next((value.decode(errors="replace") for name, value in headers if name == "ce_type"), None)


def decode(headers: Headers, value: bytes, wanted: Mapping[str, type[Fact]]) -> Received | None:
    """Read a message; None where its type is not in `wanted` (skipped and counted, never a dead letter).

    Raises:
        ContractBroken: no CloudEvents headers, or data that its schema refuses; the text holds no value of the data.
    """
    raw_kind = event_id = None
    # A thousand messages bring ten thousand headers: those behind the two that are asked for are not even looked at.
    for name, text in headers:
        if name == "ce_type":
            raw_kind = text
        elif name == "ce_id":
            event_id = text
        else:
            continue
        if raw_kind is not None and event_id is not None:
            break
    if raw_kind is None or event_id is None:
        raise ContractBroken("the message has no ce_type or ce_id header", code="unreadable")
    kind = raw_kind.decode(errors="replace")
    expected = wanted.get(kind)
    if expected is None:
        return None
    try:
        # The compiled validator itself, and no generated constructor: what stands around them takes a fifth.
        return tuple.__new__(Received, (expected.__pydantic_validator__.validate_json(value), headers))
    except ValidationError as error:
        where = "; ".join(f"/{'/'.join(map(_step, fault['loc']))}: {fault['type']}" for fault in error.errors()[:5])
        raise ContractBroken(f"data of {kind} does not fit its schema: {where}", code="unreadable") from None


def _step(step: str | int) -> str:
    # The name of a member that no schema names is a value of the data.
    return str(step) if isinstance(step, int) or (step.isascii() and step.isidentifier()) else "*"
