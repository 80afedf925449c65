"""Checks accounts when that is due: probes their grants, looks up when their keys end."""

from account_svc.checker.doer import Checking, run

__all__ = ["Checking", "run"]
