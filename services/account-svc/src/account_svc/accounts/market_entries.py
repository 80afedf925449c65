"""Keeps what people typed of a seller's set-up, tells what changed of it, and gathers what is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from account_svc.accounts.linking import apply
from account_svc.domain.accounts import Account
from account_svc.domain.happenings import MarketRefreshed
from account_svc.domain.market import Change, compare, names_of
from account_svc.domain.transitions import Deed, require
from account_svc.store import market as store
from account_svc.store import market_changes as change_rows
from account_svc.store.market import StoredKind, StoredRead
from hanro import operations
from hanro.db import Transaction
from hanro.errors import LocalizedText, Rejected
from hanro.marketplace.types import MarketEntry, MarketKind
from hanro.operations import OperationStatus

SHOWN_EACH = 50
CHANGES_KEPT = timedelta(days=365)
BATCH = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPicture:
    """Be what is known of a seller's set-up: at most 50 entries of each kind, and how many there are."""

    account: Account
    read: StoredRead
    kinds: Mapping[MarketKind, StoredKind]
    entries: tuple[MarketEntry, ...]
    counts: Mapping[MarketKind, int]
    is_refreshing: bool


async def picture(tx: Transaction, account: Account, kind: str) -> MarketPicture:
    """Gather what is known of an account's set-up; `kind` is that of operations that read it."""
    running = [
        await operations.list_(tx, limit=1, kind=kind, subject_id=account.id, status=status)
        for status in (OperationStatus.ACCEPTED, OperationStatus.SENT)
    ]
    return MarketPicture(
        account=account,
        read=await store.find_read(tx, account.id),
        kinds=await store.list_kinds(tx, account.id),
        entries=tuple(await store.list_entries(tx, account.id, most_each=SHOWN_EACH)),
        counts=await store.count_entries(tx, account.id),
        is_refreshing=any(running),
    )


async def type_in(
    tx: Transaction, account: Account, kind: MarketKind, entries: Sequence[MarketEntry], *, at: datetime, by: str
) -> Account:
    """Hold exactly these typed entries of a kind that the marketplace does not tell, of an account that is locked.

    The same again changes nothing; what changed is a fact.

    Raises:
        NotNow: the account's state does not allow it; code "account-state".
        Rejected: the marketplace tells the kind itself; code "kind-is-read".
    """
    require(account, Deed.TYPE_MARKET)
    known = (await store.list_kinds(tx, account.id)).get(kind)
    if not can_be_typed(known):
        raise Rejected(
            f"The marketplace tells {kind} itself: change it there and read it again.",
            code="kind-is-read",
            remedy=LocalizedText(
                ja="モール側で変更し、モール情報を再取得してください。",
                en="Change it at the marketplace, then refresh the market information.",
            ),
        )
    before = [entry for entry in await store.list_entries(tx, account.id) if entry.kind is kind]
    changes = compare(kind, before, entries)
    if not changes and list(before) == list(entries) and known is not None and known.is_typed:
        return account
    typed = replace(known or StoredKind(kind=kind, is_typed=True, known_at=at), is_typed=True, known_at=at)
    await store.save_kinds(tx, account.id, [typed])
    await store.replace_entries(tx, account.id, [kind], entries)
    return await tell(tx, account, changes, at=at, by=by)


def can_be_typed(known: StoredKind | None) -> bool:
    """Tell whether people say what a kind holds: the marketplace does not tell it, or was never asked."""
    return known is None or known.is_typed or known.absent is not None


async def tell(tx: Transaction, account: Account, changes: Sequence[Change], *, at: datetime, by: str) -> Account:
    """Add changes to the history and tell them by a fact with their names; none: nothing happened."""
    if not changes:
        return account
    await change_rows.save_changes(tx, account.id, changes, at=at, by=by)
    return await apply(tx, account, MarketRefreshed(changed=names_of(changes)), at)


async def forget_changes(tx: Transaction) -> int:
    """Delete a batch of changes that are too old; give how many, 0 when none is left."""
    return await change_rows.prune_changes(tx, CHANGES_KEPT, limit=BATCH)
