"""Decides what a happening changes in an account, and which fact tells it. Values in, values out."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from account_svc.domain.accounts import NO_CREDENTIALS, WORKING, Account, Reason, State, Switches
from account_svc.domain.happenings import (
    Change,
    CredentialsPromoted,
    CredentialsStored,
    Described,
    Happening,
    IssuerStated,
    Judged,
    LettingGo,
    LinkedAgain,
    MarketRefreshed,
    Standing,
    Switched,
    Unlinked,
    Unlinking,
)
from account_svc.domain.transitions import check_move, require
from hanro.errors import LocalizedText, MenuPath
from hanro.events.accounts import (
    AccountActivated,
    AccountChanged,
    AccountDegraded,
    AccountFact,
    AccountLinked,
    AccountSuspended,
    AccountUnlinked,
    AccountUnlinking,
    CredentialRotated,
    GrantSeen,
    IssuerNamed,
    MarketInformationRefreshed,
    SwitchesSet,
)

CREDENTIALS_MISSING = Reason(
    code=NO_CREDENTIALS,
    why="No credentials are stored.",
    remedy=LocalizedText(ja="認証情報を入力してください。", en="Enter the credentials."),
)
CREDENTIALS_CHECKING = Reason(
    code="credentials-checking",
    why="The credentials are being checked.",
    remedy=LocalizedText(ja="確認が終わるまで 1 分ほどお待ちください。", en="Wait a minute until the check is done."),
)
UNLINKING = Reason(
    code="unlinking",
    why="The account is being unlinked.",
    remedy=LocalizedText(
        ja="連携解除が終わるまでお待ちください。進み具合は操作（operation）に表示されます。",
        en="Wait until every service has let go of the account; the operation shows how far it is.",
    ),
)
UNLINKED = Reason(
    code="unlinked",
    why="The account is unlinked.",
    remedy=LocalizedText(
        ja="使うには、このアカウントの :link-again を実行してから、認証情報を入力してください。",
        en="To use it again, call :link-again of this account, then enter the credentials.",
    ),
)

_OF_STATES: Mapping[State, type[AccountFact]] = {
    State.UNLINKING: AccountUnlinking,
    State.UNLINKED: AccountUnlinked,
}


def link(
    account_id: str,
    *,
    marketplace_id: str,
    display_name: str,
    shop_ids: tuple[str, ...],
    orders_from: datetime | None,
    key_menu: MenuPath | None,
    at: datetime,
) -> tuple[Account, AccountFact]:
    """Make an account, a draft without credentials, and its first fact; `key_menu` is where credentials are found."""
    account = Account(
        id=account_id,
        marketplace_id=marketplace_id,
        display_name=display_name,
        shop_ids=tuple(sorted(set(shop_ids))),
        orders_from=orders_from,
        state=State.DRAFT,
        is_enabled=True,
        reason=replace(CREDENTIALS_MISSING, menu=key_menu),
        grants=(),
        lost_capabilities=(),
        credential_version=0,
        switches=Switches(),
        issuer=None,
        shop_key=None,
        epoch=0,
        version=1,
        created_at=at,
        changed_at=at,
    )
    return account, restate(AccountLinked, account)


def change(account: Account, happening: Happening, at: datetime) -> tuple[Account, AccountFact | None]:
    """Apply what happened; None where it changes nothing. A change is one fact and one version.

    Unlinking and Unlinked tell those states. Activated tells that the account began to work, or that all that a
    degraded one had lost is back; Suspended that it ceased to work; Degraded that it works on and lost something, each
    time that it loses more; Rotated that other credentials are in use. Whatever else is Changed.

    Raises:
        NotNow: it cannot happen in the account's state; code "account-state".
    """
    require(account, happening.deed)
    after = _let_go(account, happening) if isinstance(happening, LettingGo) else _apply(account, happening)
    check_move(account.state, happening.deed, after.state)
    if after == account and not isinstance(happening, MarketRefreshed):
        return account, None
    after = replace(after, version=account.version + 1, changed_at=at)
    if isinstance(happening, MarketRefreshed):
        return after, restate(MarketInformationRefreshed, after, changed=happening.changed)
    return after, restate(_told_by(account, happening, after), after)


def _told_by(before: Account, happening: Happening, after: Account) -> type[AccountFact]:
    if isinstance(happening, CredentialsPromoted):
        return CredentialRotated
    if after.state is not before.state and after.state in _OF_STATES:
        return _OF_STATES[after.state]
    if after.is_working != before.is_working:
        return AccountActivated if after.is_working else AccountSuspended
    if after.is_working and after.state is State.DEGRADED:
        has_lost = set(after.lost_capabilities) - set(before.lost_capabilities)
        return AccountDegraded if has_lost or before.state is State.ACTIVE else AccountChanged
    return AccountActivated if after.is_working and before.state is State.DEGRADED else AccountChanged


def _apply(account: Account, happening: Change) -> Account:
    match happening:
        case Described():
            return replace(
                account,
                display_name=happening.display_name,
                shop_ids=tuple(sorted(set(happening.shop_ids))),
                orders_from=happening.orders_from,
            )
        case CredentialsStored() | CredentialsPromoted():
            told = happening.shop_key if isinstance(happening, CredentialsStored) else None
            return replace(
                account,
                credential_version=happening.version,
                shop_key=told or account.shop_key,
                reason=_reason_after(account, happening),
            )
        case Switched():
            return replace(account, is_enabled=happening.is_enabled)
        case IssuerStated():
            return replace(account, issuer=happening.issuer)
        case MarketRefreshed():
            return account
        case Judged():
            return _judge(account, happening)


def _let_go(account: Account, happening: LettingGo) -> Account:
    match happening:
        case Unlinking():
            # What began before is told by its epoch, wherever it still is.
            return replace(account, state=State.UNLINKING, epoch=account.epoch + 1, reason=UNLINKING)
        case Unlinked():
            return replace(account, state=State.UNLINKED, reason=UNLINKED, grants=(), lost_capabilities=())
        case LinkedAgain():
            reason = replace(CREDENTIALS_MISSING, menu=happening.key_menu)
            return replace(account, state=State.DRAFT, is_enabled=True, reason=reason)


def _reason_after(account: Account, happening: CredentialsStored | CredentialsPromoted) -> Reason | None:
    if isinstance(happening, CredentialsPromoted) or account.state in WORKING:
        return account.reason
    return happening.reason or CREDENTIALS_CHECKING


def _judge(account: Account, judged: Judged) -> Account:
    if judged.credential_version != account.credential_version or not account.credential_version:
        return account
    is_new = account.state in {State.DRAFT, State.PENDING_APPROVAL}
    match judged.standing:
        case Standing.WHOLE:
            state, reason = State.ACTIVE, None
        case Standing.PARTLY:
            state, reason = State.DEGRADED, judged.reason
        case Standing.AWAITED:
            state, reason = State.PENDING_APPROVAL if is_new else State.SUSPENDED, judged.reason
        case Standing.FAILED:
            # An account that never worked has nothing to suspend.
            state, reason = State.DRAFT if is_new else State.SUSPENDED, judged.reason
        case Standing.UNKNOWN:
            # An outage there is no reason to stop an account that works.
            state = account.state
            reason = account.reason if account.state in WORKING else judged.reason
    return replace(
        account, state=state, reason=reason, grants=judged.grants, lost_capabilities=judged.lost_capabilities
    )


def restate(kind: type[AccountFact], account: Account, **more: Any) -> AccountFact:
    """Make a fact of an account as it stands; `more` are the fields that this kind has beyond it."""
    return kind(
        id=account.id,
        version=account.version,
        at=account.changed_at,
        account_id=account.id,
        account_epoch=account.epoch,
        marketplace_id=account.marketplace_id,
        display_name=account.display_name,
        state=account.state.value,
        is_enabled=account.is_enabled,
        reason_code=account.reason.code if account.reason else None,
        grants=tuple(GrantSeen(grant_id=seen.grant_id, state=seen.state.value) for seen in account.grants),
        lost_capabilities=account.lost_capabilities,
        credential_version=account.credential_version,
        shop_ids=account.shop_ids,
        orders_from=account.orders_from,
        switches=SwitchesSet(**asdict(account.switches)),
        issuer=IssuerNamed(registered_name=account.issuer.name, number=account.issuer.number)
        if account.issuer
        else None,
        **more,
    )
