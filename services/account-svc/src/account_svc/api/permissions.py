"""Tells which accounts a caller may see: those of the internal shops that its token names."""

from collections.abc import Sequence

from starlette.requests import Request

from account_svc.accounts.reading import account_ids_of
from account_svc.domain.accounts import Account
from hanro import web
from hanro.auth import Caller
from hanro.db import Transaction
from hanro.web import Problem


def check_shops(request: Request, shop_ids: Sequence[str]) -> None:
    """Let a caller bind an account to shops only where it may see them all.

    Raises:
        Problem: 403 `shop-not-yours`.
    """
    if not all(web.caller(request).may_see(shop_id) for shop_id in shop_ids):
        raise _not_yours()


def may_see(request: Request, account: Account) -> bool:
    """Tell whether a caller may see an account."""
    return any(web.caller(request).may_see(shop_id) for shop_id in account.shop_ids)


def check_account(request: Request, account: Account) -> Account:
    """Give the account back where the caller may see it.

    Raises:
        Problem: 403 `shop-not-yours`.
    """
    if not may_see(request, account):
        raise _not_yours()
    return account


async def accounts_of(tx: Transaction, caller: Caller) -> list[str]:
    """Give the ids of the accounts that a caller may see who may not see all shops."""
    return await account_ids_of(tx, sorted(caller.shops))


def _not_yours() -> Problem:
    return Problem(status=403, code="shop-not-yours", detail="This belongs to other internal shops.")
