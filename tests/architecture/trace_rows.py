"""Counts the requirement rows that tests walk or refuse: only tests that passed in the last run count.

As a plug-in of pytest it writes `build/rows.json` at the end of each run. As a program (`make trace`) it lists the rows
of `docs/requirements.csv` with what stands behind each, and fails when a row that `finished_rows.txt` names lacks a
walk or a refusal on a whole stack: a run of a part of the tests shows a part of the rows. A row of which this version
has a part, and says of the rest that it is not there yet, is declared so: `A6 part`.
"""

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "docs/requirements.csv"
FINISHED = Path(__file__).parent / "finished_rows.txt"
RESULTS = ROOT / "build/rows.json"
KINDS = ("walks", "refuses")
MARKS = "requirement rows"
STACKS = ("tests/e2e/", "tests/faults/")
"""Where tests walk a row from REST to the marketplace through real processes."""

WHOLE = "finished"
PART = "part"

Finished = Mapping[str, str]
"""How far a row is declared finished, by its id: WHOLE or PART."""
Marks = tuple[tuple[str, str], ...]
"""Pairs of a row's id and how a test shows it: `walks` or `refuses`."""


class DeclarationRefused(ValueError):
    """A line of the finished rows says nothing that is known; the text quotes it."""


class MarkRefused(ValueError):
    """A mark names no row or no kind; the text says which."""


@dataclass(frozen=True)
class Row:
    """Be one requirement."""

    id: str
    title: str


@dataclass
class Shown:
    """Be what tests show of one row: the ids of the tests that walk it and that see it refused."""

    walks: list[str] = field(default_factory=list)
    refuses: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Tell whether at least one test walks it and one sees it refused."""
        return bool(self.walks and self.refuses)

    def on_stack(self, kind: str) -> list[str]:
        """Give the tests of a kind that go through a whole stack."""
        tests: list[str] = getattr(self, kind)
        return [test for test in tests if test.startswith(STACKS)]


def read_rows(file: Path = REQUIREMENTS) -> list[Row]:
    """Read the requirements in their order."""
    with file.open(encoding="utf-8", newline="") as lines:
        return [Row(row["id"], row["title"]) for row in csv.DictReader(lines)]


def read_finished(file: Path = FINISHED) -> dict[str, str]:
    """Read which rows are declared finished: an id a line, `part` behind it where it is a part; `#` begins a comment.

    Raises:
        DeclarationRefused: a line says something else, or names a row again.
    """
    found: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        row, *rest = line.partition("#")[0].split() or [""]
        if row in found or rest not in ([], [PART]):
            raise DeclarationRefused(f"{file.name}: {line!r} is no new row, nor one with `{PART}`")
        if row:
            found[row] = PART if rest else WHOLE
    return found


def shown_rows(rows: Sequence[Row], passed: Mapping[str, Marks]) -> dict[str, Shown]:
    """Gather by row what the tests that passed show."""
    shown = {row.id: Shown() for row in rows}
    for test, marks in sorted(passed.items()):
        for row, kind in marks:
            if row in shown:
                getattr(shown[row], kind).append(test)
    return shown


def lines(rows: Sequence[Row], shown: Mapping[str, Shown], finished: Finished) -> Iterator[str]:
    """Yield the report: rows with tests, rows without, and the sum."""
    for row in rows:
        counts = shown[row.id]
        if counts.walks or counts.refuses:
            walks, refuses = (f"{len(getattr(counts, kind))} ({len(counts.on_stack(kind))})" for kind in KINDS)
            mark = finished.get(row.id, "")
            yield f"  {row.id:<4} walked by {walks}, refused by {refuses}  {row.title}  {mark}".rstrip()
    bare = [row for row in rows if not shown[row.id].walks and not shown[row.id].refuses]
    yield f"without a test ({len(bare)}):"
    for row in bare:
        yield f"  {row.id:<4} {row.title}"
    whole = sum(counts.is_whole for counts in shown.values())
    half = len(rows) - len(bare) - whole
    yield f"{len(rows)} rows: {whole} walked and refused, {half} one of the two, {len(bare)} without"
    declared = Counter(finished.values())
    yield f"finished: {declared[WHOLE]}, and {declared[PART]} in part; in brackets: on a whole stack"


def problems(shown: Mapping[str, Shown], finished: Finished) -> Iterator[str]:
    """Yield what is wrong about the rows that are declared finished."""
    for row in finished:
        if row not in shown:
            yield f"{row} is declared finished and is no requirement"
            continue
        for kind in KINDS:
            if not shown[row].on_stack(kind):
                yield f"{row} is declared finished, and no passed test {kind} it on a whole stack"


def marks_of(test: pytest.Item, known: frozenset[str]) -> Marks:
    """Read a test's marks.

    Raises:
        MarkRefused: a mark names no requirement, or a kind other than `walks` and `refuses`.
    """
    marks = []
    for mark in test.iter_markers("row"):
        row, kind = (*mark.args, None)[0], mark.kwargs.get("kind")
        if row not in known or kind not in KINDS or len(mark.args) != 1:
            raise MarkRefused(f"{test.nodeid}: row({row!r}, kind={kind!r}) names no requirement or no kind")
        marks.append((str(row), str(kind)))
    return tuple(sorted(marks))


@dataclass(frozen=True)
class Results:
    """Be what the last run showed: how many tests it ran, and the marks of those that passed."""

    test_count: int = 0
    passed: Mapping[str, Marks] = field(default_factory=dict)


def read_results(file: Path = RESULTS) -> Results:
    """Read the last run; an empty one where there was none."""
    if not file.exists():
        return Results()
    kept = json.loads(file.read_text(encoding="utf-8"))
    passed = {test: tuple((row, kind) for row, kind in marks) for test, marks in kept["passed"].items()}
    return Results(kept["test_count"], passed)


def write_results(results: Results, file: Path = RESULTS) -> None:
    """Keep the results of a run in the place of those before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(asdict(results), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(file)


class Ledger:
    """Be the plug-in: it learns which tests carry marks and which of them passed in each of their phases.

    Where a run has several processes, the marks come to the first one with each report.
    """

    def __init__(self, file: Path | None, known: frozenset[str]) -> None:
        self._file = file
        self._known = known
        self._marks: dict[str, Marks] = {}
        self._is_passed: dict[str, bool] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Read the marks, and refuse those that mean nothing."""
        try:
            for item in items:
                if marks := marks_of(item, self._known):
                    item.user_properties.append((MARKS, marks))
        except MarkRefused as refused:
            raise pytest.UsageError(str(refused)) from None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a phase of a test ended: set-up, the test and tear-down count alike."""
        self._is_passed[report.nodeid] = self._is_passed.get(report.nodeid, True) and report.passed
        for name, marks in report.user_properties:
            if name == MARKS and isinstance(marks, tuple | list):
                self._marks[report.nodeid] = tuple((str(row), str(kind)) for row, kind in marks)

    def pytest_sessionfinish(self) -> None:
        """Keep what passed; a run that only collected changes nothing."""
        if self._is_passed and self._file:
            passed = {test: marks for test, marks in self._marks.items() if self._is_passed.get(test)}
            write_results(Results(len(self._is_passed), passed), self._file)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the ledger of this run."""
    known = frozenset(row.id for row in read_rows())
    file = None if hasattr(config, "workerinput") else RESULTS
    config.pluginmanager.register(Ledger(file, known), "trace-ledger")


def main() -> int:
    """Print the report; returns 1 when a row that is declared finished is not."""
    rows, finished, results = read_rows(), read_finished(), read_results()
    shown = shown_rows(rows, results.passed)
    for line in lines(rows, shown, finished):
        print(line)  # noqa: T201  a command for people
    print(f"counted from the last run of tests, which ran {results.test_count}")  # noqa: T201  a command for people
    wrong = list(problems(shown, finished))
    for line in wrong:
        print(line, file=sys.stderr)  # noqa: T201  a command for people
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
