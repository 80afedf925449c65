"""Guards the build against a fall by multiples: ratios in one run, margins that a busy machine keeps, no seconds.

The bars themselves are `make bench`'s.
"""

import gc
from collections.abc import Iterator

import bars_consume
import bars_ingest
import bars_keys
import bars_relay
import bars_sweep
import pytest
from bench_places import Places
from bench_table import Row

from hanro.worker import calm_collector
from hanro_local.servers import Servers


@pytest.fixture
def places(run_servers: Servers, role_passwords: dict[str, str]) -> Places:
    # The run's own passwords: other ones would lock out every test that comes after.
    return Places(run_servers, role_passwords)


@pytest.fixture(autouse=True)
def as_in_a_worker() -> Iterator[None]:
    """Collect garbage as a worker does: the heap of a test run would be looked through with every batch."""
    before = gc.get_threshold()
    calm_collector()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_taking_in_orders_keeps_a_tenth_of_the_speed_of_bare_inserts(places: Places) -> None:
    rows = bars_ingest.both(places, repetitions=1, pages=6)
    assert _measured(rows, "V5") > 0.1, rows
    assert _measured(rows, "V6") > 0.2, rows


def test_the_consumer_takes_no_more_than_four_times_the_work_of_a_loop_by_hand(places: Places) -> None:
    # Work and not speed: who else wants the processor adds to the seconds of one side alone.
    _, work, _ = bars_consume.v7(places, repetitions=1, count=10_000)
    assert work.measured < 4, work


def test_the_relay_keeps_a_fifth_of_the_speed_of_the_bare_lane(places: Places) -> None:
    rows = bars_relay.v9(places, repetitions=1, count=4_000)
    assert _measured(rows, "V9") > 0.2, rows


def test_vending_takes_no_more_than_twenty_five_times_the_work_of_a_bare_indexed_read(places: Places) -> None:
    # Work and not seconds: at a rate, a processor that others want makes a queue of the dearer side alone.
    _, work = bars_keys.vending(places, repetitions=1, count=400)
    assert work.measured < 25, work


def test_a_day_of_checks_grows_with_the_accounts_and_not_with_their_square(places: Places) -> None:
    (row,) = bars_sweep.sweep(places, sizes=(40, 240))
    assert row.measured < 1.5, row


def _measured(rows: list[Row], bar: str) -> float:
    return next(row.measured for row in rows if row.bar == bar)
