"""Shows a marketplace's guide, with what the installation says of itself in its places."""

from collections.abc import Mapping

from account_svc.api.guide_shapes import (
    EntryShown,
    GuideShown,
    LinkShown,
    MailShown,
    PrerequisiteShown,
    SheetFormShown,
    StateShown,
    StepShown,
)
from account_svc.api.texts import TextShown, show_menu, show_text
from account_svc.domain.placeholders import fill
from hanro.marketplace.types import ExpectedMail, Guide, Prerequisite, Step


def show_guide(guide: Guide, texts: Mapping[str, str]) -> GuideShown:
    """Show a guide; `texts` are the installation's own, by name."""
    return GuideShown(
        version=guide.version,
        prerequisites=[show_prerequisite(one) for one in guide.prerequisites],
        steps=[show_step(step, texts) for step in guide.steps],
        sheet=SheetFormShown(field_names=[one.name for one in guide.sheet.fields], subject=guide.sheet.subject)
        if guide.sheet
        else None,
    )


def show_step(step: Step, texts: Mapping[str, str]) -> StepShown:
    """Show a step; where the operator has not set what is typed there, it says so."""
    entries = [_show_entry(label, value, texts) for label, value in step.entries]
    missing = tuple(dict.fromkeys(name for entry in entries for name in entry.missing_settings))
    return StepShown(
        id=step.id,
        title=show_text(step.title),
        text=show_text(step.text),
        menu=show_menu(step.menu) if step.menu else None,
        fallback=show_menu(step.fallback) if step.fallback else None,
        mail=_show_mail(step.mail) if step.mail else None,
        entries=entries,
        operator_note=operator_note(missing),
        cost=show_text(step.cost) if step.cost else None,
        traps=[show_text(trap) for trap in step.traps],
        links=[LinkShown(label=show_text(label), menu=show_menu(menu)) for label, menu in step.links],
    )


def show_prerequisite(prerequisite: Prerequisite) -> PrerequisiteShown:
    """Show a prerequisite."""
    return PrerequisiteShown(
        id=prerequisite.id,
        title=show_text(prerequisite.title),
        states=[
            StateShown(id=state, label=show_text(label))
            for state, label in zip(prerequisite.states, prerequisite.labels, strict=True)
        ],
        step_ids=list(prerequisite.step_ids),
        grant_ids=sorted(prerequisite.grant_ids),
        registration_ids=sorted(prerequisite.registration_ids),
        needs_check=prerequisite.needs_check,
        is_optional=prerequisite.is_optional,
        daily_start=prerequisite.daily_start,
    )


def operator_note(missing: tuple[str, ...]) -> TextShown | None:
    """Say what the operator must set; None where nothing is missing."""
    if not missing:
        return None
    names = ", ".join(missing)
    return TextShown(
        ja=f"運用者が設定していない値があります（{names}）。運用者に設定を依頼してください。",
        en=f"The operator must set this first: {names} in HANRO_INSTALLATION_TEXTS_FILE.",
    )


def _show_entry(label: str, value: str, texts: Mapping[str, str]) -> EntryShown:
    filled = fill(value, texts)
    return EntryShown(label=label, value=filled.text, missing_settings=list(filled.missing))


def _show_mail(mail: ExpectedMail) -> MailShown:
    return MailShown(
        subject=mail.subject, sender=mail.sender, recipient=show_text(mail.recipient), tells=show_text(mail.tells)
    )
