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
from bars_ingest import WORK
from bench_places import Places

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


# Work and not speed where a side is mostly busy here: who else wants the processor adds to the seconds of it alone.


def test_taking_in_orders_takes_no_more_than_forty_times_the_work_of_bare_inserts(places: Places) -> None:
    work = {row.bar: row.measured for row in bars_ingest.both(places, repetitions=1, pages=6) if row.what == WORK}
    assert work["V5"] < 40, work
    assert work["V6"] < 20, work


def test_the_consumer_takes_no_more_than_four_times_the_work_of_a_loop_by_hand(places: Places) -> None:
    _, work, _ = bars_consume.v7(places, repetitions=1, count=10_000)
    assert work.measured < 4, work


def test_the_relay_keeps_a_fifth_of_the_speed_of_the_bare_lane(places: Places) -> None:
    drain, _ = bars_relay.v9(places, repetitions=1, count=4_000)
    assert drain.measured > 0.2, drain


def test_vending_takes_no_more_than_twenty_five_times_the_work_of_a_bare_indexed_read(places: Places) -> None:
    _, work = bars_keys.vending(places, repetitions=1, count=400)
    assert work.measured < 25, work


def test_a_day_of_checks_grows_with_the_accounts_and_not_with_their_square(places: Places) -> None:
    (row,) = bars_sweep.sweep(places, sizes=(40, 240))
    assert row.measured < 1.5, row
