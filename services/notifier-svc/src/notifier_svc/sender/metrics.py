"""Counts what the sender does, as Prometheus metrics."""

from prometheus_client import CollectorRegistry, Counter


class SenderMetrics:
    """Count attempts by what became of them, and accounts that had to pause."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "hanro_message_attempts",
            "Attempts to send a message, by outcome: handed_over, refused, in_doubt, suppressed, put_off",
            ["outcome", "reason"],
            registry=registry,
        )
        self._pauses = Counter(
            "hanro_message_account_pauses",
            "Times that an account's messages had to wait, by reason",
            ["reason"],
            registry=registry,
        )

    def attempted(self, outcome: str, reason: str | None) -> None:
        """Note what became of an attempt."""
        self._attempts.labels(outcome, reason or "").inc()

    def paused(self, reason: str) -> None:
        """Note that an account's messages wait."""
        self._pauses.labels(reason).inc()
