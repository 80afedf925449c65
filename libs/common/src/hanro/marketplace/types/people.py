"""Holds who bought and where the goods go; personal, so no repr shows anything."""

from collections.abc import Mapping
from datetime import date, time

from hanro.marketplace.types.enums.orders import AddressKind
from hanro.value import hidden, value


@value
class PersonName:
    """Hold a name: `full` as it is written there, its parts as far as they are given."""

    full: str
    family: str | None = None
    given: str | None = None
    kana: str | None = None
    title: str | None = None

    __repr__ = hidden


@value
class Address:
    """Hold an address: `lines` formatted, whole, top to bottom; the rest as far as they structure it.

    `country` is ISO 3166 alpha-2 (FX becomes FR). AWAITED: never ship. `pickup` holds network, external_id, name, … of
    a shop or locker.
    """

    lines: tuple[str, ...]
    country: str
    kind: AddressKind = AddressKind.PLAIN
    postal_code: str | None = None
    region: str | None = None
    city: str | None = None
    street: str | None = None
    building: str | None = None
    company: str | None = None
    name: PersonName | None = None
    phones: tuple[str, ...] = ()
    pickup: Mapping[str, str] | None = None
    is_remote_island: bool = False

    __repr__ = hidden


@value
class Buyer:
    """Hold who bought; `is_email_masked`: the address is the marketplace's, mail passes through it."""

    name: PersonName | None
    address: Address | None
    email: str | None
    is_email_masked: bool
    phones: tuple[str, ...] = ()
    external_id: str | None = None

    __repr__ = hidden


@value
class Gift:
    """Say that an order is a gift; `giver` if it is not the buyer, `address_due_on` by when the address comes."""

    is_wished: bool
    note: str | None = None
    giver: Address | None = None
    management_id: str | None = None
    address_due_on: date | None = None

    __repr__ = hidden


@value
class Wish:
    """Hold what the buyer wishes of the delivery; `earliest` and `latest` are local times of day."""

    day: date | None
    band_text: str | None
    earliest: time | None
    latest: time | None
    method: str | None
    cold_chain: str | None


@value
class Label:
    """Hold a label prepaid by the marketplace; its number is final. Source: rakuten-france 4.7."""

    url: str
    number: str | None
    tracking_url: str | None

    __repr__ = hidden
