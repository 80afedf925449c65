"""Shows accounts' checklists."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from account_svc.api.checklist_shapes import ChecklistItemShown, ChecklistShown, ChecklistSummaryShown, TickShown
from account_svc.api.guide_views import show_prerequisite, show_step
from account_svc.api.texts import show_text
from account_svc.domain.accounts import Account
from account_svc.domain.checklist import Item, Tick, applying, stand
from hanro.marketplace.port import Plugin


def show_checklist(
    account: Account, registration_id: str | None, items: Sequence[Item], plugin: Plugin, texts: Mapping[str, str]
) -> ChecklistShown:
    """Show an account's checklist."""
    return ChecklistShown(
        account_id=account.id,
        registration=registration_id,
        open_count=_open_count(items),
        items=[show_item(item, plugin, texts) for item in items],
    )


def show_item(item: Item, plugin: Plugin, texts: Mapping[str, str]) -> ChecklistItemShown:
    """Show one item with the steps that lead there."""
    prerequisite = item.prerequisite
    return ChecklistItemShown(
        prerequisite=show_prerequisite(prerequisite),
        state=item.state,
        label=show_text(prerequisite.labels[prerequisite.states.index(item.state)]),
        is_done=item.is_done,
        is_by_hand=not prerequisite.grant_ids,
        unproven_grant_ids=list(item.proving),
        reached=[_show_tick(tick) for tick in item.reached],
        history=[_show_tick(tick) for tick in item.history],
        start_day=item.start_day,
        effective_at=item.effective_at,
        is_effective_final=item.is_effective_final,
        steps=[show_step(step, texts) for step in plugin.guide.steps if step.id in prerequisite.step_ids],
    )


def show_summary(
    account: Account, registration_id: str | None, ticks: Sequence[Tick], plugin: Plugin | None
) -> ChecklistSummaryShown | None:
    """Show how far an account's checklist is; None where the plug-in is not installed here."""
    if plugin is None:
        return None
    items = [
        stand(one, [tick for tick in ticks if tick.prerequisite_id == one.id], account, plugin.zone, account.changed_at)
        for one in applying(plugin.guide, registration_id)
    ]
    final: list[datetime] = [item.effective_at for item in items if item.is_effective_final and item.effective_at]
    return ChecklistSummaryShown(open_count=_open_count(items), effective_at=max(final, default=None))


def _open_count(items: Sequence[Item]) -> int:
    return sum(not item.is_done and not item.prerequisite.is_optional for item in items)


def _show_tick(tick: Tick) -> TickShown:
    return TickShown(
        state=tick.state,
        at=tick.at,
        start_day=tick.start_day,
        ticked_by=tick.ticked_by,
        ticked_at=tick.ticked_at,
    )
