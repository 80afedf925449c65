"""Shows preflights: a row for each grant, with its remedies and what is lost without it."""

from datetime import datetime

from pydantic import BaseModel

from account_svc.api.texts import MenuShown, RefusalShown, TextShown, show_menu, show_refusal, show_text
from account_svc.domain.preflights import lost_capabilities
from account_svc.store.preflights import Preflight
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import GrantState, PreflightRow


class PreflightRowShown(BaseModel):
    """What was found out about one grant, and what to do where it is missing."""

    grant_id: str
    label: TextShown
    state: GrantState
    text: str
    checked_at: datetime
    retry_at: datetime | None
    marketplace: RefusalShown | None
    probe: str
    menu: MenuShown | None
    remedies: list[TextShown]
    lost_capabilities: list[str]


class PreflightShown(BaseModel):
    """One preflight that ended."""

    id: str
    account_id: str
    credential_version: int
    standing: str
    started_at: datetime
    finished_at: datetime
    rows: list[PreflightRowShown]


class PreflightPage(BaseModel):
    """An account's preflights, newest first."""

    items: list[PreflightShown]
    next: str | None


def show_preflight(preflight: Preflight, plugin: Plugin | None) -> PreflightShown:
    """Show a preflight; without its plug-in the grants have no more than their ids."""
    return PreflightShown(
        id=preflight.id,
        account_id=preflight.account_id,
        credential_version=preflight.credential_version,
        standing=preflight.standing.value,
        started_at=preflight.started_at,
        finished_at=preflight.finished_at,
        rows=[_show_row(row, plugin) for row in preflight.rows],
    )


def _show_row(row: PreflightRow, plugin: Plugin | None) -> PreflightRowShown:
    grant = next((one for one in plugin.grants if one.id == row.grant_id), None) if plugin else None
    return PreflightRowShown(
        grant_id=row.grant_id,
        label=show_text(grant.label) if grant else TextShown(ja=row.grant_id, en=row.grant_id),
        state=row.state,
        text=row.why,
        checked_at=row.checked_at,
        retry_at=row.retry_at,
        marketplace=show_refusal(row.refusal),
        probe=grant.probe.value if grant else "none",
        menu=show_menu(grant.menu) if grant else None,
        remedies=[show_text(remedy) for remedy in grant.remedies] if grant else [],
        lost_capabilities=list(lost_capabilities(plugin.capabilities, {row.grant_id: row.state})) if plugin else [],
    )
