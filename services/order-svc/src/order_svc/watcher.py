"""Looks for orders that must be decided soon, tells of each once, and counts what waits or is held up."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from prometheus_client import CollectorRegistry, Gauge

from hanro.clock import Clock
from hanro.db import Database
from hanro.log import logger
from hanro.rounds import keep_looking
from order_svc import backlogs, deadlines
from order_svc.backlogs import Figure

LOG = logger(__name__)
LOOK_SECONDS = 30.0
NEVER = float("inf")
COUNTED = {
    "undecided": ("hanro_order_undecided", "Orders that wait to be accepted or refused before a deadline", ()),
    "quarantined": ("hanro_order_quarantined", "Orders that are held back, by cause", ("code",)),
    "gaps": (
        "hanro_order_gaps",
        "Routes with a stretch of time whose orders they can no longer show",
        ("marketplace",),
    ),
    "in_doubt": (
        "hanro_order_operations_in_doubt",
        "Operations of which nobody knows whether they were done; what waits for a person keeps back all of its order",
        ("waits_for",),
    ),
    "unconfirmed": (
        "hanro_order_unconfirmed_shipments",
        "Parcels that were sent more than 10 minutes ago, and that no read has shown",
        (),
    ),
    "waiting": ("hanro_order_waiting", "Documents, files and notices that wait or are worked on", ("queue",)),
    "imports_failed": (
        "hanro_order_imports_failed",
        "Files of orders that failed in the last 24 hours, by cause",
        ("code",),
    ),
}


class Watcher:
    """Watch the deadlines to decide of all orders, and what piles up.

    `within` says what is soon, `routes` which ones plug-ins read.
    """

    def __init__(
        self, db: Database, clock: Clock, registry: CollectorRegistry, *, within: timedelta, routes: Sequence[str]
    ) -> None:
        self._db = db
        self._clock = clock
        self._within = within
        self._routes = routes
        self._counted = {
            name: Gauge(metric, told, labels, registry=registry) for name, (metric, told, labels) in COUNTED.items()
        }
        self._oldest = Gauge(
            "hanro_order_waiting_oldest_seconds",
            "How long the oldest document or notice has waited, or nothing was done for a file",
            ("queue",),
            registry=registry,
        )
        self._behind = Gauge(
            "hanro_order_route_behind_seconds",
            "Up to how long ago the route is read that is furthest behind, among accounts that work",
            ("marketplace",),
            registry=registry,
        )
        self._nearest = Gauge(
            "hanro_order_undecided_nearest_seconds",
            "Until the first deadline of an order that waits; below zero where it is past, +Inf where none waits",
            registry=registry,
        )
        self._nearest.set(NEVER)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`."""
        await keep_looking(
            self._look_round,
            clock=self._clock,
            seconds=LOOK_SECONDS,
            stop=stop,
            log=LOG,
            trouble="deadlines are not looked at",
        )

    async def _look_round(self) -> bool:
        # Fewer than could be told at once were all.
        return await self.look() == deadlines.AT_ONCE

    async def look(self) -> int:
        """Tell what is due and count what waits, once; give how many orders were told."""
        told = await deadlines.tell_due(self._db, self._within)
        figures = await backlogs.count(self._db, self._routes)
        self._show(figures)
        return told

    def _show(self, figures: Sequence[Figure]) -> None:
        """Show all figures at once; of what there is none any more none is shown."""
        nearest = NEVER
        self._oldest.clear()
        self._behind.clear()
        for gauge, (_, _, labels) in zip(self._counted.values(), COUNTED.values(), strict=True):
            if labels:
                gauge.clear()
            else:
                gauge.set(0)
        for figure in figures:
            if figure.name in COUNTED:
                gauge = self._counted[figure.name]
                (gauge.labels(figure.sort) if figure.sort else gauge).set(figure.count)
            seconds = figure.seconds or 0.0
            match figure.name:
                case "waiting":
                    self._oldest.labels(figure.sort).set(seconds)
                case "behind":
                    self._behind.labels(figure.sort).set(seconds)
                case "undecided":
                    nearest = seconds
        self._nearest.set(nearest)
