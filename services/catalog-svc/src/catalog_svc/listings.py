"""Maps the offers of an account to SKUs, one transaction a request; nothing goes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog_svc import reservations
from catalog_svc.store import listings as store
from catalog_svc.store import products as product_store
from catalog_svc.store.listings import AccountCopy, Listing
from hanro import outbox
from hanro.access_reports import AccessLog
from hanro.db import Transaction
from hanro.errors import LocalizedText, Rejected
from hanro.events.listings import ListingAdopted
from hanro.ids import new_id
from hanro.marketplace import match_key
from hanro.marketplace.types.limits import KeyField


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMapping:
    """Be one offer by the seller's keys, and the SKU that it sells."""

    keys: Mapping[str, str]
    sku: str


async def lock_account(tx: Transaction, account_id: str) -> AccountCopy:
    """Lock an account, so that orders that arrive meanwhile see the mappings before or after, never between.

    Raises:
        Rejected: account-svc has told of no such account (not-found), or it is unlinked by now (account-unlinked).
    """
    found = (await store.lock_accounts(tx, [account_id])).get(account_id)
    if found is None or found.marketplace_id is None:
        why = f"No account {account_id} is linked, or catalog-svc has not heard of it yet."
        raise Rejected(why, code="not-found", field="account_id")
    if found.is_let_go:
        remedy = LocalizedText(
            ja="店舗を再び連携してから登録してください。", en="Link the shop again, then map its offers."
        )
        raise Rejected(f"Account {account_id} is {found.state}.", code="account-unlinked", remedy=remedy)
    return found


async def adopt(
    tx: Transaction,
    account: AccountCopy,
    key_fields: tuple[KeyField, ...],
    wanted: Sequence[OfferMapping],
    *,
    at: datetime,
    access: AccessLog,
) -> list[Listing | Rejected]:
    """Map offers to SKUs, in the order asked; what cannot be mapped is answered with its reason, the others stand.

    A mapping that stands already is answered as it is. Open orders that waited for one are reserved at once.
    """
    skus = await product_store.keep_variants(tx, {one.sku for one in wanted})
    keys = [match_key(key_fields, one.keys) for one in wanted]
    known = await store.lock_listings(tx, account.id, {key for key in keys if key})
    outcomes: list[Listing | Rejected] = []
    made: dict[str, Listing] = {}
    for one, key in zip(wanted, keys, strict=True):
        outcome = _outcome(account, key_fields, one, key, known=known, is_sku_known=one.sku in skus, made=made)
        outcomes.append(outcome)
        if isinstance(outcome, Listing):
            made[outcome.match_key] = outcome
    changed = [listing for key, listing in made.items() if known.get(key) != listing]
    if changed:
        await store.save_listings(tx, changed)
        await access.held(tx, account.id, account_epoch=account.epoch)
        await outbox.record(tx, *(_adopted(listing, account, at) for listing in changed))
        await reservations.remap(tx, account.id, {listing.match_key: listing.sku for listing in changed}, at)
    return outcomes


def _outcome(
    account: AccountCopy,
    key_fields: tuple[KeyField, ...],
    one: OfferMapping,
    key: str | None,
    *,
    known: Mapping[str, Listing],
    is_sku_known: bool,
    made: Mapping[str, Listing],
) -> Listing | Rejected:
    refusal = _refusal(key_fields, one, key, is_sku_known=is_sku_known, made=made)
    if refusal is not None or key is None:
        return refusal or Rejected("an offer needs its key", code="refused", field="keys")
    before = known.get(key)
    if before is not None and before.sku == one.sku:
        return before
    return Listing(
        id=new_id("lst") if before is None else before.id,
        account_id=account.id,
        match_key=key,
        keys=dict(one.keys),
        sku=one.sku,
        version=1 if before is None else before.version + 1,
    )


def _refusal(
    key_fields: tuple[KeyField, ...],
    one: OfferMapping,
    key: str | None,
    *,
    is_sku_known: bool,
    made: Mapping[str, Listing],
) -> Rejected | None:
    names = [field.name for field in key_fields]
    if unknown := sorted(set(one.keys) - set(names)):
        return Rejected(f"{unknown[0]} is no key here: use {', '.join(names)}", code="refused", field="keys")
    if key is None:
        default = next(field.name for field in key_fields if field.is_default)
        return Rejected(f"{default} is empty: offers are found by it", code="refused", field=f"keys.{default}")
    if not is_sku_known:
        return Rejected(f"no product has SKU {one.sku}: put its product first", code="not-found", field="sku")
    if key in made and made[key].sku != one.sku:
        return Rejected("the same offer stands twice with different SKUs", code="already-exists", field="keys")
    return None


def _adopted(listing: Listing, account: AccountCopy, at: datetime) -> ListingAdopted:
    return ListingAdopted(
        id=listing.id,
        version=listing.version,
        at=at,
        account_id=account.id,
        account_epoch=account.epoch,
        marketplace_id=account.marketplace_id or "",
        keys=dict(listing.keys),
        match_key=listing.match_key,
        sku=listing.sku,
    )
