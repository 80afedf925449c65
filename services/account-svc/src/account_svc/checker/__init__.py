"""Checks accounts when that is due: probes their grants, looks up when their keys end; forgets what is old."""

from account_svc.checker.doer import Checking, run
from account_svc.checker.forgetting import forget

__all__ = ["Checking", "forget", "run"]
