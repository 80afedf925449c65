"""Finds the place in a marketplace's guide that shows the seller what a reason asks for. Values in, values out."""

from dataclasses import dataclass

from account_svc.domain.accounts import Reason
from hanro.marketplace.types import Guide, Prerequisite, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidePlace:
    """Be a place in the guide: the item of the checklist, None where it is none, and the steps that lead through it."""

    prerequisite_id: str | None
    step_ids: tuple[str, ...]


def find_place(guide: Guide, reason: Reason) -> GuidePlace | None:
    """Give where the guide leads through what a reason asks for; None: it does not.

    A grant's own item of the checklist comes first where the reason sends the seller to no other page, then the steps
    of the page to which it sends him.
    """
    steps = [step for step in guide.steps if _is_at(step, reason)]
    items = [item for item in guide.prerequisites if reason.grant_id in item.grant_ids]
    if items and not steps:
        return GuidePlace(prerequisite_id=items[0].id, step_ids=items[0].step_ids)
    if not steps:
        return None
    ids = tuple(step.id for step in steps)
    item = next((one for one in (*items, *guide.prerequisites) if _leads(one, ids)), None)
    return GuidePlace(prerequisite_id=item.id if item else None, step_ids=ids)


def _is_at(step: Step, reason: Reason) -> bool:
    return reason.menu is not None and reason.menu in {step.menu, step.fallback}


def _leads(item: Prerequisite, step_ids: tuple[str, ...]) -> bool:
    return any(step_id in item.step_ids for step_id in step_ids)
