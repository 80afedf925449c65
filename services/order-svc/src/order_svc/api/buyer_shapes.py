"""Gives what is personal about an order the form that callers with the scope orders:personal see."""

from datetime import date

from pydantic import Field

from hanro.marketplace.types import AddressKind
from hanro.web.shapes import Shown
from order_svc.api.sum_shapes import PaymentShown


class PersonNameShown(Shown):
    """A name."""

    full: str
    """As it is written there."""
    family: str | None
    """Its family part."""
    given: str | None
    """Its given part."""
    kana: str | None
    """How it is read."""
    title: str | None
    """How the person is addressed."""


class AddressShown(Shown):
    """An address, whole, however long it is."""

    lines: list[str]
    """Formatted, top to bottom."""
    country: str
    """ISO 3166 alpha-2; ZZ: abroad, not told where."""
    kind: AddressKind
    """`masked`: the marketplace hides it; `awaited`: it is still to come, never ship to it."""
    postal_code: str | None
    """As far as the marketplace structures it."""
    region: str | None
    """Prefecture, state."""
    city: str | None
    """City."""
    street: str | None
    """Street and number."""
    building: str | None
    """Building and room."""
    company: str | None
    """Company."""
    name: PersonNameShown | None
    """Who receives it."""
    phones: list[str]
    """Phone numbers, masked or not."""
    pickup: dict[str, str] | None
    """The shop or locker where it is fetched: `network`, `external_id`, `name`, the rest by its own names."""
    is_remote_island: bool
    """Whether a carrier asks more for it."""


class BuyerShown(Shown):
    """Who bought."""

    name: PersonNameShown | None
    """Null: not told."""
    address: AddressShown | None
    """The buyer's own; null: not told."""
    email: str | None
    """Null: not told."""
    is_email_masked: bool
    """True: the address is the marketplace's, mail passes through it."""
    phones: list[str]
    """Phone numbers, masked or not."""
    external_id: str | None
    """The buyer's id there."""


class GiftShown(Shown):
    """A gift, with who gives it."""

    is_wished: bool
    """The buyer wants it as a gift."""
    note: str | None
    """The words that go with it."""
    giver: AddressShown | None
    """Who gives it, if not the buyer."""
    management_id: str | None
    """The number under which the marketplace asks the receiver for the address."""
    address_due_on: date | None
    """By when the address comes."""


class LabelShown(Shown):
    """A label that the marketplace prepaid."""

    url: str
    """Where it is."""
    number: str | None
    """Its tracking number, which is final."""
    tracking_url: str | None
    """The page to track it."""


class DestinationShown(Shown):
    """Where one package goes."""

    external_id: str
    """The package's id there."""
    address: AddressShown | None
    """Null: not told."""
    label: LabelShown | None
    """Null: there is none."""


class ClaimReason(Shown):
    """Why somebody claims."""

    external_id: str
    """The claim's id there."""
    reason: str
    """As it is told; may be empty."""


class PersonalShown(Shown):
    """What is personal about an order; it is kept encrypted, and goes when the buyer is erased."""

    buyer: BuyerShown | None = None
    """Who bought; null: not told."""
    packages: list[DestinationShown] = Field(default_factory=list)
    """Where it goes, by package."""
    payments: list[PaymentShown] = Field(default_factory=list)
    """Ways of payment, whole."""
    gift: GiftShown | None = None
    """Null: it is none."""
    notes: dict[str, str] = Field(default_factory=dict)
    """What the buyer or the shop wrote, by the marketplace's own names."""
    claims: list[ClaimReason] = Field(default_factory=list)
    """Why it was claimed."""
