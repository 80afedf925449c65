"""Says what shops and accounts look like to callers; nothing of the credentials themselves."""

from datetime import datetime

from account_svc.api.checklist_shapes import ChecklistSummaryShown
from account_svc.api.credential_shapes import CredentialsShown
from account_svc.api.issuer_shapes import IssuerShown
from account_svc.api.preflight_shapes import PreflightProgressShown
from account_svc.api.texts import MenuShown, RefusalShown, TextShown
from account_svc.api.unlink_shapes import UnlinkingShown
from hanro.marketplace.types import GrantState
from hanro.web.shapes import NextCursor, Shown


class ShopShown(Shown):
    """An internal shop."""

    id: str
    """shp_…"""
    display_name: str
    """The staff's name for it."""
    version: int
    """Grows with each change; the ETag names it."""
    created_at: datetime
    """When it was made."""


class ShopPage(Shown):
    """Internal shops, by id."""

    items: list[ShopShown]
    """By id."""
    next: NextCursor


class ReasonShown(Shown):
    """Why an account does not work as it should."""

    code: str
    """Stable: `credentials-missing`, `credential-refused`, `grant-missing` …"""
    text: str
    """One sentence."""
    grant_id: str | None
    """The grant at fault; null: none in particular."""
    marketplace: RefusalShown | None
    """What the marketplace said; null: it was not asked, or did not answer."""


class NextStepShown(Shown):
    """What the seller does next, and where."""

    text: TextShown | None
    """What to do."""
    menu: MenuShown | None
    """Where to do it."""
    grant_id: str | None
    """The grant that it is about."""
    prerequisite_id: str | None
    """The item of the guide's checklist that it is about; null: none."""
    step_ids: list[str]
    """The steps of the guide that lead through it; empty: the guide has none."""


class GrantShown(Shown):
    """A thing that a seller switches on, as it was last seen."""

    id: str
    """For example `rpay.order.searchOrder`."""
    label: TextShown
    """Its name."""
    state: GrantState
    """`unknown`: never probed, or nobody could tell."""
    menu: MenuShown | None
    """Where it is switched on."""


class GrantsShown(Shown):
    """How many grants the marketplace knows, and how they stand; `unknown` counts those never probed too."""

    total: int
    """How many the marketplace has."""
    granted: int
    """How many work."""
    denied: int
    """How many are switched off or refused."""
    pending: int
    """How many were asked for and are not there yet."""
    unknown: int
    """How many nobody can tell of."""
    items: list[GrantShown]
    """In the marketplace's order."""


class AccountShown(Shown):
    """A seller's account at a marketplace."""

    id: str
    """acc_…"""
    marketplace_id: str
    """Where it is."""
    display_name: str
    """The staff's name for it."""
    shop_ids: list[str]
    """The internal shops that may use it."""
    orders_from: datetime | None
    """Orders placed earlier send no message; null: all do."""
    state: str
    """`draft`, `pending_approval` (the marketplace has to approve), `active`, `degraded` (something is lost),
    `suspended`, `unlinking` or `unlinked`."""
    is_enabled: bool
    """False: switched off by hand."""
    is_working: bool
    """True: services act for it (有効)."""
    label: TextShown
    """What a seller reads: 有効 or 無効."""
    reason: ReasonShown | None
    """Why it does not work as it should; null: it does."""
    next_step: NextStepShown | None
    """What the seller does next; null: nothing."""
    possible: list[str]
    """What can be asked of the account now: `store-credentials`, `preflight`, `disable` …"""
    grants: GrantsShown
    """What it may do at the marketplace, as last seen."""
    lost_capabilities: list[str]
    """What cannot be done because grants are missing."""
    credentials: CredentialsShown
    """Which fields are stored, and when they end."""
    issuer: IssuerShown | None
    """Who issues qualified invoices; null: nobody was named."""
    preflight: PreflightProgressShown | None
    """How far the check that runs has come; null: none runs."""
    checklist: ChecklistSummaryShown | None
    """How far its checklist is; null: its marketplace's plug-in is not installed here."""
    last_preflight_id: str | None
    """The last check that ended; null: none yet."""
    last_preflight_at: datetime | None
    """When that was."""
    unlinking: UnlinkingShown | None
    """How far its unlink is; null: it is not being unlinked."""
    epoch: int
    """Grows with each unlink."""
    version: int
    """Grows with each change; the ETag names it."""
    created_at: datetime
    """When it was linked."""
    changed_at: datetime
    """When it changed last."""


class AccountPage(Shown):
    """Accounts, by id."""

    items: list[AccountShown]
    """By id."""
    next: NextCursor
