"""Says of each kind of effect on an order by which method it goes, and when its end is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

ACCEPT = "accept"
REFUSE = "refuse"
DELAY = "delay"
ANSWER = "answer"
SHIP = "ship"
CANCEL = "cancel"
DECISIONS = (ACCEPT, REFUSE, DELAY, ANSWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Be a kind of operation: `method` is the port's, whose batch is `batch`.

    `is_read_back`: it is applied once a read shows it, not when the marketplace says yes. `absent_after`: so long after
    it was sent a look that does not show it is believed, where its answer was lost.
    """

    name: str
    method: str
    batch: str
    is_read_back: bool
    absent_after: timedelta


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        **{
            name: Kind(name=name, method="decide", batch="orders.decide", is_read_back=False, absent_after=timedelta())
            for name in DECISIONS
        },
        # A marketplace that queues parcels may take one up late; a second row or mail could not be taken back.
        SHIP: Kind(name=SHIP, method="ship", batch="orders.ship", is_read_back=True, absent_after=timedelta(minutes=5)),
        CANCEL: Kind(
            name=CANCEL, method="cancel", batch="orders.cancel", is_read_back=True, absent_after=timedelta(minutes=1)
        ),
    }
)
