"""Passes word inside one process that something was committed; who listens to nothing hears it by polling."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


class Signals:
    """Call those who listen to a name. Only this process hears: another one polls."""

    def __init__(self) -> None:
        self._calls: dict[str, list[Callable[[], None]]] = {}

    @contextmanager
    def listening(self, name: str, call: Callable[[], None]) -> Iterator[None]:
        """Have `call` called for `name` while the block runs; it must return at once and not raise."""
        calls = self._calls.setdefault(name, [])
        calls.append(call)
        try:
            yield
        finally:
            calls.remove(call)

    def give(self, names: Iterable[str]) -> None:
        """Call everybody who listens to these names."""
        for name in names:
            for call in tuple(self._calls.get(name, ())):
                call()
