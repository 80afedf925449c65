"""Says what requests look like; their limits stand here."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator


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


class Body(BaseModel):
    """Be a request's body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ShopBody(Body):
    """Ask for an internal shop."""

    display_name: Name


class AccountBody(Body):
    """Ask to link an account; `orders_from`: orders placed earlier are kept but send no message."""

    marketplace_id: Id
    display_name: Name
    shop_ids: ShopIds
    orders_from: Instant | None = None


class AccountPatch(Body):
    """Change some of an account's description; what is left out stays."""

    display_name: Name | None = None
    shop_ids: ShopIds | None = None
    orders_from: Instant | None = None

    @model_validator(mode="after")
    def _erases_nothing_needed(self) -> Self:
        erased = [
            name for name in ("display_name", "shop_ids") if name in self.model_fields_set and not getattr(self, name)
        ]
        if erased:
            raise ValueError(f"{', '.join(erased)}: cannot be erased")
        return self


class CredentialsBody(Body):
    """Hold credentials by the form's field names; `registration` None: the form's first way to register."""

    values: dict[Id, CredentialValue] = Field(max_length=50, repr=False)
    registration: Id | None = None


class VendBody(Body):
    """Say which service asks for credentials, and what for."""

    service: Name
    purpose: Name
