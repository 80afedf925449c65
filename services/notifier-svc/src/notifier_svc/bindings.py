"""Binds templates to what happens to orders: one for each trigger of an account, blank by default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hanro.access_reports import AccessLog
from hanro.db import Transaction
from hanro.errors import LocalizedText, Rejected, Unsupported
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Absent, Channel, MarketplaceId, Trigger
from notifier_svc.domain.accounts import Account
from notifier_svc.domain.planning import TRIGGERS, Binding
from notifier_svc.store import accounts, templates
from notifier_svc.store.bindings import delete_binding, find_binding, list_bindings, save_binding

Plugins = Mapping[MarketplaceId, Plugin]

BINDABLE = tuple(dict.fromkeys(TRIGGERS.values()))
"""Triggers that an order's milestones set off; manual messages and replies are bound to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Be a trigger of an account as the form shows it: what is bound (None: blank), by which channel or why by none."""

    trigger: Trigger
    channel: Channel | Absent
    binding: Binding | None


async def bind(
    tx: Transaction,
    plugins: Plugins,
    account: Account,
    trigger: Trigger,
    *,
    template: str,
    by: str,
    at: datetime,
    access: AccessLog,
) -> Binding:
    """Send a template from now on when a trigger is reached; milestones that were reached before stay untold.

    Raises:
        Unsupported: the marketplace has no channel for it; code "absent", with the menu path for doing it by hand.
        Rejected: there is no such template; code "template-unknown".
    """
    channel = sendable_channel(plugins, account, trigger)
    if await templates.find_template(tx, template) is None:
        raise Rejected(f"There is no template {template!r}.", code="template-unknown", field="/template")
    binding = Binding(account_id=account.id, trigger=trigger, template=template, channel=channel, bound_at=at)
    saved = await save_binding(tx, binding, by=by)
    await access.held(tx, account.id, account_epoch=account.epoch)
    return saved


async def unbind(tx: Transaction, account: Account, trigger: Trigger, *, access: AccessLog) -> None:
    """Make a trigger blank: from now on nothing is planned for it; what is planned already is still sent."""
    await delete_binding(tx, account.id, trigger)
    await access.held(tx, account.id, account_epoch=account.epoch)


async def get(tx: Transaction, account_id: str, trigger: Trigger) -> Binding | None:
    """Give what is bound, None where the trigger is blank."""
    return await find_binding(tx, account_id, trigger)


async def slots(tx: Transaction, plugins: Plugins, account: Account) -> Sequence[Slot]:
    """Give all triggers of an account, in the order of an order's life."""
    bound = (await list_bindings(tx, [account.id])).get(account.id, {})
    return [
        Slot(trigger=trigger, channel=channel_of(plugins, account, trigger), binding=bound.get(trigger))
        for trigger in BINDABLE
    ]


async def get_account(tx: Transaction, account_id: str, shop_ids: Sequence[str] | None) -> Account:
    """Give an account that one of these internal shops may use (None: all).

    Raises:
        Rejected: no fact told of it, or the caller may not see it; code "not-found".
    """
    account = await accounts.find_account(tx, account_id)
    if account is None or (shop_ids is not None and not set(shop_ids) & set(account.shop_ids)):
        why = f"There is no account {account_id!r}, or notifier-svc has not heard of it yet."
        raise Rejected(why, code="not-found")
    return account


async def lock_account(tx: Transaction, account_id: str, shop_ids: Sequence[str] | None) -> Account:
    """Give an account as `get_account` does, and keep it as it is until the transaction ends.

    Raises:
        Rejected: see `get_account`; or it is being unlinked, or is: nothing is bound to it (account-unlinked).
    """
    await accounts.lock_accounts(tx, [account_id])
    account = await get_account(tx, account_id, shop_ids)
    if account.is_let_go:
        remedy = LocalizedText(ja="店舗を再び連携してから設定してください。", en="Link the shop again, then bind.")
        raise Rejected(f"The account is {account.state}.", code="account-unlinked", remedy=remedy)
    return account


def channel_of(plugins: Plugins, account: Account, trigger: Trigger) -> Channel | Absent:
    """Say how a trigger's messages go out, or why they cannot."""
    plugin = plugins.get(MarketplaceId(account.marketplace_id))
    if plugin is None or trigger not in plugin.channels:
        return Absent(reason=_NO_PLUGIN, source="this installation")
    return plugin.channels[trigger]


def sendable_channel(plugins: Plugins, account: Account, trigger: Trigger) -> Channel:
    """Say how a trigger's messages go out.

    Raises:
        Unsupported: they cannot, or not yet in this version; code "absent", with reason and menu path.
    """
    channel = channel_of(plugins, account, trigger)
    match channel:
        case Channel.RELAY:
            return channel
        case Channel.API:
            raise Unsupported(_NO_API.en, code="absent", remedy=_NO_API)
        case Absent():
            raise Unsupported(channel.reason.en, code="absent", remedy=channel.reason, menu=channel.menu)


_NO_PLUGIN = LocalizedText(
    ja="このマーケットプレイスはこの環境に導入されていません。", en="This marketplace is not installed here."
)
_NO_API = LocalizedText(
    ja="マーケットプレイスのAPIによる送信はこのバージョンでは利用できません。",
    en="Sending through the marketplace's API is not in this version.",
)
