"""Links accounts, describes them, and switches them on and off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from account_svc.accounts import jobs
from account_svc.accounts.shops import hold_known
from account_svc.domain.accounts import Account
from account_svc.domain.credentials import first_place
from account_svc.domain.happenings import Described, Happening, Switched
from account_svc.domain.life_cycle import change, link
from account_svc.store import accounts as store
from hanro import due, outbox
from hanro.db import Transaction
from hanro.errors import Rejected
from hanro.ids import new_id
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId

Plugins = Mapping[MarketplaceId, Plugin]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWish:
    """Be what somebody asks for who links an account; `orders_from` None: all its orders are new."""

    marketplace_id: str
    display_name: str
    shop_ids: tuple[str, ...]
    orders_from: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptionWish:
    """Be what somebody changes of an account; None: as it is. `is_orders_from_given` tells an erased time from none."""

    display_name: str | None
    shop_ids: tuple[str, ...] | None
    orders_from: datetime | None
    is_orders_from_given: bool


async def link_account(tx: Transaction, plugins: Plugins, wish: LinkWish, at: datetime) -> Account:
    """Link an account: a draft until its credentials are stored and checked.

    Raises:
        Rejected: no such marketplace is installed, or no such internal shop; "marketplace-unknown", "shop-unknown".
    """
    plugin = find_plugin(plugins, wish.marketplace_id)
    await hold_known(tx, wish.shop_ids)
    account, fact = link(
        new_id("acc"),
        marketplace_id=wish.marketplace_id,
        display_name=wish.display_name,
        shop_ids=wish.shop_ids,
        orders_from=wish.orders_from,
        key_menu=first_place(plugin.credential_form),
        at=at,
    )
    await store.insert_account(tx, account)
    await outbox.record(tx, fact)
    return account


async def describe(tx: Transaction, account: Account, wish: DescriptionWish, at: datetime) -> Account:
    """Change name, shops or the start of orders of an account that is locked.

    Raises:
        Rejected: no such internal shop; code "shop-unknown".
    """
    if wish.shop_ids is not None:
        await hold_known(tx, wish.shop_ids)
    described = Described(
        display_name=account.display_name if wish.display_name is None else wish.display_name,
        shop_ids=account.shop_ids if wish.shop_ids is None else wish.shop_ids,
        orders_from=wish.orders_from if wish.is_orders_from_given else account.orders_from,
    )
    return await apply(tx, account, described, at)


async def switch(tx: Transaction, account: Account, at: datetime, *, is_enabled: bool) -> Account:
    """Switch an account that is locked on or off by hand; one that is switched on is checked at once."""
    after = await apply(tx, account, Switched(is_enabled=is_enabled), at)
    if after.version != account.version and is_enabled and after.credential_version:
        await due.plan(tx, after.id, jobs.PREFLIGHT)
    return after


async def apply(tx: Transaction, account: Account, happening: Happening, at: datetime) -> Account:
    """Apply what happened to an account that is locked: row, version and fact together."""
    after, fact = change(account, happening, at)
    if fact is not None:
        await store.save_account(tx, after)
        await outbox.record(tx, fact)
    return after


def find_plugin(plugins: Plugins, marketplace_id: str) -> Plugin:
    """Give the plug-in of a marketplace.

    Raises:
        Rejected: it is not installed here; code "marketplace-unknown".
    """
    found = plugins.get(MarketplaceId(marketplace_id))
    if found is None:
        raise Rejected(
            f"This marketplace is not installed here; installed: {', '.join(sorted(plugins)) or 'none'}.",
            code="marketplace-unknown",
            field="marketplace_id",
        )
    return found
