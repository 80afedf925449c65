"""Spans in a file: what libraries add of a request's address or of an exception's text does not come along."""

import json
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from hanro import trace


def test_a_span_says_nothing_that_a_request_or_an_exception_said(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    with file.open("w") as stream:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=stream, formatter=trace.write_span)))
        with provider.get_tracer("library").start_as_current_span(
            "GET", attributes={"url.query": "phone=0312340000", "http.route": "/v1/orders"}
        ) as span:
            span.record_exception(ValueError("見本 花子"))
    [line] = file.read_text().splitlines()
    assert json.loads(line)["attributes"] == {"http.route": "/v1/orders"}
    assert "0312340000" not in line
    assert "花子" not in line
    assert "ValueError" in line
