"""What `make trace` counts: marks of tests that passed, and nothing else."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from trace_rows import (
    FINISHED,
    REQUIREMENTS,
    DeclarationRefused,
    Ledger,
    Results,
    Row,
    lines,
    problems,
    read_finished,
    read_results,
    read_rows,
    shown_rows,
    write_results,
)

ROWS = [Row("A1", "first"), Row("A2", "second"), Row("A3", "third")]
WHOLE_STACK = "tests/e2e/test_one.py::test_one"
# What a test file says; it is run by a pytest of its own, with the ledger and nothing else.
SAMPLE = """
import pytest

@pytest.fixture
def falling():
    yield
    raise ValueError("the tear-down fails")

@pytest.mark.row("A1", kind="walks")
@pytest.mark.row("A2", kind="refuses")
def test_good():
    pass

@pytest.mark.row("A1", kind="refuses")
def test_bad():
    assert False

@pytest.mark.row("A3", kind="walks")
def test_bad_at_the_end(falling):
    pass

def test_unmarked():
    pass
"""


def run(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run a test file with a ledger of its own that knows A1 to A3."""
    (folder / "test_sample.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  row(id, kind): a row\n")
    (folder / "conftest.py").write_text(
        "from pathlib import Path\n"
        "from trace_rows import Ledger\n"
        "def pytest_configure(config):\n"
        f"    ledger = {Ledger.__name__}(Path({str(folder / 'rows.json')!r}), frozenset(['A1', 'A2', 'A3']))\n"
        "    config.pluginmanager.register(ledger, 'ledger-of-the-sample')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(FINISHED.parent)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_only_tests_that_passed_in_every_phase_count(tmp_path: Path) -> None:
    assert run(tmp_path, SAMPLE).returncode == 1
    results = read_results(tmp_path / "rows.json")
    assert results == Results(4, {"test_sample.py::test_good": (("A1", "walks"), ("A2", "refuses"))})


def test_a_test_that_fails_the_next_time_no_longer_counts(tmp_path: Path) -> None:
    run(tmp_path, SAMPLE)
    run(tmp_path, SAMPLE.replace("def test_good():\n    pass", "def test_good():\n    raise ValueError"))
    assert read_results(tmp_path / "rows.json").passed == {}


@pytest.mark.parametrize("mark", ['"A9", kind="walks"', '"A1", kind="shows"', '"A1"'])
def test_a_mark_that_means_nothing_stops_the_run(tmp_path: Path, mark: str) -> None:
    told = run(tmp_path, SAMPLE.replace('"A1", kind="walks"', mark))
    assert told.returncode == pytest.ExitCode.USAGE_ERROR
    assert "names no requirement or no kind" in told.stderr
    assert not (tmp_path / "rows.json").exists()


def test_rows_without_a_test_are_listed() -> None:
    shown = shown_rows(ROWS, {WHOLE_STACK: (("A1", "walks"),), "two": (("A1", "refuses"), ("A2", "refuses"))})
    assert list(lines(ROWS, shown, {"A1": "finished"})) == [
        "  A1   walked by 1 (1), refused by 1 (0)  first  finished",
        "  A2   walked by 0 (0), refused by 1 (0)  second",
        "without a test (1):",
        "  A3   third",
        "3 rows: 1 walked and refused, 1 one of the two, 1 without",
        "finished: 1, and 0 in part; in brackets: on a whole stack",
    ]


def test_a_row_that_is_finished_in_part_is_shown_so_and_needs_both_all_the_same() -> None:
    shown = shown_rows(ROWS, {WHOLE_STACK: (("A1", "walks"), ("A1", "refuses"), ("A2", "walks"))})
    finished = {"A1": "part", "A2": "part", "A3": "finished"}
    told = list(lines(ROWS, shown, finished))
    assert told[0] == "  A1   walked by 1 (1), refused by 1 (1)  first  part"
    assert told[-1] == "finished: 1, and 2 in part; in brackets: on a whole stack"
    assert list(problems(shown, finished)) == [
        "A2 is declared finished, and no passed test refuses it on a whole stack",
        "A3 is declared finished, and no passed test walks it on a whole stack",
        "A3 is declared finished, and no passed test refuses it on a whole stack",
    ]


def test_declarations_are_read_with_how_far_they_go(tmp_path: Path) -> None:
    file = tmp_path / "finished.txt"
    file.write_text("# rows\nA1\n\nA6 part  # for now\n")
    assert read_finished(file) == {"A1": "finished", "A6": "part"}


@pytest.mark.parametrize("line", ["A6 half", "A6 part part", "A1", "A1 part"])
def test_a_declaration_that_says_nothing_known_or_a_row_again_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "finished.txt"
    file.write_text(f"A1\n{line}\n")
    with pytest.raises(DeclarationRefused, match=line):
        read_finished(file)


def test_a_finished_row_needs_a_walk_and_a_refusal() -> None:
    both = (("A2", "refuses"), ("A2", "walks"))
    shown = shown_rows(ROWS, {WHOLE_STACK: (("A1", "walks"), *both), "two": (("A1", "refuses"),)})
    # What one process shows alone is no row from REST to the marketplace.
    assert list(problems(shown, dict.fromkeys(["A1", "A2", "Z9"], "finished"))) == [
        "A1 is declared finished, and no passed test refuses it on a whole stack",
        "Z9 is declared finished and is no requirement",
    ]


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = Results(2, {"one": (("A1", "walks"),)})
    assert read_results(tmp_path / "rows.json") == Results()
    write_results(results, tmp_path / "build" / "rows.json")
    assert read_results(tmp_path / "build" / "rows.json") == results


def test_every_requirement_has_one_id_and_a_title() -> None:
    wanted = [
        f"{letters}{number}"
        for letters, count in (("A", 22), ("C", 16), ("O", 22), ("M", 8), ("X", 14), ("P", 25), ("JP", 5))
        for number in range(1, count + 1)
    ]
    assert [row.id for row in read_rows()] == wanted
    assert all(row.title for row in read_rows())
    with REQUIREMENTS.open(encoding="utf-8", newline="") as file:
        assert {len(row) for row in csv.reader(file)} == {2}


def test_what_is_declared_finished_is_a_requirement() -> None:
    assert set(read_finished()) <= {row.id for row in read_rows()}
