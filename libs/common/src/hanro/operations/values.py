"""Says what an operation is, how far it can be, and what a doer finds out about it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

# The JSON as text: what a driver makes of it is the driver's affair.
COLUMNS = """
    operations.id, operations.kind, operations.subject_id, operations.account_id, operations.status,
    operations.asked::text, operations.asked_by, operations.attempt_count, operations.failure::text,
    operations.answer::text, operations.plan::text, operations.accepted_at, operations.sent_at, operations.changed_at,
    operations.next_at, operations.fence
"""


class OperationStatus(StrEnum):
    """Tell how far an operation is; *accepted* says that we took it, never that the marketplace did.

    *Observed* is final: it was planned while the account only observes, and it is never sent.
    """

    ACCEPTED = "accepted"
    SENT = "sent"
    APPLIED = "applied"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Be an outward effect that somebody asked for.

    `asked` is what was asked, without personal data or secrets; `failure` says who must act (`error`, `code`, `why`,
    and the marketplace's refusal), `answer` what the marketplace said. `plan` of one that was observed are the requests
    that would have gone, without bodies; None of all others. `next_at`: when a doer looks again, None: never.
    `fence` names the claim that a doer's marks are for.
    """

    id: str
    kind: str
    subject_id: str
    account_id: str | None
    status: OperationStatus
    asked: Mapping[str, object]
    asked_by: str
    attempt_count: int
    failure: Mapping[str, object] | None
    answer: Mapping[str, object] | None
    plan: Sequence[Mapping[str, object]] | None
    accepted_at: datetime
    sent_at: datetime | None
    changed_at: datetime
    next_at: datetime | None
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Be one effect that is asked for, of many: `asked` as in `Operation`."""

    subject_id: str
    account_id: str | None
    asked: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Be what a doer found out about an operation that it claimed: give the operation's `id` and `fence`.

    ACCEPTED again: surely not there, to be sent once more at `next_at`. SENT with `next_at`: look again then; without:
    when the lease runs out. IN_DOUBT with `next_at`: verify again then; without: a person decides. The lease ends with
    every mark but SENT without `next_at`.
    """

    id: str
    fence: int
    status: OperationStatus
    failure: Mapping[str, object] | None = None
    answer: Mapping[str, object] | None = None
    plan: Sequence[Mapping[str, object]] | None = None
    next_at: datetime | None = None


def read(row: "asyncpg.Record") -> Operation:
    """Read a row that holds `COLUMNS`."""
    return Operation(
        id=row["id"],
        kind=row["kind"],
        subject_id=row["subject_id"],
        account_id=row["account_id"],
        status=OperationStatus(row["status"]),
        asked=json.loads(row["asked"]),
        asked_by=row["asked_by"],
        attempt_count=row["attempt_count"],
        failure=None if row["failure"] is None else json.loads(row["failure"]),
        answer=None if row["answer"] is None else json.loads(row["answer"]),
        plan=None if row["plan"] is None else json.loads(row["plan"]),
        accepted_at=row["accepted_at"],
        sent_at=row["sent_at"],
        changed_at=row["changed_at"],
        next_at=row["next_at"],
        fence=row["fence"],
    )
