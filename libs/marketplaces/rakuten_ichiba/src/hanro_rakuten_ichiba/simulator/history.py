"""Writes the history of an order: its ChangeReasonModelList. Source: rakuten-ichiba-orders 5.12, 7.9."""

import itertools
from dataclasses import dataclass
from datetime import datetime

from hanro_rakuten_ichiba.simulator.code_lists import BUYER_REASONS
from hanro_rakuten_ichiba.simulator.japan_time import write_moment
from hanro_rakuten_ichiba.simulator.orders import StoredOrder, members

CANCEL_APPLIED, CANCEL_COMPLETED, CHANGE_APPLIED, CHANGE_COMPLETED, ORDER_CONFIRMED = 0, 2, 4, 6, 8
BY_SHOP, BY_BUYER = 0, 1
_BUYER_CANCELS = 1
_FIRST_CHANGE_ID = 900_000_001
_COMPLETED = {CANCEL_APPLIED: CANCEL_COMPLETED, CHANGE_APPLIED: CHANGE_COMPLETED}


@dataclass(frozen=True)
class Cause:
    """State why something changes: whose reason it is, which one (7.9), and what kind of change (5.12)."""

    by: int | None = None
    reason: int | None = None
    kind: int | None = None


BUYER_CANCELS = Cause(by=BY_BUYER, reason=_BUYER_CANCELS)
SHOP_WITHOUT_REASON = Cause(by=BY_SHOP)


def cause_of(reason: int | None, kind: int | None = None) -> Cause:
    """Make the cause of a reason that the shop named; 1 to 6 are the buyer's (7.9 [2+])."""
    if reason is None:
        return Cause(by=BY_SHOP, kind=kind)
    return Cause(by=BY_BUYER if reason in BUYER_REASONS else BY_SHOP, reason=reason, kind=kind)


class History:
    """Append entries and complete open ones; ids only grow."""

    def __init__(self) -> None:
        self._ids = itertools.count(_FIRST_CHANGE_ID)

    def add(self, order: StoredOrder, change_type: int, at: datetime, cause: Cause | None = None) -> None:
        """Append an entry; applications are open until they are completed."""
        moment, cause = write_moment(at), cause or Cause()
        done = None if change_type in _COMPLETED else moment
        entry: dict[str, object] = {
            "changeId": next(self._ids),
            "changeType": change_type,
            "changeTypeDetail": cause.kind,
            "changeReason": cause.by,
            "changeReasonDetail": cause.reason,
            "changeApplyDatetime": moment,
            "changeFixDatetime": done,
            "changeCmplDatetime": done,
        }
        reasons = order.tree.get("ChangeReasonModelList")
        order.tree["ChangeReasonModelList"] = [*(reasons if isinstance(reasons, list) else []), entry]

    def complete(self, order: StoredOrder, applied: int, at: datetime) -> bool:
        """Complete the newest open application of a type in its own entry [?]; False when none is open."""
        open_entries = [
            entry
            for entry in members(order.tree, "ChangeReasonModelList")
            if entry.get("changeType") == applied and entry.get("changeCmplDatetime") is None
        ]
        if not open_entries:
            return False
        moment = write_moment(at)
        open_entries[-1].update(changeType=_COMPLETED[applied], changeFixDatetime=moment, changeCmplDatetime=moment)
        return True
