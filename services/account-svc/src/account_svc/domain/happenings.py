"""Says what can happen to an account. Values alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from account_svc.domain.accounts import Reason, SeenGrant


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
    """New credentials took the place of ones that did not work; they wait for a preflight."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsPromoted:
    """Credentials that passed their probes took the place of those in use."""

    version: int


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


Happening = Described | CredentialsStored | CredentialsPromoted | Judged | Switched
