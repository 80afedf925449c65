"""Says what the issuer of an account's qualified invoices looks like, typed and shown."""

from typing import Annotated

from pydantic import Field, StringConstraints

from account_svc.domain.accounts import Issuer
from account_svc.domain.issuers import LONGEST_NAME
from hanro.web.shapes import Body, Shown


class IssuerBody(Body):
    """Name who issues qualified invoices (適格請求書発行事業者)."""

    name: Annotated[str, StringConstraints(max_length=LONGEST_NAME)] = Field(examples=["見本株式会社"])
    """The name under which the issuer is registered."""
    number: Annotated[str, StringConstraints(max_length=64)] = Field(examples=["T7000012050002"])
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
