"""Chooses the size of a fault, short in `make test` and whole in `make faults`, and the seeds of mixed runs."""

import os
import random
from typing import TypeVar

VARIABLE = "HANRO_FAULTS"
LARGEST_SEED = 999_999
# Seeds whose run once found a defect: they come first.
KEPT: tuple[int, ...] = ()

Size = TypeVar("Size")


def form(*, short: Size, whole: Size) -> Size:
    """Give the size for this run."""
    return whole if os.environ.get(VARIABLE) == "whole" else short


def seeds() -> list[int]:
    """Give the one that SEED names, else as many as SEEDS says (default 5): those that are kept, then new ones."""
    if said := os.environ.get("SEED"):
        return [int(said)]
    count = int(os.environ.get("SEEDS") or 5)
    return [*KEPT, *random.sample(range(1, LARGEST_SEED), count)][:count]
