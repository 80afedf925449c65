"""Facts of account-svc: what became of a seller's account at a marketplace."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from hanro.events.fact import Fact, Part

AccountState = Literal["draft", "pending_approval", "active", "degraded", "suspended", "unlinking", "unlinked"]


class GrantSeen(Part):
    """Tell the state of one grant at the last preflight."""

    grant_id: str
    """The plug-in's id of what a seller switches on."""
    state: Literal["granted", "denied", "pending", "unknown"]
    """`pending` and `unknown` are answers, not failures."""


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


class AccountLinked(AccountFact):
    """An account was created and bound to internal shops."""

    type: ClassVar[str] = "hanro.account.linked.v1"


class AccountActivated(AccountFact):
    """An account became usable: after its first preflight, or again after a suspension."""

    type: ClassVar[str] = "hanro.account.activated.v1"


class AccountSuspended(AccountFact):
    """An account stopped being usable: its credential was refused or expired, or it was disabled."""

    type: ClassVar[str] = "hanro.account.suspended.v1"


class AccountChanged(AccountFact):
    """Something else about an account changed: name, shops, grants, credentials."""

    type: ClassVar[str] = "hanro.account.changed.v1"


ACCOUNT_FACTS: tuple[type[AccountFact], ...] = (AccountLinked, AccountActivated, AccountSuspended, AccountChanged)
"""What a service registers to follow accounts."""
