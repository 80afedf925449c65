"""Sends what is wished for orders: sent is committed before the call, what is in doubt is never sent blindly."""

from order_svc.sender.loop import CALL_WITHIN as CALL_WITHIN
from order_svc.sender.loop import Sender as Sender
