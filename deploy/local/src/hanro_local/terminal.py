"""Takes the terminal's Ctrl-C for this process alone, so that `make run` ends as this command ends."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def foreground() -> Iterator[None]:
    """Lead a process group of our own in the terminal's foreground while the block lasts.

    Ctrl-C reaches every process of the foreground group. GNU make among them would end with 130 and a complaint,
    although the stack was stopped well. Without a terminal, or when we lead the group already, nothing changes.
    """
    terminal = _terminal()
    if terminal is None:
        yield
        return
    before = os.getpgrp()
    # From the background, moving the terminal would stop us; Ctrl-Z would leave make waiting for a sleeper.
    ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTTOU, signal.SIGTSTP)}
    try:
        os.setpgid(0, 0)
        os.tcsetpgrp(terminal, os.getpgrp())
        yield
    finally:
        with contextlib.suppress(OSError):  # the terminal was closed
            os.tcsetpgrp(terminal, before)
        with contextlib.suppress(OSError):  # the group before has ended
            os.setpgid(0, before)
        for number, handler in ignored.items():
            signal.signal(number, handler)


def _terminal() -> int | None:
    try:
        terminal = sys.stdin.fileno()
        in_foreground = os.tcgetpgrp(terminal) == os.getpgrp()
    except (OSError, ValueError):
        return None
    return terminal if in_foreground and os.getpgrp() != os.getpid() else None
