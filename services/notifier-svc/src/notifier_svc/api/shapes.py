"""Gives templates, bindings and messages the form that callers see, and states what they may send."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, StringConstraints

from hanro.errors import LocalizedText
from hanro.marketplace.types import Absent, Channel, Trigger
from hanro.web import FieldFault, Problem
from notifier_svc.bindings import Slot
from notifier_svc.domain.messages import Decision, Message, State
from notifier_svc.domain.planning import Skip
from notifier_svc.domain.templates import Template, TemplateRefused

NAME_PATTERN = r"^\w[\w.-]{0,63}$"

TemplateName = Annotated[str, Path(pattern=NAME_PATTERN, description="Letters, digits, `_`, `-` and `.`")]
Id = Annotated[str, Path(max_length=64)]


class Asked(BaseModel):
    """Be a body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class TemplateBody(Asked):
    """Save a template."""

    subject: str
    """One line of at most 500 characters, in the language of templates."""
    body: str
    """Plain text of at most 20,000 characters, in the language of templates."""


class BindingBody(Asked):
    """Bind a trigger."""

    template: Annotated[str, StringConstraints(max_length=64)] | None
    """Name of the template; null or "": blank, nothing is sent."""


class ResolveBody(Asked):
    """Decide about a message in doubt."""

    decision: Decision
    """`sent_there`: it arrived. `send_again`: it did not, send it once more. `give_up`: leave it."""
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    """Who decides."""


class TemplateShown(BaseModel):
    """A version of a template."""

    name: str
    version: int
    subject: str
    body: str
    saved_at: datetime
    saved_by: str


class TemplatesShown(BaseModel):
    """Templates by name, their current versions."""

    items: list[TemplateShown]
    next: str | None


class PreviewShown(BaseModel):
    """A template filled with a sample order."""

    subject: str
    body: str


class TextShown(BaseModel):
    """A text for people."""

    ja: str
    en: str


class AbsentShown(BaseModel):
    """Why nothing can be sent, and where it is done by hand."""

    reason: TextShown
    menu: tuple[str, ...]
    menu_url: str | None


class BindingShown(BaseModel):
    """A trigger of an account: its template (null: blank, nothing is sent) and channel, or why there is none."""

    account_id: str
    trigger: Trigger
    template: str | None
    bound_at: datetime | None
    channel: Channel | None
    absent: AbsentShown | None


class BindingsShown(BaseModel):
    """All triggers of an account, in the order of an order's life."""

    items: list[BindingShown]


class DecisionShown(BaseModel):
    """What a person decided about a message in doubt."""

    decision: Decision
    by: str
    at: datetime


class MessageShown(BaseModel):
    """A message, without address or text. `answer` is the relay's, addresses taken out."""

    id: str
    account_id: str
    order_id: str
    order_external_id: str
    trigger: Trigger
    occurrence: int
    channel: Channel
    template: str
    template_version: int | None
    state: State
    reason_code: str | None
    milestone_at: datetime
    planned_at: datetime
    changed_at: datetime
    next_at: datetime | None
    attempt_count: int
    mail_id: str | None
    answer: str | None
    handed_over_at: datetime | None
    decided: DecisionShown | None


class SkipShown(BaseModel):
    """A milestone that nobody was told of."""

    trigger: Trigger
    occurrence: int
    reason_code: str
    milestone_at: datetime


class MessagesShown(BaseModel):
    """Messages, the newest first; `skipped` (with `order_id` alone) are milestones that nothing was bound to."""

    items: list[MessageShown]
    skipped: list[SkipShown]
    next: str | None


def refused(error: TemplateRefused) -> Problem:
    """Turn what is wrong with a template into a problem, each fault with its line and column."""
    return Problem(
        status=422,
        code="template-refused",
        detail="The template cannot be saved.",
        errors=[
            FieldFault(
                code=fault.code,
                detail=f"line {fault.line}, column {fault.column}: {fault.detail}",
                pointer=f"/{fault.place}",
            )
            for fault in error.faults
        ],
    )


def show_template(template: Template) -> TemplateShown:
    """Write a version of a template."""
    return TemplateShown.model_validate(template, from_attributes=True)


def show_slot(account_id: str, slot: Slot) -> BindingShown:
    """Write a trigger and what is bound to it."""
    absent = slot.channel if isinstance(slot.channel, Absent) else None
    return BindingShown(
        account_id=account_id,
        trigger=slot.trigger,
        template=slot.binding.template if slot.binding else None,
        bound_at=slot.binding.bound_at if slot.binding else None,
        channel=slot.channel if isinstance(slot.channel, Channel) else None,
        absent=None
        if absent is None
        else AbsentShown(
            reason=_text(absent.reason),
            menu=absent.menu.steps if absent.menu else (),
            menu_url=absent.menu.url if absent.menu else None,
        ),
    )


def show_message(message: Message) -> MessageShown:
    """Write a message."""
    decided = None
    if message.decision and message.decided_by and message.decided_at:
        decided = DecisionShown(decision=message.decision, by=message.decided_by, at=message.decided_at)
    return MessageShown(
        id=message.id,
        account_id=message.account_id,
        order_id=message.order_id,
        order_external_id=message.order_external_id,
        trigger=message.trigger,
        occurrence=message.occurrence,
        channel=message.channel,
        template=message.template,
        template_version=message.template_version,
        state=message.state,
        reason_code=message.reason_code,
        milestone_at=message.milestone_at,
        planned_at=message.planned_at,
        changed_at=message.changed_at,
        next_at=message.next_at,
        attempt_count=message.attempt,
        mail_id=message.mail_id,
        answer=message.answer,
        handed_over_at=message.handed_over_at,
        decided=decided,
    )


def show_skip(skip: Skip) -> SkipShown:
    """Write a milestone that nobody was told of."""
    return SkipShown.model_validate(skip, from_attributes=True)


def _text(text: LocalizedText) -> TextShown:
    return TextShown(ja=text.ja, en=text.en)
