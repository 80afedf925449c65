"""Says what happens to documents, and in which order: asked for, printed, given out, deleted."""

from order_svc.documents.files import (
    KEPT,
    ask,
    claim,
    conclude,
    file_of,
    find,
    forget_old,
    give_back,
    progress,
)
from order_svc.documents.policies import Policies
from order_svc.documents.printing import AT_ONCE, Press, PrintingFailed
from order_svc.documents.writing import Written, write_notes, write_one

__all__ = [
    "AT_ONCE",
    "KEPT",
    "Policies",
    "Press",
    "PrintingFailed",
    "Written",
    "ask",
    "claim",
    "conclude",
    "file_of",
    "find",
    "forget_old",
    "give_back",
    "progress",
    "write_notes",
    "write_one",
]
