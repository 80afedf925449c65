"""Says what a seller's set-up at a marketplace looks like, typed and shown."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from account_svc.api.bodies import Id
from account_svc.api.texts import MenuShown, TextShown
from account_svc.domain.market import What
from hanro.marketplace.types import MarketKind
from hanro.web.routes.operations import OperationShown
from hanro.web.shapes import Body, NextCursor, Shown

MOST_TYPED = 100

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Detail = Annotated[str, StringConstraints(max_length=1_000)]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z -]{1,20}$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()-]{3,30}$")]


class AddressBody(Body):
    """An address of the shop, as its parts."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(default="JP", examples=["JP"])
    """ISO 3166, two letters."""
    postal_code: Code = Field(examples=["100-0000"])
    """As the country writes it, half-width."""
    region: Line | None = Field(default=None, examples=["東京都"])
    """Prefecture, or what the country has in its place."""
    city: Line = Field(examples=["架空区"])
    """City or ward."""
    street: Line = Field(examples=["見本町1-2-3"])
    """Street and number."""
    building: Line | None = None
    """Building, floor, room."""
    company: Line | None = Field(default=None, examples=["見本株式会社"])
    """Name of the company."""
    contact: Line | None = Field(default=None, examples=["返品係"])
    """Whom parcels are for: a department rather than a person."""
    phone: Phone | None = Field(default=None, examples=["03-0000-0001"])
    """Half-width."""


class TypedEntryBody(Body):
    """One thing that the seller set up at the marketplace, as people type it."""

    external_id: Id = Field(default="1", examples=["1"])
    """The marketplace's own id where it has one; unique among the entries of the kind."""
    name: Line = Field(examples=["返品センター"])
    """Its name there."""
    is_default: bool = False
    """Whether it is used where nothing else is chosen."""
    address: AddressBody | None = None
    """For kinds that are addresses, which need it; for others it is refused."""
    details: Annotated[dict[Id, Detail], Field(max_length=30)] = Field(default_factory=dict)
    """What else there is to say, by name."""


class TypedEntriesBody(Body):
    """All entries of a kind that the marketplace does not tell; those left out are gone."""

    entries: Annotated[list[TypedEntryBody], Field(max_length=MOST_TYPED)] = Field(
        examples=[
            [
                {
                    "name": "返品センター",
                    "address": {
                        "postal_code": "100-0000",
                        "region": "東京都",
                        "city": "架空区",
                        "street": "見本町1-2-3",
                    },
                }
            ]
        ]
    )
    """In the order in which they are shown; empty: there is none."""


class MarketEntryShown(Shown):
    """One thing that the seller set up at the marketplace."""

    external_id: str
    """The marketplace's own id."""
    name: str
    """Its name there."""
    is_default: bool
    """Whether it is used where nothing else is chosen."""
    parent_id: str | None
    """`external_id` of what it belongs to, of the same kind; null: to nothing."""
    details: dict[str, str]
    """What else the marketplace says, in its own words and names; of what was typed, ours."""


class MarketEntryPage(Shown):
    """Entries of one kind, in their order."""

    items: list[MarketEntryShown]
    """As the marketplace orders them."""
    next: NextCursor


class MarketFailureShown(Shown):
    """Why something could not be read."""

    code: str
    """Stable: `grant-missing`, `unavailable`, `unreadable` …"""
    text: str
    """One sentence."""
    grant_id: str | None
    """The grant that is missing; null: none is."""
    remedy: TextShown | None
    """What to do; null: nothing."""
    menu: MenuShown | None
    """Where to do it."""
    at: datetime
    """When it was tried."""


class MarketAbsenceShown(Shown):
    """Why the marketplace does not tell of a kind."""

    reason: TextShown
    """Why."""
    menu: MenuShown | None
    """Where it is seen at the marketplace; null: no path is known."""


class MarketKindShown(Shown):
    """What is known of one kind of thing that a seller sets up."""

    kind: MarketKind
    """For example `shipping_group`."""
    label: TextShown
    """Its name."""
    status: Literal["read", "typed", "absent", "failed", "unknown"]
    """`read` there; `typed` by people; `absent`: the marketplace does not tell it, type it; `failed`: the last read of
    it failed, what is shown is older; `unknown`: never read.
    """
    known_at: datetime | None
    """When what is shown was read or typed; null: never."""
    can_be_typed: bool
    """Whether it can be typed here."""
    entry_count: int
    """How many there are."""
    entries: list[MarketEntryShown]
    """The first 50; all of them are paged under the kind's own path."""
    absent: MarketAbsenceShown | None
    """Why the marketplace does not tell it; null: it does, or was not asked."""
    failure: MarketFailureShown | None
    """Why the last read of it failed; null: it did not."""


class MarketInformationShown(Shown):
    """What a seller set up at the marketplace, kind by kind."""

    account_id: str
    """acc_…"""
    read_at: datetime | None
    """When it was read last; null: never."""
    is_refreshing: bool
    """Whether a read that somebody asked for is under way."""
    failure: MarketFailureShown | None
    """Why the newest attempt failed as a whole; null: it did not."""
    guide: TextShown | None
    """How to keep it in step with the marketplace; null: there is nothing to read there."""
    kinds: list[MarketKindShown]
    """One for each kind there is."""


class MarketChangeShown(Shown):
    """One thing that became different."""

    kind: MarketKind
    """Of which kind."""
    label: TextShown
    """The kind's name."""
    what: What
    """`first_read`: the kind was not known before, `name` says how many there were."""
    external_id: str | None
    """The marketplace's own id; null: all of the kind."""
    name: str
    """Its name, the last known one."""
    old_name: str | None
    """Its name before; null: the same."""
    fields: list[str]
    """What of it changed, by name."""
    changed_at: datetime
    """When that was seen, or typed."""
    changed_by: str
    """`account-svc`: it was read; else who typed it."""


class MarketChangePage(Shown):
    """What became different, newest first."""

    items: list[MarketChangeShown]
    """Newest first."""
    next: NextCursor


class MarketAccepted(OperationShown):
    """A read that was asked for, and how long it takes where nothing is in its way."""

    estimated_seconds: int
    """How long it takes at most."""
