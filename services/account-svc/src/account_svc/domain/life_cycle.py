"""Decides what a happening changes in an account, and which fact tells it. Values in, values out."""

from dataclasses import asdict, replace
from datetime import datetime

from account_svc.domain.accounts import WORKING, Account, Reason, State, Switches
from account_svc.domain.happenings import (
    CredentialsStored,
    Described,
    Happening,
    IssuerStated,
    Judged,
    LinkedAgain,
    Standing,
    Switched,
    Unlinked,
    Unlinking,
)
from account_svc.domain.letting_go import CREDENTIALS_MISSING, let_go, require_linked
from hanro.errors import LocalizedText, MenuPath
from hanro.events.accounts import (
    AccountActivated,
    AccountChanged,
    AccountFact,
    AccountLinked,
    AccountSuspended,
    AccountUnlinked,
    AccountUnlinking,
    GrantSeen,
    IssuerNamed,
    SwitchesSet,
)

CREDENTIALS_CHECKING = Reason(
    code="credentials-checking",
    why="The credentials are being checked.",
    remedy=LocalizedText(ja="確認が終わるまで 1 分ほどお待ちください。", en="Wait a minute until the check is done."),
)


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
    return account, _restate(AccountLinked, account)


def change(account: Account, happening: Happening, at: datetime) -> tuple[Account, AccountFact | None]:
    """Apply what happened; None where it changes nothing. A change is one fact and one version.

    Activated and Suspended tell that the account began or ceased to work; whatever else is Changed.
    """
    after = _apply(account, happening)
    if after == account:
        return account, None
    after = replace(after, version=account.version + 1, changed_at=at)
    return after, _restate(_kind(account, after, happening), after)


def _kind(before: Account, after: Account, happening: Happening) -> type[AccountFact]:
    match happening:
        case Unlinking():
            return AccountUnlinking
        case Unlinked():
            return AccountUnlinked
        case LinkedAgain():
            return AccountLinked
        case _ if after.is_working != before.is_working:
            return AccountActivated if after.is_working else AccountSuspended
        case _:
            return AccountChanged


def _apply(account: Account, happening: Happening) -> Account:
    match happening:
        case Unlinking() | Unlinked() | LinkedAgain():
            return let_go(account, happening)
        case Judged():
            # A check that ends late says nothing of an account that is let go.
            return account if account.is_let_go else _judge(account, happening)
    require_linked(account)
    match happening:
        case Described():
            return replace(
                account,
                display_name=happening.display_name,
                shop_ids=tuple(sorted(set(happening.shop_ids))),
                orders_from=happening.orders_from,
            )
        case CredentialsStored():
            # What works goes on working with the new credentials until they are found wanting.
            reason = account.reason if account.state in WORKING else CREDENTIALS_CHECKING
            return replace(
                account,
                credential_version=account.credential_version + 1,
                shop_key=happening.shop_key or account.shop_key,
                reason=reason,
            )
        case Switched():
            return replace(account, is_enabled=happening.is_enabled)
        case IssuerStated():
            return replace(account, issuer=happening.issuer)


def _judge(account: Account, judged: Judged) -> Account:
    if judged.credential_version != account.credential_version:
        return account
    match judged.standing:
        case Standing.WHOLE:
            state, reason = State.ACTIVE, None
        case Standing.PARTLY:
            state, reason = State.DEGRADED, judged.reason
        case Standing.FAILED:
            # An account that never worked has nothing to suspend.
            state = State.DRAFT if account.state is State.DRAFT else State.SUSPENDED
            reason = judged.reason
        case Standing.UNKNOWN:
            # An outage there is no reason to stop an account that works.
            state = account.state
            reason = account.reason if account.state in WORKING else judged.reason
    return replace(
        account, state=state, reason=reason, grants=judged.grants, lost_capabilities=judged.lost_capabilities
    )


def _restate(kind: type[AccountFact], account: Account) -> AccountFact:
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
    )
