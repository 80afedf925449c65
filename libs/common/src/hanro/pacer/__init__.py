"""Lets requests leave at the pace that a marketplace allows: one row per account and API group, whoever sends."""

from hanro.pacer.pacing import Pacing, SlotTurn
from hanro.pacer.rows import DDL_1, drop

__all__ = ["DDL_1", "Pacing", "SlotTurn", "drop"]
