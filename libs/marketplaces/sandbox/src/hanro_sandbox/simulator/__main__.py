"""Starts the simulator: `python -m hanro_sandbox.simulator --port 9104`."""

import sys
from collections.abc import Sequence

from hanro_sandbox.simulator.app import TITLE, build
from simkit.command import parse_arguments, start
from simkit.limits import Limit

LIMIT = Limit(1.0, 1)
"""For each group of calls of a shop."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; exit 1 with one line when a port is taken, 2 when an argument is wrong."""
    asked = parse_arguments("python -m hanro_sandbox.simulator", arguments)
    return start(TITLE, asked, lambda kit: build(kit, asked.seed), limit=LIMIT)


if __name__ == "__main__":
    sys.exit(main())
