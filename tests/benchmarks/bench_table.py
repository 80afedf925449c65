"""Holds what benchmarks measured against their bars, as a table and as JSON."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Be one bar and what was measured.

    `measured` is the median of the repetitions; `ours` and `baseline` are absolute, in words; `spread` holds each
    repetition.
    """

    bar: str
    what: str
    measured: float
    unit: str
    passes: float | None
    stretch: float | None
    is_at_least: bool
    ours: str
    baseline: str
    spread: tuple[float, ...]

    @property
    def is_met(self) -> bool:
        """Tell whether the bar is met; a figure without a bar is."""
        if self.passes is None:
            return True
        return self.measured >= self.passes if self.is_at_least else self.measured <= self.passes


def ratio(
    bar: str,
    what: str,
    pairs: Sequence[tuple[float, float]],
    *,
    passes: float | None = None,
    stretch: float | None = None,
    is_at_least: bool = True,
    unit: str = "/s",
) -> Row:
    """Compare hanro with its baseline: each pair is one repetition, ours first, both in `unit`."""
    ratios = tuple(ours / baseline for ours, baseline in pairs)
    return Row(
        bar=bar,
        what=what,
        measured=statistics.median(ratios),
        unit="x",
        passes=passes,
        stretch=stretch,
        is_at_least=is_at_least,
        ours=_absolute(statistics.median(ours for ours, _ in pairs), unit),
        baseline=_absolute(statistics.median(baseline for _, baseline in pairs), unit),
        spread=ratios,
    )


def limit(
    bar: str, what: str, found: Sequence[float], *, unit: str, passes: float | None, stretch: float | None
) -> Row:
    """Hold measurements against a limit that they must not exceed."""
    return Row(
        bar=bar,
        what=what,
        measured=statistics.median(found),
        unit=unit,
        passes=passes,
        stretch=stretch,
        is_at_least=False,
        ours=_absolute(statistics.median(found), unit),
        baseline="",
        spread=tuple(found),
    )


def show(rows: Sequence[Row], write: Callable[[str], object]) -> None:
    """Write the table."""
    heads = ("bar", "what", "pass", "stretch", "measured", "ours", "baseline", "")
    lines = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    for line in lines:
        write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n")


def save(rows: Sequence[Row], file: Path) -> None:
    """Write the same as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    shown = [asdict(row) | {"is_met": row.is_met} for row in rows]
    file.write_text(json.dumps(shown, ensure_ascii=False, indent=1) + "\n")


def _cells(row: Row) -> tuple[str, ...]:
    sign = ">=" if row.is_at_least else "<="
    stretch = "" if row.stretch is None else f"{row.stretch:g}"
    return (
        row.bar,
        row.what,
        "" if row.passes is None else f"{sign} {row.passes:g} {row.unit}",
        stretch,
        f"{row.measured:.2f} {row.unit}",
        row.ours,
        row.baseline,
        "" if row.passes is None else "ok" if row.is_met else "MISSED",
    )


def _absolute(number: float, unit: str) -> str:
    return f"{number:,.0f}{unit}" if number >= 100 else f"{number:,.2f} {unit}"
