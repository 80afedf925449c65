"""Decides what a fact about an account changes here: whether messages are sent for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hanro.events.accounts import ALL_ON, LET_GO, AccountFact, SwitchesSet
from hanro.marketplace.types import Grant, ProbeKind

WORKING_STATES = frozenset({"active", "degraded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Be what notifier-svc knows of an account: a copy of what account-svc said last, and its own pause.

    Nothing is sent before `paused_until`: its relay or what a message needs could not be reached, or refused its login;
    `pause_code` says which, `pause_count` how often in a row.
    """

    id: str
    version: int
    epoch: int
    marketplace_id: str
    display_name: str
    state: str
    is_enabled: bool
    credential_version: int
    shop_ids: tuple[str, ...]
    switches: SwitchesSet = ALL_ON
    lost_capabilities: tuple[str, ...] = ()
    lost_grants: tuple[str, ...] = ()
    paused_until: datetime | None = None
    pause_code: str | None = None
    pause_count: int = 0

    @property
    def is_sending(self) -> bool:
        """Tell whether mail may leave for it now: it works, messages are switched on, and it does not only observe."""
        return self.is_working and self.switches.messages and not self.switches.is_observing

    @property
    def is_let_go(self) -> bool:
        """Tell whether it is being unlinked, or is."""
        return self.state in LET_GO

    @property
    def is_working(self) -> bool:
        """Tell whether messages may be sent for it at all."""
        return self.is_enabled and self.state in WORKING_STATES


def follow(known: Account | None, fact: AccountFact) -> Account:
    """Copy what a fact says; a fact that is not newer than what is known changes nothing.

    A newer credential, a grant that is back, and beginning to work again end a pause.
    """
    if known is not None and fact.version <= known.version:
        return known
    account = Account(
        id=fact.id,
        version=fact.version,
        # An epoch never goes back: what an older one began must not be taken up again.
        epoch=max(fact.account_epoch or 0, known.epoch if known else 0),
        marketplace_id=fact.marketplace_id,
        display_name=fact.display_name,
        state=fact.state,
        is_enabled=fact.is_enabled,
        credential_version=fact.credential_version,
        shop_ids=fact.shop_ids,
        switches=fact.switches,
        lost_capabilities=fact.lost_capabilities,
        lost_grants=fact.lost_grants,
    )
    if known is None or fact.credential_version > known.credential_version or account.epoch > known.epoch:
        return account
    if account.is_working and not known.is_working:
        return account
    if set(known.lost_grants) - set(account.lost_grants):
        return account
    return replace(account, paused_until=known.paused_until, pause_code=known.pause_code, pause_count=known.pause_count)


def relay_grant(grants: Sequence[Grant]) -> Grant | None:
    """Give the grant that the mail relay's login is, where the marketplace declares one."""
    return next((grant for grant in grants if grant.probe is ProbeKind.SMTP), None)
