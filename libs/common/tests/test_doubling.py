"""How long is waited after failures in a row."""

from datetime import timedelta

import pytest

from hanro.doubling import doubled


@pytest.mark.parametrize(("failures", "seconds"), [(0, 5), (1, 10), (3, 40), (4, 60), (10_000, 60)])
def test_each_failure_doubles_the_wait_up_to_the_longest(failures: int, seconds: int) -> None:
    assert doubled(timedelta(seconds=5), failures, timedelta(seconds=60)) == timedelta(seconds=seconds)
