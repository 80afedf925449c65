"""Says what can happen to an account in which state, and where it may lead: the one table of an account's life.

`docs/account-states.md` draws it. Whoever adds a happening names its deed here, with the states in which it may happen
and those that may follow; nothing else has to know.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from account_svc.domain.accounts import Account, State
from hanro.errors import NotNow


class Deed(StrEnum):
    """Name what is done to an account; the name is what a problem lists as possible."""

    DESCRIBE = "describe"
    STORE_CREDENTIALS = "store-credentials"
    PREFLIGHT = "preflight"
    NAME_ISSUER = "name-issuer"
    TYPE_MARKET = "type-market-information"
    REFRESH_MARKET = "refresh-market-information"
    ENABLE = "enable"
    DISABLE = "disable"
    UNLINK = "unlink"
    LINK_AGAIN = "link-again"
    JUDGE = "judge"
    ROTATE = "rotate"
    KEEP_MARKET = "keep-market-information"
    RELEASE = "release"


OWN_DEEDS = frozenset({Deed.JUDGE, Deed.ROTATE, Deed.KEEP_MARKET, Deed.RELEASE})
"""Done by hanro itself: a preflight ended, other credentials or another set-up there, every service has let go."""

LINKED = (State.DRAFT, State.PENDING_APPROVAL, State.ACTIVE, State.DEGRADED, State.SUSPENDED)
"""The states in which an account is somebody's to use."""

Moves = Mapping[State, frozenset[State]]


def stays(states: Iterable[State] = LINKED) -> Moves:
    """Let a deed happen in some states and leave each as it is."""
    return {state: frozenset({state}) for state in states}


def leads(sources: Iterable[State], *targets: State) -> Moves:
    """Let a deed happen in some states and lead to one of some."""
    return {state: frozenset(targets) for state in sources}


_WORKING = (State.ACTIVE, State.DEGRADED)
_NEVER_WORKED = (State.DRAFT, State.PENDING_APPROVAL)
_HAS_WORKED = (State.ACTIVE, State.DEGRADED, State.SUSPENDED)

TABLE: Mapping[Deed, Moves] = MappingProxyType(
    {
        Deed.DESCRIBE: stays(),
        Deed.STORE_CREDENTIALS: stays(),
        Deed.PREFLIGHT: stays(),
        Deed.NAME_ISSUER: stays(),
        Deed.TYPE_MARKET: stays(),
        Deed.REFRESH_MARKET: stays(_WORKING),
        Deed.ENABLE: stays(),
        Deed.DISABLE: stays(),
        # What never worked has nothing to suspend; what has worked is a draft no more.
        Deed.JUDGE: {
            **leads(_NEVER_WORKED, State.DRAFT, State.PENDING_APPROVAL, State.ACTIVE, State.DEGRADED),
            **leads(_HAS_WORKED, State.ACTIVE, State.DEGRADED, State.SUSPENDED),
        },
        Deed.ROTATE: stays(_HAS_WORKED),
        Deed.KEEP_MARKET: stays(),
        Deed.UNLINK: leads(LINKED, State.UNLINKING),
        Deed.RELEASE: leads([State.UNLINKING], State.UNLINKED),
        Deed.LINK_AGAIN: leads([State.UNLINKED], State.DRAFT),
    }
)


def is_possible(account: Account, deed: Deed) -> bool:
    """Tell whether something may happen to an account as it is."""
    return account.state in TABLE[deed]


def possible(account: Account) -> tuple[Deed, ...]:
    """Name what can be asked of an account now and would change something, in the order of the table."""
    idle = {
        Deed.ENABLE: account.is_enabled,
        Deed.DISABLE: not account.is_enabled,
        Deed.PREFLIGHT: not account.has_credentials,
        Deed.REFRESH_MARKET: not account.is_working,
    }
    return tuple(
        deed for deed in TABLE if deed not in OWN_DEEDS and is_possible(account, deed) and not idle.get(deed, False)
    )


def require(account: Account, deed: Deed) -> None:
    """Refuse what cannot happen to an account as it is.

    Raises:
        NotNow: it names the state, and what is possible now; code "account-state".
    """
    if is_possible(account, deed):
        return
    can = tuple(one.value for one in possible(account))
    reason = account.reason
    raise NotNow(
        f"The account is {account.state}: {deed} is not possible now; possible: {', '.join(can) or 'nothing'}.",
        code="account-state",
        state=account.state.value,
        possible=can,
        remedy=reason.remedy if reason else None,
    )


def check_move(before: State, deed: Deed, after: State) -> None:
    """Hold the code to the table.

    Raises:
        ValueError: a deed led where the table does not let it: our bug.
    """
    if after not in TABLE[deed][before]:
        raise ValueError(f"{deed} must not lead from {before} to {after}")
