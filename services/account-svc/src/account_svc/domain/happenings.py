"""Says what can happen to an account. Values alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from account_svc.domain.accounts import Issuer, Reason, SeenGrant
from account_svc.domain.transitions import Deed
from hanro.errors import MenuPath


class Standing(StrEnum):
    """Say what a preflight means for the account.

    All is there, something is lost, what it needs is asked for and on its way, it cannot work, nobody can tell.
    """

    WHOLE = "whole"
    PARTLY = "partly"
    AWAITED = "awaited"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The seller's staff renamed the account, bound it to other shops, or said from when on orders count."""

    deed: ClassVar[Deed] = Deed.DESCRIBE

    display_name: str
    shop_ids: tuple[str, ...]
    orders_from: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsStored:
    """New credentials took the place of ones that did not work; they wait for a preflight.

    `reason`: why there will be none.
    """

    deed: ClassVar[Deed] = Deed.STORE_CREDENTIALS

    version: int
    reason: Reason | None = None
    shop_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsPromoted:
    """Credentials that passed their probes took the place of those in use."""

    deed: ClassVar[Deed] = Deed.ROTATE

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A preflight ended; it says nothing of credentials that are newer than `credential_version`."""

    deed: ClassVar[Deed] = Deed.JUDGE

    credential_version: int
    standing: Standing
    grants: tuple[SeenGrant, ...]
    lost_capabilities: tuple[str, ...]
    reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """The seller's staff switched the account on or off by hand."""

    is_enabled: bool

    @property
    def deed(self) -> Deed:
        """Name it."""
        return Deed.ENABLE if self.is_enabled else Deed.DISABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerStated:
    """The seller's staff said who issues qualified invoices; None: nobody any more."""

    deed: ClassVar[Deed] = Deed.NAME_ISSUER

    issuer: Issuer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRefreshed:
    """What the seller set up at the marketplace is known anew; `changed` names what is different, never empty."""

    deed: ClassVar[Deed] = Deed.KEEP_MARKET

    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinking:
    """The seller's staff unlinks the account: all work of this link stops, and all that hanro holds of it goes."""

    deed: ClassVar[Deed] = Deed.UNLINK


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinked:
    """Every service has let go of the account, and its credentials are gone."""

    deed: ClassVar[Deed] = Deed.RELEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAgain:
    """The seller's staff links the account's shop again; `key_menu` is where its credentials are found."""

    deed: ClassVar[Deed] = Deed.LINK_AGAIN

    key_menu: MenuPath | None


Change = Described | CredentialsStored | CredentialsPromoted | Judged | Switched | IssuerStated | MarketRefreshed
LettingGo = Unlinking | Unlinked | LinkedAgain
Happening = Change | LettingGo
