"""Shows shops and accounts: what works, why not, and the one next step; nothing of the credentials themselves."""

from datetime import datetime

from account_svc.accounts.credentials import not_working
from account_svc.accounts.reading import AccountPicture
from account_svc.api.account_shapes import (
    AccountShown,
    GrantShown,
    GrantsShown,
    NextStepShown,
    ReasonShown,
    ShopShown,
)
from account_svc.api.checklist_views import show_summary
from account_svc.api.credential_views import show_credentials
from account_svc.api.issuer_shapes import show_issuer
from account_svc.api.preflight_views import show_progress
from account_svc.api.texts import TextShown, show_menu, show_refusal, show_text
from account_svc.api.unlink_shapes import show_unlink
from account_svc.domain.accounts import Account
from account_svc.domain.next_steps import find_place
from account_svc.domain.transitions import possible
from account_svc.store.shops import Shop
from hanro.errors import LocalizedText
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import GrantState

LABELS = {True: LocalizedText(ja="有効", en="enabled"), False: LocalizedText(ja="無効", en="disabled")}


def show_shop(shop: Shop) -> ShopShown:
    """Show an internal shop."""
    return ShopShown(id=shop.id, display_name=shop.display_name, version=shop.version, created_at=shop.created_at)


def show_account(picture: AccountPicture, plugin: Plugin | None, at: datetime) -> AccountShown:
    """Show an account; without its plug-in grants and fields have no more than their names."""
    account, last = picture.account, picture.last_preflight
    return AccountShown(
        id=account.id,
        marketplace_id=account.marketplace_id,
        display_name=account.display_name,
        shop_ids=list(account.shop_ids),
        orders_from=account.orders_from,
        state=account.state.value,
        is_enabled=account.is_enabled,
        is_working=account.is_working,
        label=show_text(LABELS[account.is_working]),
        reason=_show_reason(account),
        next_step=_show_next_step(account, plugin),
        possible=[deed.value for deed in possible(account)],
        grants=_show_grants(account, plugin),
        lost_capabilities=list(account.lost_capabilities),
        credentials=show_credentials(picture, plugin, at),
        issuer=show_issuer(account.issuer),
        preflight=show_progress(picture.running_preflight),
        checklist=show_summary(
            account, picture.credentials.registration_id if picture.credentials else None, picture.ticks, plugin
        ),
        last_preflight_id=last.id if last else None,
        last_preflight_at=last.finished_at if last else None,
        unlinking=show_unlink(picture.unlink),
        epoch=account.epoch,
        version=account.version,
        created_at=account.created_at,
        changed_at=account.changed_at,
    )


def _show_reason(account: Account) -> ReasonShown | None:
    if not account.is_enabled:
        failure = not_working(account)
        return ReasonShown(code=failure.code, text=failure.why, grant_id=None, marketplace=None)
    reason = account.reason
    if reason is None:
        return None
    return ReasonShown(
        code=reason.code, text=reason.why, grant_id=reason.grant_id, marketplace=show_refusal(reason.refusal)
    )


def _show_next_step(account: Account, plugin: Plugin | None) -> NextStepShown | None:
    if account.is_enabled and account.reason is None:
        return None
    failure = not_working(account)
    reason = account.reason if account.is_enabled else None
    place = find_place(plugin.guide, reason) if plugin and reason else None
    return NextStepShown(
        text=show_text(failure.remedy) if failure.remedy else None,
        menu=show_menu(failure.menu) if failure.menu else None,
        grant_id=failure.grant_id,
        prerequisite_id=place.prerequisite_id if place else None,
        step_ids=list(place.step_ids) if place else [],
    )


def _show_grants(account: Account, plugin: Plugin | None) -> GrantsShown:
    states = {seen.grant_id: seen.state for seen in account.grants}
    known = {grant.id: grant for grant in plugin.grants} if plugin else {}
    items = [
        GrantShown(
            id=grant_id,
            label=show_text(known[grant_id].label) if grant_id in known else TextShown(ja=grant_id, en=grant_id),
            state=states.get(grant_id, GrantState.UNKNOWN),
            menu=show_menu(known[grant_id].menu) if grant_id in known else None,
        )
        for grant_id in dict.fromkeys((*known, *states))
    ]
    counts = {state: sum(one.state is state for one in items) for state in GrantState}
    return GrantsShown(
        total=len(items),
        granted=counts[GrantState.GRANTED],
        denied=counts[GrantState.DENIED],
        pending=counts[GrantState.PENDING],
        unknown=counts[GrantState.UNKNOWN],
        items=items,
    )
