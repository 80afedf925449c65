"""Names who issues an account's qualified invoices."""

from datetime import datetime

from account_svc.accounts.linking import apply
from account_svc.domain.accounts import Account, Issuer, State
from account_svc.domain.happenings import IssuerStated
from hanro.db import Transaction
from hanro.errors import LocalizedText, Rejected

_GONE = frozenset({State.UNLINKING, State.UNLINKED})


async def state(tx: Transaction, account: Account, issuer: Issuer | None, at: datetime) -> Account:
    """Say who issues the invoices of an account that is locked; None: nobody. The same again changes nothing.

    Raises:
        Rejected: the account is unlinked, or is being; code "account-unlinked".
    """
    if account.state in _GONE:
        raise Rejected(
            f"The account is {account.state}: nothing about it can be changed, only linked again.",
            code="account-unlinked",
            remedy=LocalizedText(ja="もう一度連携してから入力してください。", en="Link it again first."),
        )
    return await apply(tx, account, IssuerStated(issuer=issuer), at)
