"""Starts a service that sends ten times as fast as a marketplace allows: tests wait for each turn.

`python -m brisk_service order_svc all`. Simulators are told to bear it. That services keep the pace they may have is
shown where nothing is changed: by the pacer's own tests, by conformance, and by faults in their whole form.
"""

import runpy
import sys
from dataclasses import replace

from hanro.marketplace.types.limits import ApiGroup
from hanro.pacer import slots

LOOKING = "account-svc"
TIMES = 10
LIMITS = {"requests_per_second": 50.0, "burst": 50}
"""What a simulator's `PUT /_sim/limits` is told to bear."""


def quicken() -> None:
    """Take a tenth of each step from now on, but where account-svc has a share beside the services that work.

    What it looks at then is every function of the marketplace: nobody waits for that, and all shops of a run together
    would be busy with it.
    """
    pace_of = slots.pace_of

    def brisk(group: ApiGroup, service: str, *, is_alone: bool) -> slots.Pace:
        pace = pace_of(group, service, is_alone=is_alone)
        return pace if service == LOOKING and not is_alone else replace(pace, step=pace.step / TIMES)

    slots.pace_of = brisk


def main(words: list[str]) -> None:
    """Quicken the pace, then be the service."""
    quicken()
    module, *rest = words
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
