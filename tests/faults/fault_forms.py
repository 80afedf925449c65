"""Chooses the size of a fault: short in `make test`, whole in `make faults`."""

import os
from typing import TypeVar

VARIABLE = "HANRO_FAULTS"
Size = TypeVar("Size", int, float)


def form(*, short: Size, whole: Size) -> Size:
    """Give the size for this run."""
    return whole if os.environ.get(VARIABLE) == "whole" else short
