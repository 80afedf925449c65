"""Sees to it that one shop is linked once: by the number that its credentials name."""

from collections.abc import Callable, Mapping

from account_svc.domain.accounts import Account, State
from account_svc.domain.credentials import shop_key_of
from account_svc.store import holdings as store
from hanro.db import Transaction
from hanro.errors import LocalizedText, Rejected
from hanro.marketplace.port import Plugin

MaySee = Callable[[Account], bool]
"""Tells whether who asks may see an account: of others no more than the id is said."""


async def claim(
    tx: Transaction, account: Account, plugin: Plugin, values: Mapping[str, str], *, may_see: MaySee
) -> str | None:
    """Give the shop that typed credentials belong to, for an account that is locked; None: they do not tell.

    Until the transaction ends nobody else can claim that shop.

    Raises:
        Rejected: another account of this shop is linked (shop-linked-already) or was (shop-unlinked-before), or this
            account is another shop (shop-differs).
    """
    shop_key = shop_key_of(plugin.credential_form, values)
    if shop_key is None:
        return None
    twins = [one for one in await store.lock_shop(tx, account.marketplace_id, shop_key) if one.id != account.id]
    if account.shop_key is not None and shop_key != account.shop_key and not _is_fresh(account):
        raise Rejected(
            f"These credentials are of shop {shop_key}, the account is shop {account.shop_key}: its orders stay apart.",
            code="shop-differs",
            remedy=LocalizedText(
                ja="この店舗の認証情報を入力するか、別の店舗として新しいアカウントを連携してください。",
                en="Enter this shop's credentials, or link the other shop as an account of its own.",
            ),
        )
    if twins:
        raise _taken(shop_key, twins[0], is_seen=may_see(twins[0]))
    return shop_key


def _is_fresh(account: Account) -> bool:
    """Tell whether nothing was ever done for the account: a shop that was typed by mistake may be corrected."""
    return account.epoch == 0 and account.state in {State.DRAFT, State.PENDING_APPROVAL}


def _taken(shop_key: str, first: Account, *, is_seen: bool) -> Rejected:
    named = f"{first.id} ({first.display_name})" if is_seen else f"{first.id} of other internal shops"
    match first.state:
        case State.UNLINKED:
            return Rejected(
                f"Shop {shop_key} was linked before as {named}: its orders are kept there.",
                code="shop-unlinked-before",
                field="/values",
                remedy=LocalizedText(
                    ja=f"POST /v1/accounts/{first.id}:link-again を実行し、そこに認証情報を入力してください。",
                    en=f"Call POST /v1/accounts/{first.id}:link-again, then enter the credentials there.",
                ),
            )
        case State.UNLINKING:
            return Rejected(
                f"Shop {shop_key} is still being unlinked as {named}.",
                code="shop-linked-already",
                field="/values",
                remedy=LocalizedText(
                    ja=f"連携解除が終わってから POST /v1/accounts/{first.id}:link-again を実行してください。",
                    en=f"Once that is done, call POST /v1/accounts/{first.id}:link-again.",
                ),
            )
        case State.DRAFT | State.PENDING_APPROVAL | State.ACTIVE | State.DEGRADED | State.SUSPENDED:
            return Rejected(
                f"Shop {shop_key} is linked already as {named}.",
                code="shop-linked-already",
                field="/values",
                remedy=LocalizedText(
                    ja=f"アカウント {first.id} を使うか、先にその連携を解除してください。",
                    en=f"Use account {first.id}, or unlink that one first.",
                ),
            )
