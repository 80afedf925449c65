"""Bounds how many requests one caller may make: a bucket of tokens per caller, in this process.

Source: draft-ietf-httpapi-ratelimit-headers-10 (field forms).
"""

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil, floor

from hanro.clock import Clock

MOST_CALLERS = 10_000
MINUTE_SECONDS = 60.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    seen_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Be what a caller's bucket says: may it go on, how many requests remain, in how many seconds there is one more."""

    is_granted: bool
    remaining: int
    seconds: int
    limit: int

    def headers(self) -> dict[str, str]:
        """Give the header fields that tell the caller."""
        return {
            "RateLimit-Policy": f'"caller";q={self.limit};w={MINUTE_SECONDS:.0f}',
            "RateLimit": f'"caller";r={self.remaining};t={self.seconds}',
        }


class Rates:
    """Hold a bucket for each of the last 10,000 callers; it fills evenly and holds a minute's requests."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, subject: str) -> Turn:
        """Take one token from a caller's bucket, where there is one."""
        now = self._clock.monotonic()
        bucket = self._buckets.pop(subject, None) or _Bucket(float(self._per_minute), now)
        self._buckets[subject] = bucket
        while len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        a_second = self._per_minute / MINUTE_SECONDS
        bucket.tokens = min(float(self._per_minute), bucket.tokens + (now - bucket.seen_at) * a_second)
        bucket.seen_at = now
        is_granted = bucket.tokens >= 1
        if is_granted:
            bucket.tokens -= 1
        missing = max(0.0, 1 - bucket.tokens)
        return Turn(
            is_granted=is_granted,
            remaining=floor(bucket.tokens),
            seconds=ceil(missing / a_second),
            limit=self._per_minute,
        )
