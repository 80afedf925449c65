"""Starts the simulator: `python -m hanro_rakuten_ichiba.simulator --port 9101`."""

import sys
from collections.abc import Sequence

from hanro_rakuten_ichiba.simulator.app import TITLE, build
from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from simkit.assumptions import AssumptionsRefused, load
from simkit.command import parse_arguments, start
from simkit.limits import Limit


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; exit 1 with one line when a port is taken, 2 when an argument or an assumption is wrong."""
    asked = parse_arguments("python -m hanro_rakuten_ichiba.simulator", arguments)
    try:
        assumptions = load(Assumptions, asked.assumptions)
    except AssumptionsRefused as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return 2
    limit = Limit(assumptions.requests_per_second, assumptions.burst)
    return start(TITLE, asked, lambda kit: build(kit, assumptions, asked.seed), limit=limit)


if __name__ == "__main__":
    sys.exit(main())
