"""Turns values into the JSON texts that are written to rows, and what the driver parsed of them back into values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from account_svc.domain.accounts import Issuer, Reason, SeenGrant, Switches
from hanro.errors import LocalizedText, MenuPath, Refusal
from hanro.marketplace.types import GrantState, PreflightRow


def write_value(value: Switches | Issuer | None) -> str | None:
    """Give the JSON of a small value."""
    return None if value is None else json.dumps(asdict(value), ensure_ascii=False)


def write_reason(reason: Reason | None) -> str | None:
    """Give the JSON of a reason."""
    return None if reason is None else json.dumps(asdict(reason), ensure_ascii=False)


def read_reason(stored: Mapping[str, Any] | None) -> Reason | None:
    """Read a reason back."""
    if stored is None:
        return None
    remedy, menu = stored["remedy"], stored["menu"]
    return Reason(
        code=stored["code"],
        why=stored["why"],
        grant_id=stored["grant_id"],
        refusal=_refusal(stored["refusal"]),
        remedy=LocalizedText(**remedy) if remedy else None,
        menu=MenuPath(**(menu | {"steps": tuple(menu["steps"])})) if menu else None,
    )


def write_grants(grants: tuple[SeenGrant, ...]) -> str:
    """Give the JSON of what was seen of grants, in their order."""
    return json.dumps([[seen.grant_id, seen.state.value] for seen in grants])


def read_grants(stored: Sequence[Sequence[str]]) -> tuple[SeenGrant, ...]:
    """Read grants back."""
    return tuple(SeenGrant(grant_id=grant_id, state=GrantState(state)) for grant_id, state in stored)


def write_rows(rows: tuple[PreflightRow, ...]) -> str:
    """Give the JSON of a preflight's rows, in their order."""
    return json.dumps([_row(row) for row in rows], ensure_ascii=False)


def read_rows(found: Sequence[Mapping[str, Any]]) -> tuple[PreflightRow, ...]:
    """Read rows back."""
    return tuple(
        PreflightRow(
            grant_id=stored["grant_id"],
            state=GrantState(stored["state"]),
            why=stored["why"],
            checked_at=datetime.fromisoformat(stored["checked_at"]),
            refusal=_refusal(stored["refusal"]),
            retry_at=datetime.fromisoformat(stored["retry_at"]) if stored["retry_at"] else None,
        )
        for stored in found
    )


def _row(row: PreflightRow) -> dict[str, object]:
    return {
        "grant_id": row.grant_id,
        "state": row.state.value,
        "why": row.why,
        "checked_at": row.checked_at.isoformat(),
        "refusal": asdict(row.refusal) if row.refusal else None,
        "retry_at": row.retry_at.isoformat() if row.retry_at else None,
    }


def _refusal(stored: Mapping[str, Any] | None) -> Refusal | None:
    return Refusal(**stored) if stored else None
