"""Proves what stands in a log line, and above all what does not."""

import asyncio
import gc
import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from hanro import log, trace
from hanro.errors import Rejected

CANARY = "canary-0d4c"


class Account:
    """Be a value whose repr shows too much."""

    def __repr__(self) -> str:
        return CANARY


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def written(registry: CollectorRegistry) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    log.configure("probe-svc", level="debug", registry=registry, stream=stream)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:] = before
    root.setLevel(level)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_room_level_and_time(written: io.StringIO) -> None:
    log.logger("probe.room").info("order.stored", order_id="ord_1", count=3, why="見本")
    [line] = lines(written)
    assert datetime.fromisoformat(line.pop("at")).tzinfo == UTC
    assert line == {
        "level": "info",
        "service": "probe-svc",
        "room": "probe.room",
        "event": "order.stored",
        "order_id": "ord_1",
        "count": 3,
        "why": "見本",
    }


def test_a_key_that_is_not_allowed_is_dropped_named_and_counted(
    written: io.StringIO, registry: CollectorRegistry
) -> None:
    log.logger("probe").info("order.stored", email=CANARY, buyer_name=CANARY, order_id="ord_1")
    [line] = lines(written)
    assert (line["dropped"], line["order_id"]) == (["buyer_name", "email"], "ord_1")
    assert CANARY not in written.getvalue()
    assert registry.get_sample_value("hanro_log_dropped_keys_total") == 2


def test_a_value_object_is_named_by_its_type_only(written: io.StringIO) -> None:
    log.logger("probe").info("x", account_id=Account(), where=[Account()], why={"a": CANARY})
    assert CANARY not in written.getvalue()
    assert lines(written)[0]["account_id"] == "<Account>"


def test_a_long_text_is_cut(written: io.StringIO) -> None:
    log.logger("probe").info("x" * 9000, why="y" * 9000)
    assert len(written.getvalue()) < 2000


def test_line_breaks_cannot_forge_a_line(written: io.StringIO) -> None:
    log.logger("probe").warning("x", why='a\n{"level":"error"}')
    assert len(lines(written)) == 1


def fail_with(secret: str) -> None:
    raise KeyError(secret)


def test_an_exception_shows_where_but_no_values(written: io.StringIO) -> None:
    try:
        fail_with(CANARY)
    except KeyError:
        log.logger("probe").exception("probe.failed")
    [line] = lines(written)
    assert line["exception"]["type"] == "builtins.KeyError"
    assert "fail_with" in line["exception"]["frames"][0]
    assert CANARY not in written.getvalue()


def test_our_own_failures_say_why(written: io.StringIO) -> None:
    group = ExceptionGroup(CANARY, [Rejected("The order is cancelled.", code="order-cancelled")])
    log.logger("probe").error("probe.failed", exc_info=group)
    [part] = lines(written)[0]["exception"]["parts"]
    assert (part["code"], part["why"]) == ("order-cancelled", "The order is cancelled.")
    assert CANARY not in written.getvalue()


def test_libraries_speak_through_it_without_values_of_their_exceptions(written: io.StringIO) -> None:
    try:
        fail_with(CANARY)
    except KeyError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    logging.getLogger("uvicorn.access").info("GET /v1/orders?email=%s 200", CANARY)
    logging.getLogger("httpx").info("HTTP Request: GET https://x.invalid/?key=%s", CANARY)
    [line] = lines(written)
    assert (line["room"], line["event"]) == ("uvicorn.error", "Exception in ASGI application")
    assert line["exception"]["type"] == "builtins.KeyError"
    assert CANARY not in written.getvalue()


async def test_a_task_that_nobody_asked_for_its_failure_tells_no_value_of_it(written: io.StringIO) -> None:
    async def fail() -> None:
        fail_with(CANARY)

    failing = asyncio.create_task(fail())
    await asyncio.wait([failing])
    del failing
    gc.collect()
    [line] = lines(written)
    assert (line["event"], line["exception"]["type"]) == ("Task exception was never retrieved", "builtins.KeyError")
    assert CANARY not in written.getvalue()


def test_warnings_become_lines(written: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert lines(written)[0]["room"] == "py.warnings"


def test_a_line_carries_the_correlation_of_its_work(written: io.StringIO) -> None:
    with trace.following("cor-1"):
        log.logger("probe").info("inside")
    log.logger("probe").info("outside")
    inside, outside = lines(written)
    assert inside["correlation_id"] == "cor-1"
    assert "correlation_id" not in outside


def test_debug_lines_are_for_those_who_ask(written: io.StringIO) -> None:
    log.configure("probe-svc", level="info", stream=written)
    log.logger("probe").debug("quiet")
    assert written.getvalue() == ""


def test_what_follows_carries_correlation_and_causation_and_puts_back_what_was_before() -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with trace.following("cor-1", causation="evt_1", traceparent=parent):
        inner = trace.context()
        with trace.following():
            assert trace.causation_id() is None
            assert trace.correlation_id() != "cor-1"
        assert trace.correlation_id() == "cor-1"
    assert inner == {"correlationid": "cor-1", "causationid": "evt_1", "traceparent": parent}
    assert trace.context() == {}
