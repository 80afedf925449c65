"""Writes one JSON object a line: allow-listed keys only, exceptions without values.

A key that is not allowed is dropped, named under `dropped` and counted; so a buyer's name cannot slip into a log by
being passed along. Of an exception that is not ours only its type and its frames are written: a driver's text quotes
values.
"""

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from enum import Enum
from types import TracebackType
from typing import Any, Protocol, TextIO, cast

import structlog
from prometheus_client import CollectorRegistry, Counter
from structlog.stdlib import ProcessorFormatter

from hanro import trace
from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported

LONGEST_TEXT = 500
DEEPEST_FRAMES = 12

Fields = MutableMapping[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class Logger(Protocol):
    """Say what happened: `event` is a fixed sentence or dotted name, all values are keywords of `KEYS`."""

    def debug(self, event: str, **fields: object) -> None:
        """Say what only a developer asks for."""

    def info(self, event: str, **fields: object) -> None:
        """Say what happened as it should."""

    def warning(self, event: str, **fields: object) -> None:
        """Say what went wrong and mends itself."""

    def error(self, event: str, **fields: object) -> None:
        """Say what somebody must look into; `exc_info=error` adds an exception."""

    def exception(self, event: str, **fields: object) -> None:
        """Say the exception being handled, with where it was raised and no values."""


KEYS = frozenset(
    {
        *("account_epoch", "account_id", "aggregate_id", "attempt", "capability", "code", "consumer", "count"),
        *("duration_ms", "error_type", "event_id", "external_id", "field", "grant_id", "group", "host", "http_status"),
        *(
            "job",
            "kind",
            "lag",
            "limit",
            "listener",
            "loop",
            "marketplace_id",
            "message_id",
            "method",
            "name",
            "offset",
        ),
        *("operation_id", "order_id", "partition", "path", "plugin_id", "port", "position", "purpose", "reason"),
        *(
            "request_id",
            "route",
            "seconds",
            "server",
            "size_bytes",
            "sku",
            "state",
            "subject",
            "threshold_days",
            "topic",
            "trigger",
            "type",
        ),
        *("version", "where", "why"),
    }
)
_OWN_KEYS = frozenset({"event", "exc_info", "exception", "level", "room", "correlation_id", "dropped"})
# Libraries whose informative lines quote addresses with their queries, or come once a message.
_QUIET = ("httpx", "httpcore", "aiokafka", "sqlalchemy", "asyncio", "kafka")


def logger(room: str) -> Logger:
    """Give the logger of a module; pass `__name__`."""
    wrapped = structlog.wrap_logger(
        logging.getLogger(room),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            _keep_allowed,
            _describe_exception,
            ProcessorFormatter.wrap_for_formatter,
        ],
    )
    return cast("Logger", wrapped)


def configure(
    service: str, *, level: str = "info", registry: CollectorRegistry | None = None, stream: TextIO | None = None
) -> None:
    """Send all logs of this process, uvicorn's and the libraries' too, to a stream (standard output) as JSON lines.

    `registry` gets `hanro_log_dropped_keys_total`.
    """
    dropped = (
        Counter("hanro_log_dropped_keys", "Log keys that are not allow-listed", registry=registry) if registry else None
    )

    def finish(_logger: Any, _method: str, fields: Fields) -> Fields:
        record = fields.pop("_record")
        fields.pop("_from_structlog", None)
        if dropped and fields.get("dropped"):
            dropped.inc(len(fields["dropped"]))
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        first = {"at": at, "level": fields.pop("level", "info"), "service": service, "room": record.name}
        if correlation_id := trace.correlation_id():
            first["correlation_id"] = correlation_id
        return {**first, **fields}

    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        ProcessorFormatter(
            processors=[finish, structlog.processors.JSONRenderer(ensure_ascii=False)],
            foreign_pre_chain=[structlog.stdlib.add_log_level, _cut, _keep_allowed, _describe_exception],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        found = logging.getLogger(name)
        found.handlers.clear()
        # A server that was set up in this process before may have silenced it.
        found.disabled = False
        found.setLevel(logging.NOTSET)
        found.propagate = name != "uvicorn.access"


def _cut(_logger: Any, _method: str, fields: Fields) -> Fields:
    # asyncio writes the repr of a task behind its own words, and that quotes the exception's text.
    return {**fields, "event": str(fields["event"]).partition("\n")[0]}


def _keep_allowed(_logger: Any, _method: str, fields: Fields) -> Fields:
    kept: Fields = {}
    dropped: list[str] = []
    for key, value in fields.items():
        if key in _OWN_KEYS or key.startswith("_"):
            kept[key] = value if key in {"exc_info", "_record"} or not isinstance(value, str) else value[:LONGEST_TEXT]
        elif key in KEYS:
            kept[key] = _plain(value)
        else:
            dropped.append(key)
    if dropped:
        kept["dropped"] = sorted(dropped)
    return kept


def _plain(value: object) -> object:
    match value:
        case Enum():
            return _plain(value.value)
        case None | bool() | int() | float():
            return value
        case str():
            return value[:LONGEST_TEXT]
        case datetime():
            return value.isoformat()
        case list() | tuple() | set() | frozenset():
            return [_plain(one) for one in value][:50]
    # The repr of a value object could show what the allow-list keeps out.
    return f"<{type(value).__name__}>"


def _describe_exception(_logger: Any, _method: str, fields: Fields) -> Fields:
    given = fields.pop("exc_info", None)
    if not given:
        return fields
    error = _exception_of(given)
    if error is not None:
        fields["exception"] = describe(error)
    return fields


def _exception_of(given: object) -> BaseException | None:
    match given:
        case BaseException():
            return given
        case (_, BaseException() as error, _):
            return error
        case _:
            return sys.exc_info()[1]


def describe(error: BaseException) -> dict[str, object]:
    """Say an exception without its values: type, our own sentence where it is ours, and frames, innermost first."""
    described: dict[str, object] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, Retryable | NeedsSeller | Rejected | ContractBroken | InDoubt | Unsupported):
        described |= {"code": error.code, "why": error.why[:LONGEST_TEXT]}
    if isinstance(error, OSError) and error.strerror:
        described["why"] = error.strerror
    if state := getattr(error, "sqlstate", None):
        described["sqlstate"] = str(state)
    described["frames"] = _frames(error.__traceback__)
    if isinstance(error, BaseExceptionGroup):
        described["parts"] = [describe(part) for part in error.exceptions[:5]]
    if error.__cause__ is not None:
        described["cause"] = describe(error.__cause__)
    return described


def _frames(traceback: TracebackType | None) -> list[str]:
    found: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        found.append(f"{_short(code.co_filename)}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return found[::-1][:DEEPEST_FRAMES]


def _short(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-2:])
