"""Holds what linking a seller's account knows: forms, guides, grants, expiries and what the seller set up there."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, time, timedelta

from hanro.errors import Failure, LocalizedText, MenuPath, Refusal
from hanro.marketplace.types.enums.linking import ExpirySource, FieldKind, GrantState, MarketKind, ProbeKind, Supplier
from hanro.marketplace.types.enums.rules import Capability
from hanro.marketplace.types.plain import Moment, TextRule
from hanro.value import value


@value
class FormField:
    """Describe one field of credentials, listing templates or the application sheet.

    `wrong` holds pairs of a pattern and why a text that it finds is wrong: "@" in a France login, full-width
    characters in a key. `choices` are pairs of value and label. `where` tells where the seller finds the value.
    """

    name: str
    label: LocalizedText
    kind: FieldKind
    rule: TextRule
    help: LocalizedText
    note: LocalizedText | None = None
    section: str = "api"
    is_required: bool = True
    is_secret: bool = False
    supplier: Supplier = Supplier.SELLER
    default: str | None = None
    choices: tuple[tuple[str, LocalizedText], ...] = ()
    wrong: tuple[tuple[str, LocalizedText], ...] = ()
    where: MenuPath | None = None
    docs_url: str | None = None


@value
class Registration:
    """Name one way to register with the marketplace (own_application, developer_application) and the fields it asks."""

    id: str
    label: LocalizedText
    field_names: tuple[str, ...]


@value
class ShopKey:
    """Say where credentials name the shop that they belong to.

    `pattern` is matched against the whole value of the field; its group `shop` is the marketplace's number of the shop,
    never a secret. A value that does not fit tells nothing.
    """

    field: str
    pattern: str


@value
class CredentialForm:
    """Hold the fields of all credentials and the ways to register; of those there is at least one.

    `shop_keys` are looked at in their order; empty: credentials do not tell which shop they belong to.
    """

    fields: tuple[FormField, ...]
    registrations: tuple[Registration, ...]
    shop_keys: tuple[ShopKey, ...] = ()


@value
class ExpectedMail:
    """Describe a mail that the seller gets on the way; `tells` says what is taken from it."""

    subject: str
    sender: str
    recipient: LocalizedText
    tells: LocalizedText


@value
class Step:
    """Describe one step of the guide.

    `entries` are pairs of a label and the value to type there; {name} comes from the installation's settings. `links`
    are pages beside the way: the marketplace's manual, whom to ask.
    """

    id: str
    title: LocalizedText
    text: LocalizedText
    menu: MenuPath | None = None
    fallback: MenuPath | None = None
    mail: ExpectedMail | None = None
    entries: tuple[tuple[str, str], ...] = ()
    cost: LocalizedText | None = None
    traps: tuple[LocalizedText, ...] = ()
    links: tuple[tuple[LocalizedText, MenuPath], ...] = ()


@value
class Prerequisite:
    """Describe what must be done before an account works.

    `states` are in order, the last one is done; `labels` are what people read for them, one each. It is proven by
    `grant_ids`, else ticked by hand. `daily_start` is the time of day, in the plug-in's zone, at which something newly
    granted starts to work. It applies to the ways to register that are named, to all where none is. With `needs_check`
    it goes on only once a preflight passed; what `is_optional` an account can work without.
    """

    id: str
    title: LocalizedText
    states: tuple[str, ...]
    labels: tuple[LocalizedText, ...]
    step_ids: tuple[str, ...]
    grant_ids: frozenset[str] = frozenset()
    daily_start: time | None = None
    registration_ids: frozenset[str] = frozenset()
    needs_check: bool = False
    is_optional: bool = False


@value
class ApplicationSheet:
    """Describe a letter of application; {name} of a field may stand in `subject` and `body`.

    `recipient` is {name} of the installation's settings: who registers the application with the marketplace.
    """

    fields: tuple[FormField, ...]
    recipient: str
    subject: str
    body: str


@value
class Guide:
    """Lead a seller from nothing to a working account."""

    version: str
    prerequisites: tuple[Prerequisite, ...]
    steps: tuple[Step, ...]
    sheet: ApplicationSheet | None = None


@value
class Supported:
    """Say that a capability is there once its grants are granted."""

    grant_ids: frozenset[str] = frozenset()
    note: LocalizedText | None = None


@value
class Absent:
    """Say why a capability is not there, and how to do it by hand; `menu` None: no path is documented.

    `grant_ids` are what it needs of the seller where the marketplace has it and this version of the plug-in has not:
    they are probed, and a lost one is named with the capability all the same.
    """

    reason: LocalizedText
    source: str
    menu: MenuPath | None = None
    instead: Capability | None = None
    grant_ids: frozenset[str] = frozenset()


Support = Supported | Absent


@value
class Grant:
    """Name a thing that a seller switches on, where, and what to do when off; `group` is the probe's API group."""

    id: str
    label: LocalizedText
    menu: MenuPath
    probe: ProbeKind
    group: str
    remedies: tuple[LocalizedText, ...]


@value
class PreflightRow:
    """Say what a probe of one grant found; `retry_at` when a later probe may find more (a key settles)."""

    grant_id: str
    state: GrantState
    why: str
    checked_at: datetime
    refusal: Refusal | None = None
    retry_at: datetime | None = None


@value
class KeyLife:
    """Say how long a secret lives: `lifetime` None where it does not end.

    `has_overlap`: the old one works beside the new one; None: sources conflict, expect both. A new one may be refused
    until `settles_within` has passed.
    """

    field: str
    lifetime: timedelta | None
    has_overlap: bool | None
    settles_within: timedelta


@value
class KeyExpiry:
    """Say when one secret ends, and how that is known."""

    field: str
    source: ExpirySource
    expires: Moment | None


@value
class Renewed:
    """Hold newly minted secrets (fields of supplier DERIVED), to be stored, with their expiries."""

    values: Mapping[str, str] = field(repr=False)
    expiries: tuple[KeyExpiry, ...]


@value
class MarketEntry:
    """Hold one thing that the seller set up there: an address, a shipping group, a brand."""

    kind: MarketKind
    external_id: str
    name: str
    is_default: bool = False
    parent_id: str | None = None
    details: Mapping[str, str] = field(repr=False)


@value
class MarketInformation:
    """Hold all that the seller set up there; of a kind in `failed` the old entries are kept."""

    read_at: datetime
    entries: tuple[MarketEntry, ...]
    absent: Mapping[MarketKind, Absent]
    failed: Mapping[MarketKind, Failure]
