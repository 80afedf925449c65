"""Shows preflights: a row for each grant with its remedies and what is lost without it, grouped by capability."""

from collections.abc import Iterator, Mapping, Sequence

from account_svc.api.capability_texts import LABELS, OTHER
from account_svc.api.preflight_shapes import (
    GroupState,
    PreflightGroupShown,
    PreflightProgressShown,
    PreflightRowShown,
    PreflightShown,
)
from account_svc.api.texts import TextShown, show_menu, show_refusal, show_text
from account_svc.domain.preflights import WANTING, lost_capabilities
from account_svc.store.preflights import Preflight
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Grant, GrantState, PreflightRow

NOT_YET = "Not asked for yet."


def show_preflight(preflight: Preflight, plugin: Plugin | None) -> PreflightShown:
    """Show a preflight; without its plug-in the grants have no more than their ids."""
    rows = list(_show_rows(preflight, plugin))
    return PreflightShown(
        id=preflight.id,
        account_id=preflight.account_id,
        credential_version=preflight.credential_version,
        is_running=preflight.finished_at is None,
        asked_count=len(preflight.rows),
        total_count=len(rows),
        standing=preflight.standing.value if preflight.standing else None,
        started_at=preflight.started_at,
        expected_at=preflight.expected_at,
        finished_at=preflight.finished_at,
        rows=rows,
        groups=list(_show_groups(rows)),
    )


def show_progress(preflight: Preflight | None) -> PreflightProgressShown | None:
    """Show how far a preflight has come; None where none runs."""
    if preflight is None:
        return None
    asked, total = len(preflight.rows), preflight.total_count
    return PreflightProgressShown(
        id=preflight.id,
        text=TextShown(ja=f"確認中: {total} 件中 {asked} 件", en=f"checking: {asked} of {total}"),
        asked_count=asked,
        total_count=total,
        started_at=preflight.started_at,
        expected_at=preflight.expected_at,
    )


def _show_rows(preflight: Preflight, plugin: Plugin | None) -> Iterator[PreflightRowShown]:
    grants: Mapping[str, Grant] = {grant.id: grant for grant in plugin.grants} if plugin else {}
    rows = {row.grant_id: row for row in preflight.rows}
    # A preflight of a plug-in that knew fewer grants shows what it asked for.
    names = dict.fromkeys((*grants, *rows)) if preflight.finished_at is None else rows
    for grant_id in names:
        yield _show_row(grant_id, rows.get(grant_id), grants.get(grant_id), plugin)


def _show_row(grant_id: str, row: PreflightRow | None, grant: Grant | None, plugin: Plugin | None) -> PreflightRowShown:
    state = row.state if row else GrantState.UNKNOWN
    needed_by = lost_capabilities(plugin.capabilities, {grant_id: GrantState.DENIED}) if plugin else ()
    return PreflightRowShown(
        grant_id=grant_id,
        label=show_text(grant.label) if grant else TextShown(ja=grant_id, en=grant_id),
        is_asked=row is not None,
        state=state,
        text=row.why if row else NOT_YET,
        checked_at=row.checked_at if row else None,
        retry_at=row.retry_at if row else None,
        marketplace=show_refusal(row.refusal) if row else None,
        probe=grant.probe.value if grant else "none",
        menu=show_menu(grant.menu) if grant else None,
        remedies=[show_text(remedy) for remedy in grant.remedies] if grant else [],
        capabilities=list(needed_by),
        lost_capabilities=list(needed_by) if state in WANTING else [],
    )


def _show_groups(rows: Sequence[PreflightRowShown]) -> Iterator[PreflightGroupShown]:
    for capability, label in LABELS.items():
        found = [row for row in rows if capability.value in row.capabilities]
        if found:
            yield _show_group(capability.value, show_text(label), found)
    others = [row for row in rows if not row.capabilities]
    if others:
        yield _show_group(None, show_text(OTHER), others)


def _show_group(capability: str | None, label: TextShown, rows: Sequence[PreflightRowShown]) -> PreflightGroupShown:
    states = {row.state for row in rows}
    if states & WANTING:
        state = GroupState.LOST
    elif GrantState.UNKNOWN in states:
        state = GroupState.UNKNOWN
    else:
        state = GroupState.WORKING
    return PreflightGroupShown(
        capability=capability, label=label, state=state, grant_ids=[row.grant_id for row in rows]
    )
