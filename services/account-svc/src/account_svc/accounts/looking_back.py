"""Looks up what was known of an account before a preflight."""

from datetime import datetime

from account_svc.domain.accounts import Account
from account_svc.store import expiries as expiry_rows
from account_svc.store import preflights as store
from hanro.db import Transaction
from hanro.marketplace.types import PreflightRow


async def last_rows(tx: Transaction, account: Account) -> dict[str, PreflightRow]:
    """Give the rows of the last preflight with the credentials that the account has; none where there was none."""
    last = (await store.list_last_preflights(tx, [account.id])).get(account.id)
    if last is None or last.credential_version != account.credential_version:
        return {}
    return {row.grant_id: row for row in last.rows}


async def was_checked(tx: Transaction, account: Account) -> bool:
    """Tell whether a preflight looked at the credentials that the account has."""
    last = (await store.list_last_preflights(tx, [account.id])).get(account.id)
    return last is not None and last.credential_version == account.credential_version


async def is_expired(tx: Transaction, account: Account, at: datetime) -> bool:
    """Tell whether the known end of one of the account's secrets has passed."""
    return any(
        one.expiry.expires is not None
        and one.expiry.expires.at <= at
        and one.credential_version == account.credential_version
        for one in (await expiry_rows.list_expiries(tx, [account.id])).get(account.id, ())
    )
