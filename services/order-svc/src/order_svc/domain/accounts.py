"""Decides what a fact about an account changes here: whether its orders are looked for."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hanro.errors import CREDENTIAL_CODES
from hanro.events.accounts import ALL_ON, LET_GO, AccountFact, IssuerNamed, SwitchesSet
from hanro.marketplace.types import Capability

WORKING_STATES = frozenset({"active", "degraded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Be what order-svc knows of an account: a copy of what account-svc said last, and its own pause.

    `orders_from` None: all orders are new. `issuer` None: nobody is named on documents. `paused_until` is set while its
    credential is refused; work of the account waits until then, or until a newer credential than `paused_version`, or
    that it is served again, is told.
    """

    id: str
    version: int
    epoch: int
    marketplace_id: str
    display_name: str
    state: str
    is_enabled: bool
    reason_code: str | None
    credential_version: int
    orders_from: datetime | None
    shop_ids: tuple[str, ...]
    switches: SwitchesSet = ALL_ON
    lost_capabilities: tuple[str, ...] = ()
    lost_grants: tuple[str, ...] = ()
    issuer: IssuerNamed | None = None
    paused_until: datetime | None = None
    paused_version: int | None = None

    @property
    def is_let_go(self) -> bool:
        """Tell whether it is being unlinked, or is."""
        return self.state in LET_GO

    @property
    def is_working(self) -> bool:
        """Tell whether its orders may be looked for at all."""
        return self.is_enabled and self.state in WORKING_STATES

    @property
    def is_finding(self) -> bool:
        """Tell whether its orders are to be looked for now: it works, they are switched on, and no grant is lost."""
        return self.is_working and self.switches.orders and Capability.FIND_ORDERS.value not in self.lost_capabilities

    def is_paused(self, at: datetime) -> bool:
        """Tell whether its work waits for a better credential."""
        return self.paused_until is not None and at < self.paused_until


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """Be the account as it stands now, and what becomes of its jobs.

    `is_due`: look for its orders at once; `is_stopped`: drop its jobs, its cursors stay, so that the gap is filled.
    `is_freed`: what its wishes waited for may be there.
    """

    account: Account
    is_due: bool
    is_stopped: bool
    is_freed: bool = False
    is_past: bool = False


def follow(known: Account | None, fact: AccountFact) -> AccountChange:
    """Copy what a fact says; a fact that is not newer than what is known changes nothing.

    Jobs become due when the account begins to work or what was in their way goes (a switch that was off, a lost grant),
    and when a pause ends: by a newer credential, or because account-svc finds the one in use served again.
    """
    if known is not None and fact.version <= known.version:
        return AccountChange(account=known, is_due=False, is_stopped=False)
    epoch = known.epoch if known else 0
    is_past = (fact.account_epoch or 0) > epoch
    account = Account(
        id=fact.id,
        version=fact.version,
        # An epoch never goes back: what an older one began must not be taken up again.
        epoch=max(fact.account_epoch or 0, epoch),
        marketplace_id=fact.marketplace_id,
        display_name=fact.display_name,
        state=fact.state,
        is_enabled=fact.is_enabled,
        reason_code=fact.reason_code,
        credential_version=fact.credential_version,
        orders_from=fact.orders_from,
        shop_ids=fact.shop_ids,
        switches=fact.switches,
        lost_capabilities=fact.lost_capabilities,
        lost_grants=fact.lost_grants,
        issuer=fact.issuer,
        paused_until=known.paused_until if known and not is_past else None,
        paused_version=known.paused_version if known and not is_past else None,
    )
    is_served_again = known is not None and (
        not known.is_working or (known.reason_code in CREDENTIAL_CODES and account.reason_code not in CREDENTIAL_CODES)
    )
    is_mended = account.paused_version is not None and (
        account.credential_version > account.paused_version or is_served_again
    )
    if is_mended and account.is_working:
        account = replace(account, paused_until=None, paused_version=None)
    return AccountChange(
        account=account,
        is_due=account.is_finding and (known is None or not known.is_finding or is_mended),
        is_stopped=not account.is_finding,
        is_freed=account.is_working and known is not None and (is_mended or bool(_ways(known) - _ways(account))),
        is_past=is_past and account.is_let_go,
    )


def pause(account: Account, credential_version: int, at: datetime, length: timedelta) -> Account:
    """Stop the account's work for a while after its credential was refused; a newer credential is not blamed for it."""
    if credential_version < account.credential_version:
        return account
    return replace(account, paused_until=at + length, paused_version=credential_version)


def _ways(account: Account) -> set[str]:
    """Name all that can be in the way of what is wished for an account."""
    found = {f"grant {grant_id}" for grant_id in account.lost_grants}
    if not account.is_working:
        found.add("state")
    if not account.switches.orders:
        found.add("orders")
    return found
