"""Says what services hold of an account, what of it goes with an unlink, and who has not let go yet. Values alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

OWN = "account-svc"
RELEASING = ("catalog-svc", "notifier-svc", "order-svc")
"""Who must let go of an account before its credentials are deleted, whether it ever heard of the account or not."""

GOING = {
    OWN: ("credentials", "spare_credentials", "market_entries", "preflights"),
    "catalog-svc": ("listings",),
    "notifier-svc": ("bindings",),
}
STAYING = {"order-svc": ("orders",)}
"""What services count, by service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Be what a service last said it holds of an account: by kind, when that was, and up to which epoch it let go."""

    account_id: str
    service: str
    account_epoch: int
    released_epoch: int | None
    counts: Mapping[str, int]
    counted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Be one line of a plan: so much of a kind is held by a service; `count` None: it has not said."""

    service: str
    kind: str
    count: int | None
    counted_at: datetime | None
    is_going: bool


def plan_lines(holdings: Mapping[str, Holding]) -> tuple[Line, ...]:
    """Say what goes and what stays; `holdings` by service, ours among them."""
    return tuple(
        Line(
            service=service,
            kind=kind,
            count=held.counts.get(kind) if (held := holdings.get(service)) else None,
            counted_at=held.counted_at if held and kind in held.counts else None,
            is_going=is_going,
        )
        for is_going, kinds_of in ((True, GOING), (False, STAYING))
        for service, kinds in kinds_of.items()
        for kind in kinds
    )


def going(lines: Iterable[Line]) -> dict[str, int | None]:
    """Give what goes, by kind: what a plan stands for; orders that come meanwhile change nothing of it."""
    return {f"{line.service} {line.kind}": line.count for line in lines if line.is_going}


def still_holding(holdings: Mapping[str, Holding], epoch: int) -> tuple[str, ...]:
    """Name the services that have not let go yet of what was linked before an epoch."""
    return tuple(
        service
        for service in RELEASING
        if (held := holdings.get(service)) is None or held.released_epoch is None or held.released_epoch < epoch - 1
    )
