"""Gathers all that is shown of an account."""

from collections.abc import Sequence
from dataclasses import dataclass

from account_svc.accounts.unlinking import stopping
from account_svc.domain.accounts import Account
from account_svc.domain.checklist import Tick
from account_svc.store import accounts as account_rows
from account_svc.store import checklist as checklist_rows
from account_svc.store import credentials as credential_rows
from account_svc.store import expiries as expiry_rows
from account_svc.store import preflights as preflight_rows
from account_svc.store import spares
from account_svc.store.credentials import StoredCredentials
from account_svc.store.expiries import ExpiryFailure, StoredExpiry
from account_svc.store.preflights import Preflight
from account_svc.store.spares import Spare
from hanro.db import Transaction

PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlink:
    """Be an unlink that is under way: its operation, and the services that have not let go yet."""

    operation_id: str
    waiting_for: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPicture:
    """Be an account with what is known around it; nothing of the credentials themselves."""

    account: Account
    credentials: StoredCredentials | None
    spare: Spare | None
    expiries: tuple[StoredExpiry, ...]
    expiry_failure: ExpiryFailure | None
    last_preflight: Preflight | None
    running_preflight: Preflight | None
    ticks: tuple[Tick, ...]
    unlink: Unlink | None = None


async def pictures(tx: Transaction, accounts: Sequence[Account]) -> list[AccountPicture]:
    """Gather what is known around accounts, in their order."""
    ids = [account.id for account in accounts]
    credentials = await credential_rows.list_credentials(tx, ids)
    seconds = await spares.list_spares(tx, ids)
    expiries = await expiry_rows.list_expiries(tx, ids)
    failures = await expiry_rows.list_expiry_failures(tx, ids)
    preflights = await preflight_rows.list_last_preflights(tx, ids)
    under_way = await preflight_rows.list_open(tx, ids)
    ticks = await checklist_rows.list_ticks(tx, ids, newest=1)
    unlinks = {
        account_id: Unlink(operation_id=running.id, waiting_for=waiting)
        for account_id, waiting in (await stopping.find_waiting(tx, accounts)).items()
        if (running := await stopping.find_running(tx, account_id))
    }
    return [
        AccountPicture(
            account=account,
            credentials=credentials.get(account.id),
            spare=seconds.get(account.id),
            expiries=tuple(expiries.get(account.id, ())),
            expiry_failure=failures.get(account.id),
            last_preflight=preflights.get(account.id),
            running_preflight=under_way.get(account.id),
            ticks=tuple(ticks.get(account.id, ())),
            unlink=unlinks.get(account.id),
        )
        for account in accounts
    ]


async def account_ids_of(tx: Transaction, shop_ids: Sequence[str]) -> list[str]:
    """Give the ids of all accounts that some shops may use."""
    found: list[str] = []
    while page := await account_rows.list_accounts(
        tx, limit=PAGE, after=found[-1] if found else None, shop_ids=shop_ids
    ):
        found += [account.id for account in page]
    return found
