"""Runs the bars: `python tests/benchmarks/bench.py [V5 V9 …]`; ends non-zero where a bar is missed."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import bars_consume
import bars_csv
import bars_documents
import bars_growth
import bars_ingest
import bars_keys
import bars_lists
import bars_plans
import bars_poll
import bars_process
import bars_relay
import bars_stop
import bench_places
from bench_places import Places
from bench_table import Row, save, show

from hanro.log import configure
from hanro.worker import calm_collector

RESULT = Path(__file__).parents[2] / "build" / "bench.json"
BARS: dict[str, Callable[[Places], list[Row]]] = {
    "V4": bars_poll.v4,
    "V5": bars_ingest.both,
    "V6": bars_ingest.both,
    "V7": bars_consume.v7,
    "V8": bars_consume.v8,
    "V9": bars_relay.v9,
    "V10": bars_relay.v10,
    "V14": bars_poll.v14,
    "V15": bars_process.measure,
    "V16": bars_process.measure,
    "V17": bars_stop.v17,
    "V18": bars_consume.v18,
    "slopes": bars_growth.slopes,
    "plans": bars_plans.plans,
    "keys": bars_keys.keys,
    "csv": bars_csv.csv_files,
    "lists": bars_lists.lists,
    "documents": bars_documents.documents,
}


def main(wanted: list[str]) -> int:
    """Measure the bars that are wanted, all by default, and give the exit status."""
    unknown = [name for name in wanted if name not in BARS]
    if unknown:
        sys.stderr.write(f"no such bar: {' '.join(unknown)}; there are {' '.join(BARS)}\n")
        return 2
    rows: list[Row] = []
    # The log of poison would bury the table.
    configure("bench", stream=io.StringIO())
    # As every process of a service does; the baselines have it too.
    calm_collector()
    with bench_places.opened() as places:
        measures = dict.fromkeys(BARS[name] for name in wanted or BARS)
        for measure in measures:
            sys.stderr.write(f"{measure.__module__} {measure.__name__} …\n")
            found = measure(places)
            show(found, sys.stderr.write)
            rows += found
    show(rows, sys.stdout.write)
    save(rows, RESULT)
    missed = sorted({row.bar for row in rows if not row.is_met})
    sys.stdout.write(f"bench: {len(rows)} figures, missed: {' '.join(missed) or 'none'}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
