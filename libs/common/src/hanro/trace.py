"""Carries what belongs together from request to fact to consumer: correlation, causation and the trace.

Source: W3C Trace Context; CloudEvents extension "distributed tracing".
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

from hanro.ids import new_id

_correlation: ContextVar[str | None] = ContextVar("correlation_id", default=None)
_actor: ContextVar[str | None] = ContextVar("actor", default=None)
_causation: ContextVar[str | None] = ContextVar("causation_id", default=None)

# Names of OpenTelemetry's conventions under which a query, a whole address, a header or an exception's text stands.
QUOTING = frozenset(
    {
        *("url.query", "url.full", "http.url", "http.target", "user_agent.original", "client.address"),
        *("exception.message", "exception.stacktrace"),
    }
)
TRACER = "hanro"


def correlation_id() -> str | None:
    """Give the id that all consequences of one request or poll share; None outside of one."""
    return _correlation.get()


def causation_id() -> str | None:
    """Give the id of the event that this work follows from; None where a request or a clock began it."""
    return _causation.get()


def actor() -> str | None:
    """Give the subject of the token whose request this work serves; None: hanro works by itself."""
    return _actor.get()


def act_for(subject: str) -> None:
    """Say whose request this work serves, until the block of `following` around it ends."""
    _actor.set(subject)


def context() -> dict[str, str]:
    """Give what a fact's envelope carries on: correlationid, causationid and traceparent, those that exist."""
    carried: dict[str, str] = {}
    propagate.inject(carried)
    found = {
        "correlationid": correlation_id(),
        "causationid": causation_id(),
        "traceparent": carried.get("traceparent"),
    }
    return {name: text for name, text in found.items() if text}


@contextmanager
def following(
    correlation: str | None = None, *, causation: str | None = None, traceparent: str | None = None, name: str = "work"
) -> Iterator[str]:
    """Run a block under a correlation id (a new one where None is known) and give it; put back what was before.

    `causation` is the event id that the block handles, `traceparent` the trace that it continues.
    """
    correlated = correlation or new_id("cor")
    tokens = _correlation.set(correlated), _causation.set(causation)
    acting = _actor.set(None)
    parent = propagate.extract({"traceparent": traceparent}) if traceparent else None
    try:
        with _started(name, context=parent):
            yield correlated
    finally:
        _correlation.reset(tokens[0])
        _causation.reset(tokens[1])
        _actor.reset(acting)


@contextmanager
def span(name: str, attributes: Mapping[str, str | int | float | bool] | None = None) -> Iterator[None]:
    """Run a block as a span of the current trace; attributes hold no personal data and no secrets."""
    with _started(name, attributes=attributes):
        yield


@contextmanager
def _started(
    name: str,
    *,
    context: Context | None = None,
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Iterator[None]:
    # Left to itself the library writes an exception's text and frames into the span: a driver's text quotes values.
    with trace.get_tracer(TRACER).start_as_current_span(
        name, context=context, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except Exception as error:
            current.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def set_up(service: str, file: Path) -> Callable[[], None]:
    """Append the process's spans to a file, one JSON object a line; give what writes the last ones and closes it.

    Without this call tracing is off and costs nothing.

    Raises:
        OSError: the file cannot be written.
    """
    stream = file.open("a", encoding="utf-8")
    exporter = ConsoleSpanExporter(out=stream, formatter=write_span)
    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)

    def close() -> None:
        provider.shutdown()
        stream.close()

    return close


def write_span(span: ReadableSpan) -> str:
    """Write a span as one line of JSON, without what quotes a request: libraries add spans of their own."""
    written = json.loads(span.to_json(indent=None))
    for attributes in (written["attributes"], *(event["attributes"] for event in written["events"])):
        for name in QUOTING & attributes.keys():
            del attributes[name]
    return json.dumps(written, ensure_ascii=False) + "\n"
