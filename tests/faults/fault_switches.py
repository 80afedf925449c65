"""Holds the files by which a test reaches into processes: failpoints, broken protections, children held down."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import faulty_service

from hanro_local.child import Child, Runner

PAUSE_SECONDS = 0.5


class Late(AssertionError):
    """Something did not happen in time."""


def await_true(seconds: float, is_done: Callable[[], bool], what: str) -> None:
    """Look until it is so.

    Raises:
        Late: it was not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            raise Late(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


@dataclass(frozen=True)
class Switches:
    """Be the switches below one folder, which `faulty_service` reads."""

    folder: Path

    def arm(self, module: str, point: str, deed: str = "kill") -> Path:
        """Arm a failpoint of a service, once; the file is gone when it was reached."""
        file = self.folder / module / point
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        draft.write_text(deed)
        draft.rename(file)
        return file

    def await_reached(self, file: Path, seconds: float = 30.0) -> None:
        """Wait until an armed failpoint was reached."""
        await_true(seconds, lambda: not file.exists(), f"failpoint {file.name} of {file.parent.name}")

    @contextlib.contextmanager
    def broken(self, what: str) -> Iterator[None]:
        """Break a protection in all services while the block lasts."""
        with _there(self.folder / "broken" / what):
            yield

    def tell(self, **variables: str) -> None:
        """Give children variables of the environment, from their next start on."""
        for name, text in variables.items():
            file = self.folder / faulty_service.TOLD / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def hit(self, what: str) -> Path:
        """Give the file that is there once a broken protection let something through."""
        return self.folder / "broken" / f"{what}.hit"

    def hold(self, name: str) -> None:
        """Keep a child from starting, from its next start on."""
        self._held(name).parent.mkdir(parents=True, exist_ok=True)
        self._held(name).touch()

    def release(self, name: str) -> None:
        """Let a child start again; one that is not held stays as it is."""
        self._held(name).unlink(missing_ok=True)

    def prepare_again(self, name: str) -> None:
        """Have a child prepared once more at its next start."""
        file = self._unprepared(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    def holdable(self, child: Child) -> Child:
        """Give the child as one that waits before it starts while it is held down, and else starts again soon.

        It is prepared for its first start, and where a test asks for it: nothing else changes what is prepared.
        """
        held, unprepared, is_prepared = self._held(child.name), self._unprepared(child.name), False

        async def prepare(run: Runner) -> None:
            nonlocal is_prepared
            while held.exists():
                await asyncio.sleep(0.05)
            if not is_prepared or unprepared.exists():
                unprepared.unlink(missing_ok=True)
                await child.prepare(run)
                is_prepared = True

        return replace(child, prepare=prepare, longest_pause_seconds=PAUSE_SECONDS)

    def clear(self) -> None:
        """Switch everything off."""
        for file in self.folder.glob("*/*"):
            file.unlink(missing_ok=True)

    def _held(self, name: str) -> Path:
        return self.folder / "held" / name

    def _unprepared(self, name: str) -> Path:
        return self.folder / "unprepared" / name


@contextlib.contextmanager
def _there(file: Path) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
