"""Opens internal shops, renames them, and closes those that no account is bound to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from account_svc.store import accounts as account_rows
from account_svc.store import shops as store
from account_svc.store.shops import Shop
from hanro.db import Transaction
from hanro.errors import LocalizedText, Rejected
from hanro.ids import new_id

MOST_NAMED = 10


async def open_shop(tx: Transaction, display_name: str, at: datetime) -> Shop:
    """Make an internal shop."""
    shop = Shop(id=new_id("shp"), display_name=display_name, version=1, created_at=at)
    await store.insert_shop(tx, shop)
    return shop


async def rename_shop(tx: Transaction, shop: Shop, display_name: str) -> Shop:
    """Rename a shop that is locked; the name that it has changes nothing."""
    if display_name == shop.display_name:
        return shop
    after = replace(shop, display_name=display_name, version=shop.version + 1)
    await store.save_shop(tx, after)
    return after


async def close_shop(tx: Transaction, shop: Shop) -> None:
    """Delete a shop that is locked; accounts that are unlinked do not hold it.

    Raises:
        Rejected: accounts are bound to it, the text names them; code "shop-in-use".
    """
    bound = await account_rows.list_bound(tx, shop.id, limit=MOST_NAMED + 1)
    if bound:
        named = ", ".join(f"{one.id} ({one.display_name})" for one in bound[:MOST_NAMED])
        more = " and more" if len(bound) > MOST_NAMED else ""
        raise Rejected(
            f"Accounts are bound to this shop: {named}{more}. Bind them to others or unlink them first.",
            code="shop-in-use",
            remedy=LocalizedText(
                ja="先に、このショップを使うアカウントを別のショップに付け替えるか、連携を解除してください。",
                en="Bind the accounts that use this shop to another one, or unlink them, first.",
            ),
        )
    await store.delete_shop(tx, shop.id)


async def hold_known(tx: Transaction, shop_ids: Sequence[str]) -> None:
    """Keep the shops to which an account is to be bound until the transaction ends.

    Raises:
        Rejected: no such internal shop; code "shop-unknown".
    """
    found = await store.hold_shops(tx, shop_ids)
    for place, shop_id in enumerate(shop_ids):
        if shop_id not in found:
            why = "There is no such internal shop: make it by POST /v1/shops."
            raise Rejected(why, code="shop-unknown", field=f"/shop_ids/{place}")
