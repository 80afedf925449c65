"""Invents the orders of synthetic Japanese buyers: complete, consistent, and unreal in every name and number."""

from hanro_rakuten_ichiba.simulator.buyers.invention import KINDS, invent_order

__all__ = ["KINDS", "invent_order"]
