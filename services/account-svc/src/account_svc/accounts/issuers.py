"""Names who issues an account's qualified invoices."""

from datetime import datetime

from account_svc.accounts.linking import apply
from account_svc.domain.accounts import Account, Issuer
from account_svc.domain.happenings import IssuerStated
from hanro.db import Transaction


async def state(tx: Transaction, account: Account, issuer: Issuer | None, at: datetime) -> Account:
    """Say who issues the invoices of an account that is locked; None: nobody. The same again changes nothing.

    Raises:
        NotNow: the account's state does not allow it; code "account-state".
    """
    return await apply(tx, account, IssuerStated(issuer=issuer), at)
