"""Says what an account is: how far it is linked, why it does not work, what it may do. Values alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hanro.errors import LocalizedText, MenuPath, Refusal
from hanro.marketplace.types import GrantState


class State(StrEnum):
    """Say how far an account is linked; sellers see active and degraded as 有効, the others as 無効."""

    DRAFT = "draft"
    PENDING_APPROVAL = "pending_approval"
    ACTIVE = "active"
    DEGRADED = "degraded"
    SUSPENDED = "suspended"
    UNLINKING = "unlinking"
    UNLINKED = "unlinked"


WORKING = frozenset({State.ACTIVE, State.DEGRADED})
LET_GO = frozenset({State.UNLINKING, State.UNLINKED})
"""Nothing is done for these any more, and nothing of them changes but how far they are let go."""

NO_CREDENTIALS = "credentials-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Say why an account does not work as it should, and the one next step.

    `code` is stable; `why` is one sentence without secrets. `grant_id` names the grant at fault, `refusal` what the
    marketplace said, `remedy` and `menu` what to do and where.
    """

    code: str
    why: str
    grant_id: str | None = None
    refusal: Refusal | None = None
    remedy: LocalizedText | None = None
    menu: MenuPath | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenGrant:
    """Be what was last found out about a grant."""

    grant_id: str
    state: GrantState


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """Say which work the seller's staff wants done for an account; what is off is neither read nor written.

    `is_observing`: everything that is on is read, nothing is written there; what would have gone is shown.
    """

    orders: bool = True
    stock: bool = True
    listings: bool = True
    messages: bool = True
    is_observing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Be who issues qualified invoices: the name, and T with 13 digits."""

    name: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Be a seller's account at a marketplace.

    `credential_version` is 0 before credentials were stored. `grants` are in the plug-in's order, empty before the
    first preflight. `orders_from` None: all orders are new. `epoch` grows with each unlink, `version` with each fact.
    `shop_key` is the marketplace's own number of the shop, None as long as nobody could tell it: an account that is not
    unlinked is the only one of its shop.
    """

    id: str
    marketplace_id: str
    display_name: str
    shop_ids: tuple[str, ...]
    orders_from: datetime | None
    state: State
    is_enabled: bool
    reason: Reason | None
    grants: tuple[SeenGrant, ...]
    lost_capabilities: tuple[str, ...]
    credential_version: int
    switches: Switches
    issuer: Issuer | None
    shop_key: str | None
    epoch: int
    version: int
    created_at: datetime
    changed_at: datetime

    @property
    def has_credentials(self) -> bool:
        """Tell whether credentials are stored: none are in the first draft, nor in one that was linked again."""
        return self.credential_version > 0 and not (self.reason is not None and self.reason.code == NO_CREDENTIALS)

    @property
    def is_let_go(self) -> bool:
        """Tell whether it is being unlinked, or is."""
        return self.state in LET_GO

    @property
    def is_working(self) -> bool:
        """Tell whether services may act for it: 有効 to the seller."""
        return self.is_enabled and self.state in WORKING
