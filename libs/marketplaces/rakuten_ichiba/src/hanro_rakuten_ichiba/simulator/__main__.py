"""Starts the simulator: `python -m hanro_rakuten_ichiba.simulator --port 9101`."""

import sys
from collections.abc import Sequence

from hanro_rakuten_ichiba.simulator.app import TITLE, build
from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.shops import MASKED_PATTERN
from simkit.assumptions import AssumptionsRefused, load
from simkit.command import parse_arguments, start
from simkit.limits import Limit
from simkit.relay.desk import Rules


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; exit 1 with one line when a port is taken, 2 when an argument or an assumption is wrong."""
    asked = parse_arguments("python -m hanro_rakuten_ichiba.simulator", arguments)
    try:
        assumptions = load(Assumptions, asked.assumptions)
    except AssumptionsRefused as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return 2
    limit = Limit(assumptions.requests_per_second, assumptions.burst)
    rules = Rules(
        recipient_pattern=MASKED_PATTERN,
        size_limit_bytes=assumptions.mail_size_limit_bytes,
        checks_author=assumptions.mail_checks_author,
        takes_plain_text_alone=assumptions.mail_takes_plain_text_alone,
    )
    return start(TITLE, asked, lambda kit: build(kit, assumptions, asked.seed), limit=limit, rules=rules)


if __name__ == "__main__":
    sys.exit(main())
