"""Asks marketplaces for orders: one job an account and route, when it is due, for as long as its lease lasts."""

from order_svc.poller.asked import Reader
from order_svc.poller.loop import Poller
from order_svc.poller.means import Means, Opener, Pace, PollMetrics

__all__ = ["Means", "Opener", "Pace", "PollMetrics", "Poller", "Reader"]
