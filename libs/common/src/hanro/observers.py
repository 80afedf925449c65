"""Counts what consumers and the relay do, as Prometheus metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class ConsumerMetrics:
    """Count what consumers did; is the observer of `hanro.consume`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._facts = Counter(
            "hanro_consumer_facts",
            "Facts by outcome: applied, stale, skipped, dead",
            ["consumer", "outcome"],
            registry=registry,
        )
        self._gaps = Counter(
            "hanro_consumer_version_gaps", "Versions that were jumped over", ["consumer"], registry=registry
        )
        self._paused = Counter(
            "hanro_consumer_pauses",
            "Times that a consumer had to wait, by what is away",
            ["consumer", "why"],
            registry=registry,
        )
        self._lag = Gauge(
            "hanro_consumer_lag",
            "Records behind a partition's position",
            ["consumer", "topic", "partition"],
            registry=registry,
        )

    def handled(self, subscription: str, applied: int, stale: int, skipped: int, dead: int) -> None:
        """Note one batch."""
        for outcome, count in (("applied", applied), ("stale", stale), ("skipped", skipped), ("dead", dead)):
            self._facts.labels(subscription, outcome).inc(count)

    def gaps(self, subscription: str, count: int) -> None:
        """Note versions that were jumped over."""
        self._gaps.labels(subscription).inc(count)

    def paused(self, subscription: str, why: str) -> None:
        """Note a wait."""
        self._paused.labels(subscription, why).inc()

    def lag(self, subscription: str, topic: str, partition: int, count: int) -> None:
        """Note a partition's lag."""
        self._lag.labels(subscription, topic, str(partition)).set(count)


class RelayMetrics:
    """Count what the relay did; is the observer of `hanro.outbox.Relay`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._published = Counter("hanro_relay_published", "Facts that the broker has taken", registry=registry)
        self._refused = Counter(
            "hanro_relay_refused",
            "Facts that the broker will never take: somebody must look",
            ["type", "why"],
            registry=registry,
        )
        self._waiting = Counter(
            "hanro_relay_waits", "Times that nothing could be published", ["why"], registry=registry
        )

    def published(self, count: int) -> None:
        """Note facts that left."""
        self._published.inc(count)

    def refused(self, fact_type: str, why: str) -> None:
        """Note a fact that never will."""
        self._refused.labels(fact_type, why).inc()

    def waiting(self, why: str) -> None:
        """Note a wait."""
        self._waiting.labels(why).inc()
