"""Steps are numbered, timed and never silent for long."""

import asyncio

import pytest

from hanro_local import progress
from hanro_local.progress import Steps


async def test_a_step_reports_its_result_and_seconds() -> None:
    lines: list[str] = []
    times = iter([10.0, 12.6])
    async with Steps(7, lines.append, now=lambda: next(times)).step("Kafka"):
        pass
    assert lines == ["[1/7] Kafka: ready, 2.6 s"]


async def test_steps_side_by_side_are_numbered_as_they_finish() -> None:
    lines: list[str] = []
    steps = Steps(2, lines.append, now=lambda: 0.0)
    async with steps.step("Kafka"), steps.step("Postgres"):
        pass
    assert lines == ["[1/2] Postgres: ready, 0.0 s", "[2/2] Kafka: ready, 0.0 s"]


async def test_a_long_step_speaks_before_5_s_and_says_how_far_it_is() -> None:
    lines: list[str] = []
    assert progress.SECONDS_BETWEEN_LINES < 5
    async with Steps(7, lines.append).step("Kafka's jars") as step:
        step.detail = lambda: "12.3 of 44.6 MB"
        await asyncio.sleep(progress.SECONDS_BETWEEN_LINES + 0.3)
    assert lines[0] == "[1/7] Kafka's jars … 12.3 of 44.6 MB, 4 s"


async def test_a_failed_step_claims_nothing() -> None:
    lines: list[str] = []
    with pytest.raises(ValueError, match="no"):
        async with Steps(1, lines.append).step("Kafka"):
            raise ValueError("no")
    assert lines == []
