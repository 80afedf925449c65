"""V15 and V16: how fast a service is ready, and what it holds when nothing happens."""

import secrets
import tempfile
import time
from pathlib import Path

import bars_stop
import bench_service
from bench_places import Places
from bench_table import Row, limit

REPETITIONS = 3
REQUESTS = 200


def measure(places: Places, repetitions: int = REPETITIONS) -> list[Row]:
    """Start order-svc in the role `all` on real servers, ask 200 requests, and look at its memory; then SIGTERM."""
    urls = places.database("orders")
    ready, resident, ended = [], [], []
    for _ in range(repetitions):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            bench_service.make_keys(folder)
            prefix = f"b{secrets.token_hex(4)}-"
            started = time.perf_counter()
            with bench_service.started("order_svc", urls, places.kafka(), folder, prefix) as process:
                process.get("/readyz")
                ready.append(time.perf_counter() - started)
                for _ in range(REQUESTS):
                    process.get("/livez")
                resident.append(bench_service.resident_megabytes(process.popen.pid))
                ended.append(process.terminate())
    return [
        limit("V15", "resident memory, idle after 200 requests", resident, unit="MB", passes=140, stretch=120),
        limit("V16", "start to ready", ready, unit="s", passes=2.0, stretch=1.2),
        bars_stop.start_to_consuming(places, repetitions),
        limit("V17", "SIGTERM to exit 0, idle", ended, unit="s", passes=None, stretch=None),
    ]
