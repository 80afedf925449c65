"""Remembers what the marketplace's side got, answered and did, in order, for checks that trust nobody's own word."""

import base64
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from simkit.clock import Clock

KEPT_ENTRIES = 100_000
KEPT_BYTES = 256 * 1024 * 1024
BODY_CAP_BYTES = 64 * 1024


@dataclass(frozen=True)
class Entry:
    """State one thing that happened: `sequence` counts from 1 without gaps; times are the simulator's clock."""

    sequence: int
    kind: str
    received_at: datetime
    monotonic_seconds: float
    details: Mapping[str, object]

    def to_json(self) -> dict[str, object]:
        """Give the entry as one flat JSON object."""
        return {
            "sequence": self.sequence,
            "kind": self.kind,
            "received_at": self.received_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "monotonic_seconds": self.monotonic_seconds,
            **self.details,
        }


@dataclass(frozen=True)
class Page:
    """Hold entries, the number to ask for next, and the oldest sequence still in memory (0: none)."""

    entries: Sequence[Entry]
    next: int
    oldest: int


def body_fields(prefix: str, body: bytes, cap_bytes: int = BODY_CAP_BYTES) -> dict[str, object]:
    """Give a body as journal fields: text when it is UTF-8, else base64; `…_bytes` is the whole size.

    Only the first `cap_bytes` are kept; `…_is_cut` says so.
    """
    kept = body[:cap_bytes]
    fields: dict[str, object] = {f"{prefix}_body_bytes": len(body), f"{prefix}_body_is_cut": len(body) > cap_bytes}
    # A cap may fall inside a character: the whole decides whether it is text.
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        fields[f"{prefix}_body_base64"] = base64.b64encode(kept).decode("ascii")
    else:
        fields[f"{prefix}_body"] = kept.decode("utf-8", errors="ignore")
    return fields


def _last_sequence(file: Path) -> int:
    if not file.exists():
        return 0
    last = 0
    with file.open("rb") as lines:
        for line in lines:
            try:
                last = int(json.loads(line)["sequence"])
            except (ValueError, KeyError, TypeError):
                # The process was killed while it wrote this line: the entry never counted.
                continue
    return last


class Journal:
    """Append entries and hand them out.

    Memory holds the newest `kept_entries` or `kept_bytes`, whichever is less; `file` gets every entry as a JSON line,
    flushed at once, and is continued when it exists.
    """

    def __init__(
        self,
        clock: Clock,
        file: Path | None = None,
        *,
        kept_entries: int = KEPT_ENTRIES,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._clock = clock
        self._kept_entries = kept_entries
        self._kept_bytes = kept_bytes
        self._entries: deque[tuple[Entry, int]] = deque()
        self._bytes = 0
        self._sequence = 0 if file is None else _last_sequence(file)
        self._file: TextIO | None = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._file = file.open("a", encoding="utf-8")
            if self._file.tell() > 0:
                # Ends a line that a killed process left half written; an empty line is harmless.
                self._file.write("\n")

    @property
    def sequence(self) -> int:
        """Tell the sequence of the newest entry, 0 before the first."""
        return self._sequence

    def add(
        self,
        kind: str,
        details: Mapping[str, object],
        *,
        received_at: datetime | None = None,
        monotonic_seconds: float | None = None,
    ) -> Entry:
        """Append an entry of `kind` ("request", "mail", "state", …); times default to the clock's present."""
        self._sequence += 1
        entry = Entry(
            sequence=self._sequence,
            kind=kind,
            received_at=self._clock.now() if received_at is None else received_at,
            monotonic_seconds=self._clock.monotonic() if monotonic_seconds is None else monotonic_seconds,
            details=details,
        )
        line = json.dumps(entry.to_json(), ensure_ascii=False, separators=(",", ":"))
        if self._file is not None:
            self._file.write(line + "\n")
            self._file.flush()
        self._entries.append((entry, len(line)))
        self._bytes += len(line)
        while len(self._entries) > self._kept_entries or (self._bytes > self._kept_bytes and len(self._entries) > 1):
            self._bytes -= self._entries.popleft()[1]
        return entry

    def read(self, after: int = 0, limit: int = 1000, kind: str | None = None, path: str | None = None) -> Page:
        """Give up to `limit` entries with a sequence over `after`, oldest first, of `kind` and with `path` as prefix.

        `next` is what to pass as `after` for what follows, also when a filter let nothing through.
        """
        found: list[Entry] = []
        oldest = self._entries[0][0].sequence if self._entries else 0
        # Sequences have no gaps, so the place of the first wanted entry is known.
        start = max(0, after + 1 - oldest) if self._entries else 0
        for index in range(start, len(self._entries)):
            entry = self._entries[index][0]
            if kind is not None and entry.kind != kind:
                continue
            if path is not None and not str(entry.details.get("path", "")).startswith(path):
                continue
            found.append(entry)
            if len(found) >= limit:
                return Page(entries=found, next=entry.sequence, oldest=oldest)
        return Page(entries=found, next=max(after, self._sequence), oldest=oldest)

    def clear(self) -> None:
        """Forget the entries in memory; sequence and file go on."""
        self._entries.clear()
        self._bytes = 0

    def close(self) -> None:
        """Close the file; entries added later stay in memory alone."""
        if self._file is not None:
            self._file.close()
            self._file = None
