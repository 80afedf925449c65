"""Switches many things off at once so that a few rounds tell each of them apart from every other."""

from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from math import comb


def rounds(names: Sequence[str]) -> Iterator[frozenset[str]]:
    """Give sets of names, few more than binary digits would need: each name stands in sets of its own choice.

    All names stand in equally many sets and no two in the same, so that of any two names each stands in a set in which
    the other does not. Where what is seen of a name follows exactly its own sets, it depends on that name alone.
    """
    count = next(count for count in range(1, len(names) + 2) if comb(count, count // 2) >= len(names))
    choices = list(islice(combinations(range(count), count // 2), len(names)))
    for number in range(count):
        yield frozenset(name for name, choice in zip(names, choices, strict=True) if number in choice)
