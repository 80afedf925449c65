"""Facts of account-svc: what became of a seller's account at a marketplace."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from hanro.events.fact import Fact, Part

AccountState = Literal["draft", "pending_approval", "active", "degraded", "suspended", "unlinking", "unlinked"]


LET_GO: frozenset[AccountState] = frozenset({"unlinking", "unlinked"})
"""Nothing is done for an account in these states, and nothing that is wished for it is taken."""


class GrantSeen(Part):
    """Tell the state of one grant at the last preflight."""

    grant_id: str
    """The plug-in's id of what a seller switches on."""
    state: Literal["granted", "denied", "pending", "unknown"]
    """`pending` and `unknown` are answers, not failures."""


class SwitchesSet(Part):
    """Tell which work the seller's staff wants done for an account."""

    orders: bool = True
    """Orders are looked for and decided on."""
    stock: bool = True
    """Stock is sent."""
    listings: bool = True
    """Listings are sent."""
    messages: bool = True
    """Buyers are written to."""
    is_observing: bool = False
    """All that is on is read; nothing is written at the marketplace and no mail leaves."""


ALL_ON = SwitchesSet()
"""What stands until somebody switches."""


class IssuerNamed(Part):
    """Tell who issues qualified invoices for an account."""

    registered_name: str
    """The name under which the issuer is registered."""
    number: str
    """T and 13 digits."""


class AccountFact(Fact):
    """Restate an account; its id is the aggregate."""

    topic: ClassVar[str] = "hanro.accounts"

    marketplace_id: str
    """The plug-in's id, for example `rakuten_ichiba`."""
    display_name: str
    """The name that the seller's staff gave to the account."""
    state: AccountState
    """Sellers see two: active and degraded are 有効, all others 無効."""
    is_enabled: bool
    """False when switched off by hand, whatever the state."""
    reason_code: str | None = None
    """Why it is not active: the stable code of the refusal; None when there is nothing to say."""
    grants: tuple[GrantSeen, ...] = ()
    """As of the last preflight; empty before the first."""
    lost_capabilities: tuple[str, ...] = ()
    """Capabilities whose grants are denied or pending."""
    credential_version: int = 0
    """Raised with each stored set of credentials; 0 before the first."""
    shop_ids: tuple[str, ...] = ()
    """Internal shops that may use the account."""
    orders_from: AwareDatetime | None = None
    """Orders placed earlier are back-filled: kept, but they send no message. None: all are new."""
    switches: SwitchesSet = ALL_ON
    """What the seller's staff switched on or off."""
    issuer: IssuerNamed | None = None
    """Who issues qualified invoices; None: nobody was named."""

    @property
    def lost_grants(self) -> tuple[str, ...]:
        """Name the grants that are denied or pending: no work that needs one of them is begun."""
        return tuple(grant.grant_id for grant in self.grants if grant.state in {"denied", "pending"})


class AccountLinked(AccountFact):
    """An account was created and bound to internal shops."""

    type: ClassVar[str] = "hanro.account.linked.v1"


class AccountActivated(AccountFact):
    """An account became usable, after a preflight or a suspension; or all that a degraded one had lost is back."""

    type: ClassVar[str] = "hanro.account.activated.v1"


class AccountSuspended(AccountFact):
    """An account stopped being usable: its credential was refused or expired, or it was disabled."""

    type: ClassVar[str] = "hanro.account.suspended.v1"


class AccountDegraded(AccountFact):
    """An account works on, but lost some of what it could do: `lost_capabilities` names what."""

    type: ClassVar[str] = "hanro.account.degraded.v1"


class AccountUnlinking(AccountFact):
    """An account is being unlinked: `account_epoch` is the new one, all work of older ones stops and is deleted."""

    type: ClassVar[str] = "hanro.account.unlinking.v1"


class AccountUnlinked(AccountFact):
    """Every service has let go of an account, and its credentials are gone."""

    type: ClassVar[str] = "hanro.account.unlinked.v1"


class CredentialRotated(AccountFact):
    """A newer credential took the place of the one in use: `credential_version` names it."""

    type: ClassVar[str] = "hanro.account.credential_rotated.v1"


class CredentialExpiring(AccountFact):
    """A secret of an account ends soon: told once for each secret and threshold."""

    type: ClassVar[str] = "hanro.account.credential_expiring.v1"

    field: str
    """The field of the credential form that ends."""
    expires_at: AwareDatetime
    """When it ends."""
    expires_local: str
    """The same in the marketplace's own words."""
    source: Literal["read", "computed", "typed"]
    """Where the end is known from."""
    threshold_days: int
    """The warning that was reached: 30, 14, 7, 3 or 1 days before the end."""


class MarketInformationRefreshed(AccountFact):
    """What a seller set up at the marketplace was read again, and some of it changed."""

    type: ClassVar[str] = "hanro.account.market_information_refreshed.v1"

    changed: tuple[str, ...]
    """Names of what changed, was added or went away, each with its kind: `return_address`, `shipping_group 1`."""


class AccountChanged(AccountFact):
    """Something else about an account changed: name, shops, grants, credentials."""

    type: ClassVar[str] = "hanro.account.changed.v1"


ACCOUNT_FACTS: tuple[type[AccountFact], ...] = (
    AccountLinked,
    AccountActivated,
    AccountDegraded,
    AccountSuspended,
    AccountChanged,
    AccountUnlinking,
    AccountUnlinked,
    CredentialRotated,
    CredentialExpiring,
    MarketInformationRefreshed,
)
"""What a service registers to follow accounts."""
