"""Lets requests leave at the pace that a marketplace allows: one row per account and API group, whoever sends."""

from hanro.pacer.pacing import Pacing
from hanro.pacer.rows import DDL_1, Kept, drop, list_
from hanro.pacer.slots import Gauge, Slot, gauge, pace_of
from hanro.pacer.turns import SlotTurn

__all__ = ["DDL_1", "Gauge", "Kept", "Pacing", "Slot", "SlotTurn", "drop", "gauge", "list_", "pace_of"]
