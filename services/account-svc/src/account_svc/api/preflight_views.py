"""Shows preflights: a row for each grant, with its remedies and what is lost without it."""

from datetime import datetime

from account_svc.api.texts import MenuShown, RefusalShown, TextShown, show_menu, show_refusal, show_text
from account_svc.domain.preflights import lost_capabilities
from account_svc.store.preflights import Preflight
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import GrantState, PreflightRow
from hanro.web.shapes import NextCursor, Shown


class PreflightRowShown(Shown):
    """What was found out about one grant, and what to do where it is missing."""

    grant_id: str
    """For example `rpay.order.searchOrder`."""
    label: TextShown
    """Its name."""
    state: GrantState
    """`denied`: do what `remedies` say."""
    text: str
    """What was found out, one sentence."""
    checked_at: datetime
    """When."""
    retry_at: datetime | None
    """When it is probed again by itself; null: not."""
    marketplace: RefusalShown | None
    """What the marketplace said; null: it did not refuse."""
    probe: str
    """How it is found out: `read`, `refused` (a request that must be refused), `smtp`, or `none`."""
    menu: MenuShown | None
    """Where it is switched on."""
    remedies: list[TextShown]
    """What to do, the likeliest first."""
    lost_capabilities: list[str]
    """What cannot be done without it."""


class PreflightShown(Shown):
    """One preflight that ended."""

    id: str
    """pre_…"""
    account_id: str
    """The account that was checked."""
    credential_version: int
    """The credentials that were checked."""
    standing: str
    """`whole`, `partly` (something is lost), `failed`, or `unknown` (nobody could tell)."""
    started_at: datetime
    """When it began."""
    finished_at: datetime
    """When it ended."""
    rows: list[PreflightRowShown]
    """One for each grant, in the marketplace's order."""


class PreflightPage(Shown):
    """An account's preflights, newest first."""

    items: list[PreflightShown]
    """Newest first."""
    next: NextCursor


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
