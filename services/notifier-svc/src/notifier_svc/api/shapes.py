"""Gives templates, bindings and messages the form that callers see, and states what they may send."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field, StringConstraints

from hanro.errors import LocalizedText
from hanro.marketplace.types import Absent, Channel, Trigger
from hanro.web import FieldFault, Problem
from hanro.web.shapes import Body, NextCursor, Shown
from notifier_svc.bindings import Slot
from notifier_svc.domain.messages import Decision, Message, State
from notifier_svc.domain.planning import Skip
from notifier_svc.domain.templates import Template, TemplateRefused

NAME_PATTERN = r"^\w[\w.-]{0,63}$"

TemplateName = Annotated[
    str, Path(pattern=NAME_PATTERN, description="Up to 64 letters, digits, `_`, `-` and `.`, the first no `-` or `.`")
]


class TemplateBody(Body):
    """Save a template."""

    subject: str = Field(examples=["ご注文ありがとうございます {{ order.external_id }}"])
    """One line of at most 500 characters, in the language of templates."""
    body: str = Field(examples=["{{ buyer.name }} 様\n\nご注文ありがとうございます。\n"])
    """Plain text of at most 20,000 characters, in the language of templates."""


class BindingBody(Body):
    """Bind a trigger."""

    template: Annotated[str, StringConstraints(max_length=64)] | None = Field(examples=["thanks"])
    """Name of the template; null or "": blank, nothing is sent."""


class ResolveBody(Body):
    """Decide about a message in doubt."""

    decision: Decision = Field(examples=["send_again"])
    """`sent_there`: it arrived. `send_again`: it did not, send it once more. `give_up`: leave it."""
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] = Field(
        examples=["見本 太郎"]
    )
    """Who decides."""


class TemplateShown(Shown):
    """A version of a template."""

    name: str
    """What bindings call it."""
    version: int
    """Counts its saves; the ETag names it."""
    subject: str
    """In the language of templates."""
    body: str
    """In the language of templates."""
    saved_at: datetime
    """When."""
    saved_by: str
    """Subject of the token that saved it."""


class TemplatesShown(Shown):
    """Templates by name, their current versions."""

    items: list[TemplateShown]
    """By name."""
    next: NextCursor


class PreviewShown(Shown):
    """A template filled with a sample order."""

    subject: str
    """One line."""
    body: str
    """Plain text."""


class TextShown(Shown):
    """A text for people."""

    ja: str
    """Japanese."""
    en: str
    """English."""


class AbsentShown(Shown):
    """Why nothing can be sent, and where it is done by hand."""

    reason: TextShown
    """Why."""
    menu: tuple[str, ...]
    """Where it is done by hand, from page to page; empty: no page is known."""
    menu_url: str | None
    """Address of that page; null: none is known."""


class BindingShown(Shown):
    """A trigger of an account: its template (null: blank, nothing is sent) and channel, or why there is none."""

    account_id: str
    """The account."""
    trigger: Trigger
    """What sets a message off."""
    template: str | None
    """Name of its template; null: blank, nothing is sent."""
    bound_at: datetime | None
    """Since when; what was reached before is not told."""
    channel: Channel | None
    """How it goes out; null: it cannot."""
    absent: AbsentShown | None
    """Why it cannot go out; null: it can."""


class BindingsShown(Shown):
    """All triggers of an account, in the order of an order's life."""

    items: list[BindingShown]
    """In the order of an order's life."""


class DecisionShown(Shown):
    """What a person decided about a message in doubt."""

    decision: Decision
    """What was decided."""
    by: str
    """Who decided, with the subject of the token."""
    at: datetime
    """When."""


class PlannedMailShown(Shown):
    """A mail that would have gone."""

    recipient: str
    """Where to; what stands before the @ is not kept."""
    subject: str
    """Its subject, before it is filled."""


class MessageShown(Shown):
    """A message, without address or text. `answer` is the relay's, addresses taken out."""

    id: str
    """msg_…"""
    account_id: str
    """The account that it is sent for."""
    order_id: str | None
    """The order that it is about; null: it is a test."""
    order_external_id: str | None
    """The marketplace's order number; null: it is a test."""
    is_test: bool
    """It proves the sender address and goes to the shop itself."""
    trigger: Trigger
    """What set it off."""
    occurrence: int
    """Counts what can happen several times to one order."""
    channel: Channel
    """How it goes out."""
    template: str
    """Name of its template."""
    template_version: int | None
    """The version that was rendered; null: it was not yet."""
    state: State
    """How far it is; `in_doubt` waits for a decision, `:resolve`."""
    reason_code: str | None
    """Why it is in that state; null: nothing special."""
    milestone_at: datetime
    """When what it tells of was reached."""
    planned_at: datetime
    """When it was planned."""
    changed_at: datetime
    """When its state changed last."""
    next_at: datetime | None
    """When it is tried again; null: not by itself."""
    attempt_count: int
    """How often it was tried."""
    mail_id: str | None
    """Message-ID of the mail; null: it was not sent."""
    answer: str | None
    """The relay's words, addresses taken out; null: none."""
    handed_over_at: datetime | None
    """When the relay took it; null: it did not."""
    decided: DecisionShown | None
    """What a person decided; null: nothing."""
    plan: PlannedMailShown | None
    """What would have gone, of one that was only observed; it is never sent. Null of all others."""


class SkipShown(Shown):
    """A milestone that nobody was told of."""

    trigger: Trigger
    """What would have set a message off."""
    occurrence: int
    """Counts what can happen several times to one order."""
    reason_code: str
    """Why nobody was told."""
    milestone_at: datetime
    """When it was reached."""


class MessagesShown(Shown):
    """Messages, the newest first; `skipped` (with `order_id` alone) are milestones that nothing was bound to."""

    items: list[MessageShown]
    """Newest first."""
    skipped: list[SkipShown]
    """Milestones that nobody was told of; empty without `order_id`."""
    next: NextCursor


def refused(error: TemplateRefused) -> Problem:
    """Turn what is wrong with a template into a problem, each fault with its line and column."""
    return Problem(
        status=422,
        code="template-refused",
        detail="The template cannot be used: " + "; ".join(f"{one.place}: {one.detail}" for one in error.faults[:3]),
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
        is_test=message.is_test,
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
        plan=None if message.plan is None else PlannedMailShown(**message.plan),
    )


def show_skip(skip: Skip) -> SkipShown:
    """Write a milestone that nobody was told of."""
    return SkipShown.model_validate(skip, from_attributes=True)


def _text(text: LocalizedText) -> TextShown:
    return TextShown(ja=text.ja, en=text.en)
