"""Writes the checker's verdict: the table, the differences, and the one line at the end."""

import unicodedata
from collections.abc import Iterator, Sequence

from hanro_local.demo.checker.findings import Findings


def rows(head: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write a table in columns as wide as their widest cell; Japanese characters count twice."""
    table = [head, *body]
    widths = [max(_width(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        yield f"  {'  '.join(cells)}".rstrip()


def report(findings: Findings) -> Iterator[str]:
    """Write expected beside seen, then each difference on a line of its own."""
    marks = {True: "ok", False: "DIFFERS"}
    yield from rows(
        ("what", "expected", "seen", ""),
        [(row.question, row.expected, row.seen, marks[row.is_well]) for row in findings.rows],
    )
    for difference in findings.differences:
        yield f"  ! {difference}"


def last_line(findings: Findings, *, order_count: int, kill_count: int) -> str:
    """Write the demo's last line: how many orders are stored, reserved and mailed (or in doubt), all three once."""
    told = findings.mailed | findings.in_doubt
    whole = findings.stored & findings.reserved & told
    lost = len(findings.lost) + max(0, order_count - findings.order_count)
    doubt = f", {len(findings.in_doubt)} in doubt" if findings.in_doubt else ""
    return (
        f"demo: {len(whole)} of {order_count} stored, reserved and mailed{doubt}, {kill_count} kills,"
        f" {lost} lost, {findings.double.total()} double"
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
