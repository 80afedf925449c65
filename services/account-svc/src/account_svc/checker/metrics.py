"""Counts what checks found, as Prometheus metrics."""

from prometheus_client import CollectorRegistry, Counter, Histogram

SECONDS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)


class CheckMetrics:
    """Count preflights, look-ups of expiries, trials and warnings by what they mean, and how long preflights take."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._preflights = Counter(
            "hanro_account_preflights",
            "Preflights by the account's state after them",
            ["marketplace_id", "state"],
            registry=registry,
        )
        self._seconds = Histogram(
            "hanro_account_preflight_seconds",
            "How long the probes of a preflight took",
            ["marketplace_id"],
            buckets=SECONDS,
            registry=registry,
        )
        self._look_ups = Counter(
            "hanro_account_expiry_look_ups",
            "Look-ups of when secrets end, by outcome: read, or the code of the failure",
            ["outcome"],
            registry=registry,
        )
        self._trials = Counter(
            "hanro_account_rotation_trials",
            "Trials of second credentials, by what they told",
            ["marketplace_id", "verdict"],
            registry=registry,
        )
        self._warnings = Counter(
            "hanro_account_key_warnings",
            "Warnings that a secret ends soon, by days before its end",
            ["threshold_days"],
            registry=registry,
        )
        self._market_reads = Counter(
            "hanro_account_market_reads",
            "Reads of what sellers set up, by outcome: read, partly, or the code of the failure",
            ["outcome"],
            registry=registry,
        )
        self._failures = Counter(
            "hanro_account_check_failures",
            "Checks that could not be done, by job and code; they are done again",
            ["job", "code"],
            registry=registry,
        )

    def checked(self, marketplace_id: str, state: str, seconds: float) -> None:
        """Note a preflight that ended."""
        self._preflights.labels(marketplace_id, state).inc()
        self._seconds.labels(marketplace_id).observe(seconds)

    def looked_up(self, outcome: str) -> None:
        """Note a look-up that ended."""
        self._look_ups.labels(outcome).inc()

    def tried(self, marketplace_id: str, verdict: str) -> None:
        """Note a trial of second credentials."""
        self._trials.labels(marketplace_id, verdict).inc()

    def warned(self, threshold_days: int) -> None:
        """Note a warning that was given."""
        self._warnings.labels(str(threshold_days)).inc()

    def market_read(self, outcome: str) -> None:
        """Note a read of what a seller set up."""
        self._market_reads.labels(outcome).inc()

    def failed(self, job: str, code: str) -> None:
        """Note a check that could not be done."""
        self._failures.labels(job, code).inc()
