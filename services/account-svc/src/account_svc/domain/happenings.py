"""Says what can happen to an account. Values alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from account_svc.domain.accounts import Issuer, Reason, SeenGrant
from hanro.errors import MenuPath


class Standing(StrEnum):
    """Say what a preflight means for the account: all is there, something is lost, it cannot work, nobody can tell."""

    WHOLE = "whole"
    PARTLY = "partly"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The seller's staff renamed the account, bound it to other shops, or said from when on orders count."""

    display_name: str
    shop_ids: tuple[str, ...]
    orders_from: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsStored:
    """New credentials were stored, and wait for a preflight; `shop_key` None: they do not tell which shop it is."""

    shop_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A preflight ended; it says nothing of credentials that are newer than `credential_version`."""

    credential_version: int
    standing: Standing
    grants: tuple[SeenGrant, ...]
    lost_capabilities: tuple[str, ...]
    reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """The seller's staff switched the account on or off by hand."""

    is_enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerStated:
    """The seller's staff said who issues qualified invoices; None: nobody any more."""

    issuer: Issuer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinking:
    """The seller's staff unlinks the account: all work of this link stops, and all that hanro holds of it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinked:
    """Every service has let go of the account, and its credentials are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAgain:
    """The seller's staff links the account's shop again; `key_menu` is where its credentials are found."""

    key_menu: MenuPath | None


Happening = Described | CredentialsStored | Judged | Switched | IssuerStated | Unlinking | Unlinked | LinkedAgain
