"""Holds what a simulator is built from."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from simkit.clock import Clock
from simkit.courier import Courier
from simkit.faults import FaultBook
from simkit.journal import Journal
from simkit.limits import Limit, Limits
from simkit.relay.desk import Desk


@dataclass(frozen=True)
class Kit:
    """Hold the parts of one simulator; `relay` is None when no mail relay runs with it, `courier` sends."""

    clock: Clock
    journal: Journal
    faults: FaultBook
    limits: Limits
    random_source: random.Random
    relay: Desk | None = None
    courier: Courier = field(default_factory=Courier)


def make_kit(limit: Limit, *, seed: int = 0, journal_file: Path | None = None, clock: Clock | None = None) -> Kit:
    """Make the parts; `limit` is what the marketplace allows where nothing else is said."""
    clock = Clock() if clock is None else clock
    return Kit(
        clock=clock,
        journal=Journal(clock, journal_file),
        # Two sources: a dial with a probability must not change which orders a seed makes.
        faults=FaultBook(random.Random(f"faults {seed}")),  # noqa: S311  repeatable on purpose
        limits=Limits(clock, limit),
        random_source=random.Random(seed),  # noqa: S311  repeatable on purpose
    )
