"""Writes one JSON object a line: allow-listed keys only, exceptions without local values.

A key that is not allowed is dropped and counted; so a buyer's name cannot slip into a log by being passed along.
"""

from typing import Protocol


class Logger(Protocol):
    """Say what happened: `event` is a fixed sentence or dotted name, all values are keywords of `KEYS`."""

    def debug(self, event: str, **fields: object) -> None:
        """Say what only a developer asks for."""

    def info(self, event: str, **fields: object) -> None:
        """Say what happened as it should."""

    def warning(self, event: str, **fields: object) -> None:
        """Say what went wrong and mends itself."""

    def error(self, event: str, **fields: object) -> None:
        """Say what somebody must look into."""

    def exception(self, event: str, **fields: object) -> None:
        """Say the exception being handled, with where it was raised and no local values."""


KEYS = frozenset(
    "account_id account_epoch aggregate_id attempt capability code consumer count duration_ms error_type event_id "
    "external_id field grant_id group host http_status job kind lag limit listener loop marketplace_id message_id method "
    "name offset operation_id order_id partition path plugin_id port position purpose reason request_id route seconds "
    "size_bytes sku state subject topic trigger type version where why".split()
)


def logger(room: str) -> Logger:
    """Give the logger of a module; pass `__name__`."""
    raise NotImplementedError


def configure(service: str, *, level: str = "info") -> None:
    """Send all logs of this process, uvicorn's and the libraries' too, to standard output as JSON lines."""
    raise NotImplementedError
