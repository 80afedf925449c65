"""Says what the issuer of an account's qualified invoices looks like, typed and shown."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from account_svc.domain.accounts import Issuer
from account_svc.domain.issuers import LONGEST_NAME, Unfit, find_fault_of_name, find_fault_of_number
from hanro.web.shapes import Body, Shown


def _refuse(unfit: Unfit | None) -> None:
    if unfit is not None:
        words = {"both": f"{unfit.why.en} / {unfit.why.ja}"}
        raise PydanticCustomError(unfit.code, "{both}", words)


def _name(typed: str) -> str:
    _refuse(find_fault_of_name(typed))
    return typed


def _number(typed: str) -> str:
    _refuse(find_fault_of_number(typed))
    return typed


class IssuerBody(Body):
    """Name who issues qualified invoices (適格請求書発行事業者)."""

    name: Annotated[str, StringConstraints(max_length=LONGEST_NAME), AfterValidator(_name)] = Field(
        examples=["見本株式会社"]
    )
    """The name under which the issuer is registered."""
    number: Annotated[str, StringConstraints(max_length=64), AfterValidator(_number)] = Field(
        examples=["T8000000000001"]
    )
    """The registration number: T and 13 digits, half-width, without hyphens; the first digit checks the others."""


class IssuerShown(Shown):
    """Who issues an account's qualified invoices."""

    name: str
    """The name under which the issuer is registered."""
    number: str
    """T and 13 digits."""


def show_issuer(issuer: Issuer | None) -> IssuerShown | None:
    """Show an issuer; None: nobody was named."""
    return None if issuer is None else IssuerShown(name=issuer.name, number=issuer.number)
