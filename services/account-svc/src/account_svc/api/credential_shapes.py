"""Says what is shown of an account's credentials: which are stored, how they stand, when they end; never a value."""

from datetime import datetime

from account_svc.api.texts import MenuShown, RefusalShown, TextShown
from hanro.web.shapes import NextCursor, Shown


class SlotReasonShown(Shown):
    """Why a set of credentials does not work or does not take over, and what to do."""

    code: str
    """Stable: `credential-refused`, `key-settling`, `grant-missing` …"""
    text: str
    """One sentence."""
    remedy: TextShown | None
    """What to do."""
    menu: MenuShown | None
    """Where to do it."""
    marketplace: RefusalShown | None
    """What the marketplace said; null: it was not asked, or did not answer."""


class UseShown(Shown):
    """One time that credentials were given out."""

    caller: str
    """Who, as its token says."""
    service: str
    """Who, as it says itself."""
    purpose: str
    """What for."""
    version: int
    """Which set of credentials."""
    used_at: datetime
    """When."""


class UsePage(Shown):
    """Uses of an account's credentials, newest first."""

    items: list[UseShown]
    """Newest first."""
    next: NextCursor


class ExpiryShown(Shown):
    """When a secret ends; `expires_local` in the marketplace's own words."""

    field: str
    """The field of the form that ends."""
    source: str
    """`read` at the marketplace, `computed`, `typed` by the seller, or `none`: it never ends."""
    expires_at: datetime | None
    """When; null: it is not known."""
    expires_local: str | None
    """The same, as the marketplace writes it."""
    read_at: datetime
    """When that was found out."""


class ExpiryFailureShown(Shown):
    """Why the end of secrets cannot be looked up, and since when."""

    code: str
    """Stable name of the kind of failure."""
    text: str
    """One sentence."""
    first_at: datetime
    """Since when."""
    last_at: datetime
    """When it was tried last."""
    is_alarming: bool
    """True: it fails for so long that somebody must look."""


class EndingShown(Shown):
    """How far the nearest end of a secret is, and when it is told next."""

    field: str
    """The field of the form that ends."""
    expires_at: datetime
    """When."""
    days_left: int
    """Whole days until then; 0: less than one, or it has ended."""
    next_warning_days: int | None
    """The next threshold: 30, 14, 7, 3 or 1 days before the end; null: all were reached."""
    next_warning_at: datetime | None
    """When that is."""


class SlotShown(Shown):
    """A set of credentials that is stored, and how it stands; no value is ever given back."""

    slot: str
    """`in_use`, or `second`: a candidate that is to take over, or what was in use before."""
    state: str
    """In use: `works`, `checking`, `settling` or `refused`. Second: `waiting`, `settling`, `refused` or `retiring`."""
    version: int
    """Counts the sets of credentials that were stored; services work with the one in use."""
    registration: str
    """The way to register that they belong to."""
    stored_at: datetime
    """When they were stored."""
    stored_by: str
    """Who stored them."""
    until: datetime | None
    """Until when it may settle, or is kept; null: that is not limited."""
    reason: SlotReasonShown | None
    """Why it does not work or does not take over; null: nothing speaks against it."""


class FieldShown(Shown):
    """A field of the credentials: whether something is stored, never what."""

    name: str
    """Name in the form."""
    is_secret: bool
    """Whether it must never be shown."""
    is_stored: bool
    """Whether a value is stored."""


class CredentialsShown(Shown):
    """What is stored for an account; no value is ever given back."""

    version: int
    """Counts the sets of credentials that were stored; 0: none yet."""
    registration: str | None
    """The way to register that they belong to; null: none are stored."""
    stored_at: datetime | None
    """When they were stored; null: none are."""
    fields: list[FieldShown]
    """In the form's order."""
    expiries: list[ExpiryShown]
    """When secrets end, as far as that is known."""
    expiry_failure: ExpiryFailureShown | None
    """Why that cannot be looked up; null: it can."""
    ending: EndingShown | None
    """The secret that ends first, and the next warning of it; null: none ends, or nobody knows when."""
    slots: list[SlotShown]
    """What is stored: the set in use first, then the second one; empty: nothing is stored."""
