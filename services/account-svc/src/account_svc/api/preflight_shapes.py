"""Says what preflights look like to callers: rows by grant, groups by capability, how far one that runs has come."""

from datetime import datetime
from enum import StrEnum

from account_svc.api.texts import MenuShown, RefusalShown, TextShown
from hanro.marketplace.types import GrantState
from hanro.web.shapes import NextCursor, Shown


class GroupState(StrEnum):
    """Say how a capability stands."""

    WORKING = "working"
    LOST = "lost"
    UNKNOWN = "unknown"


class PreflightRowShown(Shown):
    """What was found out about one grant, and what to do where it is missing."""

    grant_id: str
    """The marketplace's name of what a seller switches on: one API function, or one login."""
    label: TextShown
    """Its name."""
    is_asked: bool
    """False: not yet, the preflight still runs."""
    state: GrantState
    """`denied`: do what `remedies` say."""
    text: str
    """What was found out, one sentence."""
    checked_at: datetime | None
    """When; null: not yet."""
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
    capabilities: list[str]
    """What needs it."""
    lost_capabilities: list[str]
    """What cannot be done without it."""


class PreflightGroupShown(Shown):
    """A capability, with the rows that it needs."""

    capability: str | None
    """Its name; null: rows that no capability needs."""
    label: TextShown
    """Its name for people."""
    state: GroupState
    """`lost`: one of its rows is denied or pending; `unknown`: one cannot be told."""
    grant_ids: list[str]
    """Its rows by `grant_id`, in the marketplace's order; a row may stand in several groups."""


class PreflightProgressShown(Shown):
    """How far a preflight that runs has come."""

    id: str
    """pre_…"""
    text: TextShown
    """For people: how many of how many."""
    asked_count: int
    """How many grants have their row."""
    total_count: int
    """How many there are."""
    started_at: datetime
    """When it began."""
    expected_at: datetime | None
    """When it ends where nothing is in its way."""


class PreflightShown(Shown):
    """One preflight: one that ended, or one that runs with what it found so far."""

    id: str
    """pre_…"""
    account_id: str
    """The account that is checked."""
    credential_version: int
    """The credentials that are checked."""
    is_running: bool
    """True: rows come in."""
    asked_count: int
    """How many grants have their row."""
    total_count: int
    """How many there are."""
    standing: str | None
    """`whole`, `partly` (something is lost), `awaited` (the marketplace has to decide), `failed`, or `unknown` (nobody
    could tell); null: it runs."""
    started_at: datetime
    """When it began."""
    expected_at: datetime | None
    """When it ends where nothing is in its way; null: it has ended."""
    finished_at: datetime | None
    """When it ended; null: it runs."""
    rows: list[PreflightRowShown]
    """One for each grant, in the marketplace's order."""
    groups: list[PreflightGroupShown]
    """The rows by capability; last those that no capability needs."""


class PreflightPage(Shown):
    """An account's preflights, newest first; one that runs comes first."""

    items: list[PreflightShown]
    """Newest first."""
    next: NextCursor
