"""Names who issues an account's qualified invoices."""

from datetime import datetime

from account_svc.accounts.linking import apply, check_linked
from account_svc.domain.accounts import Account, Issuer
from account_svc.domain.happenings import IssuerStated
from hanro.db import Transaction


async def state(tx: Transaction, account: Account, issuer: Issuer | None, at: datetime) -> Account:
    """Say who issues the invoices of an account that is locked; None: nobody. The same again changes nothing.

    Raises:
        Rejected: the account is unlinked, or is being; code "account-unlinked".
    """
    check_linked(account)
    return await apply(tx, account, IssuerStated(issuer=issuer), at)
