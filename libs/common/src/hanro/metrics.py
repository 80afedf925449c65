"""Makes the registry of a process's metrics and writes it out; the registry is passed to whoever counts."""

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST


def new_registry() -> CollectorRegistry:
    """Make an empty registry with the process's own figures (memory, open files, garbage collection).

    Callers make their metrics once, in app.py's reach: `Counter("hanro_…_total", "…", ["…"], registry=registry)`.
    """
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def write(registry: CollectorRegistry) -> bytes:
    """Write all metrics in Prometheus's text format, of media type `CONTENT_TYPE`."""
    return generate_latest(registry)
