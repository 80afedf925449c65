"""Says what an account's checklist looks like to callers, and what a tick looks like."""

from datetime import date, datetime

from pydantic import Field

from account_svc.api.bodies import Id, Instant
from account_svc.api.guide_shapes import PrerequisiteShown, StepShown
from account_svc.api.texts import TextShown
from hanro.web.shapes import Body, Shown


class TickBody(Body):
    """Say that a step of a prerequisite is done, or, with an earlier state, that it is not after all."""

    state: Id = Field(examples=["open"])
    """One of the item's states."""
    at: Instant | None = None
    """When it was done, RFC 3339 with an offset; null: now."""
    start_day: date | None = Field(default=None, examples=[None])
    """The day that the marketplace's mail names, where the item has a daily start."""


class TickShown(Shown):
    """A step that somebody said was done."""

    state: str
    """The state that was reached."""
    at: datetime
    """When it was done."""
    start_day: date | None
    """The day that the mail names; null: none."""
    ticked_by: str
    """Who said so: the subject of the token."""
    ticked_at: datetime
    """When it was said."""


class ChecklistItemShown(Shown):
    """A prerequisite as it stands for an account."""

    prerequisite: PrerequisiteShown
    """What it is."""
    state: str
    """The present state."""
    label: TextShown
    """What people read for it."""
    is_done: bool
    """Whether the last state is reached."""
    is_by_hand: bool
    """False: grants prove it, nobody can tick it."""
    unproven_grant_ids: list[str]
    """Of the grants that prove it, those that are not granted yet."""
    reached: list[TickShown]
    """The steps so far, in the order of states, each with its time and who ticked it."""
    history: list[TickShown]
    """What was ticked last, newest first, at most 20: also what was taken back."""
    start_day: date | None
    """The day on which the marketplace's mail says that it starts; null: none was typed."""
    effective_at: datetime | None
    """From when on it works; null: nothing starts on a day, or it is not known yet."""
    is_effective_final: bool
    """False: it is what it would be if it were approved now."""
    steps: list[StepShown]
    """How it is done."""


class ChecklistShown(Shown):
    """What an account needs, and how far it is."""

    account_id: str
    """The account."""
    registration: str | None
    """The way to register that the list is for; null: none is chosen yet, all items are shown."""
    open_count: int
    """Items that are not done and that an account cannot work without."""
    items: list[ChecklistItemShown]
    """In the guide's order."""


class ChecklistSummaryShown(Shown):
    """How far an account's checklist is."""

    open_count: int
    """Items that are not done and that an account cannot work without."""
    effective_at: datetime | None
    """From when on what was approved last works; null: nothing starts on a day, or nothing was approved."""
