"""Limits calls per shop and group, exactly, and remembers how close the callers came."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from simkit.clock import Clock

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Limit:
    """State a token bucket: `burst` calls at once, refilled by `requests_per_second`."""

    requests_per_second: float
    burst: int

    @property
    def interval(self) -> Fraction:
        """Give the nanoseconds between two calls at full rate."""
        return _NANOSECONDS / Fraction(str(self.requests_per_second))


@dataclass
class Meter:
    """Count the calls of one shop in one group; gaps and windows count refused calls too."""

    shop: str
    group: str
    accepted: int = 0
    refused: int = 0
    smallest_gap_seconds: float | None = None
    most_in_one_second: int = 0
    last_nanoseconds: int | None = None
    recent: deque[int] = field(default_factory=deque)

    def see(self, now: int) -> None:
        """Take a call at `now` nanoseconds into gap and window; a window holds its start and not its end."""
        if self.last_nanoseconds is not None:
            gap = (now - self.last_nanoseconds) / _NANOSECONDS
            if self.smallest_gap_seconds is None or gap < self.smallest_gap_seconds:
                self.smallest_gap_seconds = gap
        self.last_nanoseconds = now
        self.recent.append(now)
        while self.recent[0] <= now - _NANOSECONDS:
            self.recent.popleft()
        self.most_in_one_second = max(self.most_in_one_second, len(self.recent))


@dataclass
class _Bucket:
    limit: Limit
    full_at: Fraction  # GCRA's theoretical arrival time: when the bucket would be full again

    def change(self, limit: Limit, now: int) -> None:
        """Put another limit in force at `now`, with the tokens that are left."""
        missing = max(Fraction(0), self.full_at - now) / self.limit.interval
        tokens = min(self.limit.burst - missing, Fraction(limit.burst))
        self.full_at = now + (limit.burst - tokens) * limit.interval
        self.limit = limit


class Limits:
    """Admit or refuse calls by GCRA on the clock's monotonic side.

    The most special limit counts: of shop and group, of the shop, of the group, then the default. A limit that changes
    keeps the tokens that a bucket holds, as far as the new burst has room for them. A group with a factor bears so many
    times what is said of all groups; what is said of the group itself counts as it is.
    """

    def __init__(self, clock: Clock, default: Limit) -> None:
        self._clock = clock
        self._factors: Mapping[str, float] = {}
        self._start = default
        self._limits: dict[tuple[str | None, str | None], Limit] = {(None, None): default}
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._meters: dict[tuple[str, str], Meter] = {}

    def set(self, limit: Limit, shop: str | None = None, group: str | None = None) -> None:
        """Put a limit in force at once; None means every shop or every group."""
        self._limits[shop, group] = limit
        now = self._now()
        for key, bucket in self._buckets.items():
            bucket.change(self.find(*key), now)

    def list(self) -> dict[tuple[str | None, str | None], Limit]:
        """Give the limits by (shop, group)."""
        return dict(self._limits)

    def meters(self) -> tuple[Meter, ...]:
        """Give the counts of every shop and group that called."""
        return tuple(self._meters[key] for key in sorted(self._meters))

    def find(self, shop: str, group: str) -> Limit:
        """Give the limit in force for a shop in a group."""
        for key in ((shop, group), (shop, None), (None, group)):
            if key in self._limits:
                return self._limits[key] if key[1] else self._multiplied(self._limits[key], group)
        return self._multiplied(self._limits[None, None], group)

    def multiply(self, factors: Mapping[str, float]) -> None:
        """Let groups bear so many times as much as the others."""
        self._factors = factors

    def _multiplied(self, limit: Limit, group: str) -> Limit:
        factor = self._factors.get(group, 1.0)
        return limit if factor == 1 else replace(limit, requests_per_second=limit.requests_per_second * factor)

    def admit(self, shop: str, group: str) -> float | None:
        """Take a token; None when there was one, else the seconds until there is. A refusal costs no token."""
        now = self._now()
        limit = self.find(shop, group)
        meter = self._meters.setdefault((shop, group), Meter(shop, group))
        meter.see(now)
        bucket = self._buckets.setdefault((shop, group), _Bucket(limit, Fraction(now)))
        earliest = bucket.full_at - (limit.burst - 1) * limit.interval
        if now < earliest:
            meter.refused += 1
            return float((earliest - now) / _NANOSECONDS)
        bucket.full_at = max(Fraction(now), bucket.full_at) + limit.interval
        meter.accepted += 1
        return None

    def _now(self) -> int:
        return round(self._clock.monotonic() * _NANOSECONDS)

    def clear_meters(self) -> None:
        """Start counting anew; buckets and limits stay."""
        self._meters.clear()

    def reset(self) -> None:
        """Return to the default limit, full buckets and no counts."""
        self._limits = {(None, None): self._start}
        self._buckets.clear()
        self._meters.clear()
