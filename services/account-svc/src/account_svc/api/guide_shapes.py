"""Says what a marketplace's guide looks like to callers: steps, mails to expect, prerequisites."""

from datetime import time

from account_svc.api.texts import MenuShown, TextShown
from hanro.web.shapes import Shown


class MailShown(Shown):
    """A mail that the seller gets on the way."""

    subject: str
    """Its subject, as it comes."""
    sender: str
    """Who sends it."""
    recipient: TextShown
    """To which address it comes."""
    tells: TextShown
    """What is taken from it."""


class EntryShown(Shown):
    """A value to type there, exactly as it stands."""

    label: str
    """The field's label, in the marketplace's words."""
    value: str | None
    """What to type; null: the operator has to set it first."""
    missing_settings: list[str]
    """The names that the installation's texts lack for it."""


class LinkShown(Shown):
    """A page beside the way."""

    label: TextShown
    """What is found there."""
    menu: MenuShown
    """Where it is; `login_note` says where a login is needed."""


class StepShown(Shown):
    """One step of the guide."""

    id: str
    """Name of the step."""
    title: TextShown
    """What is done."""
    text: TextShown
    """How."""
    menu: MenuShown | None
    """Where; null: nowhere in particular."""
    fallback: MenuShown | None
    """Another way there, if the first cannot be found."""
    mail: MailShown | None
    """The mail that comes with it."""
    entries: list[EntryShown]
    """What to type there."""
    operator_note: TextShown | None
    """What the operator has to set before the step can be done; null: nothing."""
    cost: TextShown | None
    """What it costs; null: nothing is charged for."""
    traps: list[TextShown]
    """What goes wrong there."""
    links: list[LinkShown]
    """Pages beside the way."""


class StateShown(Shown):
    """A state of a prerequisite."""

    id: str
    """Name of the state."""
    label: TextShown
    """What people read."""


class PrerequisiteShown(Shown):
    """What must be done before an account works."""

    id: str
    """Name of the prerequisite."""
    title: TextShown
    """What it is."""
    states: list[StateShown]
    """In order, the last one is done."""
    step_ids: list[str]
    """The steps that lead there."""
    grant_ids: list[str]
    """The grants that prove it, all of them; empty: it is ticked by hand."""
    registration_ids: list[str]
    """The ways to register that need it; empty: all of them."""
    needs_check: bool
    """Whether it goes on only once a preflight has passed."""
    is_optional: bool
    """Whether an account can work without."""
    daily_start: time | None
    """The time of day, at the marketplace, at which what was approved begins to work; null: at once."""


class SheetFormShown(Shown):
    """The letter of application: its fields stand in `GET /v1/accounts/{account_id}/application-sheet`."""

    field_names: list[str]
    """The fields, in order."""
    subject: str
    """The subject of the mail."""


class GuideShown(Shown):
    """The way to an account that works."""

    version: str
    """Changes with the guide."""
    prerequisites: list[PrerequisiteShown]
    """What must be done, in order."""
    steps: list[StepShown]
    """How, in order."""
    sheet: SheetFormShown | None
    """The letter of application; null: there is none."""
