"""Says what a diagnostics bundle holds: fields that are named here, and no text that anybody typed."""

from datetime import date, datetime

from account_svc.api.switch_shapes import SwitchesShown
from hanro.web.shapes import Shown


class RefusalTold(Shown):
    """What a call was refused with, without the marketplace's sentence."""

    code: str
    """The marketplace's own code."""
    http_status: int | None
    """Its status; null: it was no HTTP."""
    request_id: str | None
    """Its id of the request: what its support asks for."""


class RowTold(Shown):
    """What a preflight found out about one grant."""

    grant_id: str
    """The grant."""
    state: str
    """`granted`, `denied`, `pending` or `unknown`."""
    refusal: RefusalTold | None
    """What the marketplace refused it with; null: nothing."""


class PreflightTold(Shown):
    """One preflight that ended."""

    id: str
    """pre_…"""
    credential_version: int
    """The credentials that were checked."""
    standing: str | None
    """What it came to; null: it runs."""
    finished_at: datetime | None
    """When; null: it runs."""
    rows: list[RowTold]
    """One for each grant."""


class UseTold(Shown):
    """How the calls of one service fared for one grant."""

    service: str
    """Who called."""
    grant_id: str
    """What for."""
    credential_version: int
    """With which credentials."""
    succeeded_at: datetime | None
    """The last one that was served; null: none."""
    refused_at: datetime | None
    """The last one that was refused; null: none."""
    refusal_code: str | None
    """Why; null: none was."""


class OperationTold(Shown):
    """Something that was asked for."""

    id: str
    """opr_…"""
    kind: str
    """What."""
    status: str
    """How far it is."""
    failure_code: str | None
    """Why it is not applied; null: nothing is in the way."""
    accepted_at: datetime
    """When it was asked for."""
    changed_at: datetime
    """When its status changed last."""


class DeedTold(Shown):
    """Something that was tried, without who."""

    at: datetime
    """When."""
    action: str
    """What."""
    changed: list[str]
    """Names of what it changed."""
    correlation_id: str | None
    """By which logs find it."""


class ExpiryTold(Shown):
    """When a secret ends."""

    field: str
    """The field of the form."""
    source: str
    """How that is known."""
    expires_at: datetime | None
    """When; null: it is not known."""


class AccountTold(Shown):
    """An account, without the names that its staff gave."""

    id: str
    """acc_…"""
    marketplace_id: str
    """Where it is."""
    state: str
    """How far it is linked."""
    is_enabled: bool
    """False: switched off by hand."""
    is_working: bool
    """True: services act for it."""
    reason_code: str | None
    """Why it does not work as it should; null: it does."""
    reason_grant_id: str | None
    """The grant at fault; null: none."""
    possible: list[str]
    """What can be asked of it now."""
    lost_capabilities: list[str]
    """What cannot be done because grants are missing."""
    switches: SwitchesShown
    """Which work is done."""
    credential_version: int
    """Counts the sets of credentials; 0: none are stored."""
    credential_fields: list[str]
    """Names of the fields that hold something."""
    expiries: list[ExpiryTold]
    """When secrets end."""
    expiry_failure_code: str | None
    """Why that cannot be looked up; null: it can."""
    epoch: int
    """Grows with each unlink."""
    version: int
    """Grows with each change."""
    created_at: datetime
    """When it was linked."""
    changed_at: datetime
    """When it changed last."""


class ItemTold(Shown):
    """How an item of the checklist stands, without who ticked it."""

    id: str
    """The item, of the guide's prerequisites."""
    state: str
    """How far it is."""
    is_done: bool
    """Whether that is its last state."""
    unproven_grant_ids: list[str]
    """Of the grants that prove it, those that are not granted."""
    reached_at: datetime | None
    """When its state was reached, as it was ticked; null: nobody ticked it."""
    start_day: date | None
    """The day that the marketplace's mail names; null: none."""
    effective_at: datetime | None
    """From when on it works; null: nothing starts on a day, or it is not known."""


class SoftwareTold(Shown):
    """What runs here."""

    hanro: str
    """Its version."""
    marketplaces: list[str]
    """The plug-ins that are installed."""
    guide_version: str | None
    """Of the account's plug-in; null: it is not installed."""
    policy_version: str | None
    """Of its policy pack; null: it is not installed."""


class DiagnosticsShown(Shown):
    """What support needs to see of an account; no secret and nothing personal is in it."""

    made_at: datetime
    """When."""
    support_contact: str | None
    """To whom it goes, of the installation's settings; null: nobody was named."""
    software: SoftwareTold
    """The software that made it."""
    account: AccountTold
    """The account as it is."""
    registration: str | None
    """The way to register that its checklist is for; null: none is chosen yet, all items are told."""
    checklist: list[ItemTold]
    """Its prerequisites, in the guide's order; empty where the plug-in is not installed."""
    preflights: list[PreflightTold]
    """The last three, newest first."""
    uses: list[UseTold]
    """How calls fared, refused ones first, at most 100."""
    operations: list[OperationTold]
    """The last 50 that were asked for here, newest first."""
    tried: list[DeedTold]
    """The last 50 changes by people, newest first."""
