"""Says what requests look like; their limits stand here."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, field_validator

from hanro.web.shapes import Body


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies beyond the calendar") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
ShopIds = Annotated[list[Id], Field(min_length=1, max_length=100)]
CredentialValue = Annotated[str, StringConstraints(max_length=10_000)]


class ShopBody(Body):
    """Ask for an internal shop."""

    display_name: Name = Field(examples=["本店"])
    """The staff's name for it."""


class ShopPatch(Body):
    """Rename an internal shop."""

    display_name: Name = Field(examples=["二号店"])
    """The staff's name for it."""


class AccountBody(Body):
    """Ask to link an account; `orders_from`: orders placed earlier are kept but send no message."""

    marketplace_id: Id = Field(examples=["sandbox"])
    """One of `GET /v1/marketplaces`."""
    display_name: Name = Field(examples=["楽天市場 本店"])
    """The staff's name for it."""
    shop_ids: ShopIds = Field(examples=[["shp_01K0000000000000000000000A"]])
    """The internal shops that may use it, of `GET /v1/shops`."""
    orders_from: Instant | None = None
    """RFC 3339 with an offset; null: all orders send messages."""


class AccountPatch(Body):
    """Change some of an account's description; what is left out stays."""

    display_name: Name | None = Field(default=None, examples=["楽天市場 二号店"])
    """The staff's name for it; it cannot be erased."""
    shop_ids: ShopIds | None = None
    """All internal shops that may use it; they cannot be erased."""
    orders_from: Instant | None = None
    """RFC 3339 with an offset; null erases it."""

    @field_validator("display_name", "shop_ids", mode="before")
    @classmethod
    def _is_kept(cls, given: object) -> object:
        if given is None:
            raise ValueError("cannot be erased; leave it out to keep it")
        return given


class CredentialsBody(Body):
    """Hold credentials by the form's field names; `registration` None: the form's first way to register."""

    values: dict[Id, CredentialValue] = Field(
        max_length=50,
        repr=False,
        examples=[{"service_secret": "SP000000_0000000000000000", "license_key": "SL000000_0000000000000000"}],
    )
    """By the names of the form that `GET /v1/marketplaces/{marketplace_id}` gives; all of them, each time."""
    registration: Id | None = None
    """The way to register; null: the first."""


class VendBody(Body):
    """Say which service asks for credentials, and what for."""

    service: Name
    purpose: Name
