"""Keeps order files that a shop downloaded one day, and says what must be known of orders that files alone tell of."""

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Mode = Literal["update", "overwrite"]

KEYS = {"new": "注文番号", "old": "受注番号"}
NOSHI, MEMO = "のし", "ひとことメモ"
WORDS = ("", "", "内祝", "御礼", "至急")
MOST_ORDERS = 3


@dataclass(frozen=True)
class Download:
    """Be some orders of a file, as they stood then; `said` are the cells that the shop changed, by order."""

    content: bytes = field(repr=False)
    said: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Told:
    """Be what files said of an order: what stands in two cells, and whether one of them was to reserve stock."""

    noshi: str = ""
    memo: str = ""
    reserves_stock: bool = False

    def and_then(self, cells: Mapping[str, str], mode: Mode, *, reserves_stock: bool) -> "Told":
        """Give what is said once another file came: updating, a blank keeps; overwriting, it clears."""
        noshi, memo = cells[NOSHI], cells[MEMO]
        if mode == "update":
            noshi, memo = noshi or self.noshi, memo or self.memo
        return replace(self, noshi=noshi, memo=memo, reserves_stock=self.reserves_stock or reserves_stock)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Be a file and on what terms it is to be taken in."""

    download: Download
    mode: Mode
    reserves_stock: bool
    is_dry_run: bool = False


def taken(content: bytes, layout: str, dice: random.Random, alone: Sequence[str]) -> Download | None:
    """Take some orders of a download, write into cells of theirs, and mix columns and rows; None: it is empty.

    `alone` are orders that files alone told of so far: one of them is among those taken.
    """
    reader = csv.DictReader(io.StringIO(content.decode("cp932"), newline=""))
    rows, columns = list(reader), list(reader.fieldnames or ())
    key = KEYS[layout]
    numbers = list(dict.fromkeys(row[key] for row in rows))
    if not numbers:
        return None
    # New ones always: orders that the marketplace has not shown yet.
    chosen = {*numbers[-1:], *alone[-1:], *dice.sample(numbers, min(len(numbers), MOST_ORDERS - 1))}
    rows = [row for row in rows if row[key] in chosen]
    said = {}
    for number in sorted(chosen):
        cells = {NOSHI: dice.choice(WORDS), MEMO: dice.choice(WORDS)}
        said[number] = cells
        for row in rows:
            if row[key] == number:
                row.update(cells)
    if dice.random() < 0.5:
        dice.shuffle(columns)
    return Download(content=_written(rows, columns), said=said)


def _written(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("cp932")
