"""Keeps every outward effect as a row: accepted → sent → applied, rejected or in doubt.

A doer claims what may be sent, commits *sent*, and only then calls; a process that dies in between leaves a *sent* row
whose lease runs out: it is claimed by `claim_unsure` and verified, never sent blindly again. Operations of one
subject are serial among the kinds that a doer claims together: a younger one is not sent before the older one is
applied or rejected.
"""

from hanro.operations.claims import claim_sendable, claim_unsure, close_past, hasten, mark
from hanro.operations.records import DDL_1, DDL_2, accept, accept_once, get_, list_, resolve
from hanro.operations.values import Ask, Mark, Operation, OperationStatus

__all__ = [
    "DDL_1",
    "DDL_2",
    "Ask",
    "Mark",
    "Operation",
    "OperationStatus",
    "accept",
    "accept_once",
    "claim_sendable",
    "claim_unsure",
    "close_past",
    "get_",
    "hasten",
    "list_",
    "mark",
    "resolve",
]
