"""Seals and opens what is personal about an order: who bought, where it goes, what was written, and its bytes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hanro import crypto, outbox
from hanro.crypto import BlindIndex, Keyring
from hanro.db import Transaction
from hanro.errors import Rejected
from hanro.events.orders import BuyerErased
from order_svc.domain.contacts import Contact, contact_of
from order_svc.domain.orders import restate
from order_svc.domain.readings import without_buyer
from order_svc.domain.reconcile import Change
from order_svc.domain.terms import BuyerKind, buyer_term
from order_svc.store import accounts as accounts_store
from order_svc.store import buyers as store
from order_svc.store import decisions as decisions_store
from order_svc.store import documents as documents_store
from order_svc.store import orders as orders_store
from order_svc.store import terms as terms_store
from order_svc.store.buyers import SealedRow, Table

FIELD = "sealed"
USES_KEPT = timedelta(days=365)
BATCH = 5000
SEALED: tuple[Table, ...] = ("buyers", "raw_orders")


async def save(tx: Transaction, keyring: Keyring, changes: Sequence[Change]) -> None:
    """Seal and store what sightings told of buyers, and their bytes; what they did not tell stays.

    Of orders whose buyer was erased nothing is stored, however they come back: the order's row is locked, so that an
    erasure is before or after this, never between.
    """
    changes = [change for change in changes if change.order.erased_at is None]
    await store.save_sealed(
        tx,
        "buyers",
        [_seal(tx, keyring, "buyers", change, change.personal) for change in changes if change.personal is not None],
    )
    index = _index(keyring)
    await terms_store.save_buyer_terms(
        tx,
        {
            change.order.id: {(kind, index.digest(text)) for kind, text in change.found_by}
            for change in changes
            if change.personal is not None
        },
        known=[change.order.id for change in changes if change.personal is not None and change.order.version > 1],
    )
    await store.save_sealed(
        tx,
        "raw_orders",
        [_seal(tx, keyring, "raw_orders", change, change.raw) for change in changes if change.raw is not None],
    )


async def erase(tx: Transaction, order_id: str, *, account_ids: Sequence[str] | None, by: str) -> None:
    """Delete what is kept of an order's buyer, and its bytes, for good; write down who asked. Twice is as once.

    So do the files that it is printed in; one that is being printed is not stored any more.

    Raises:
        Rejected: there is no such order, or it is of no account that the caller may see (not-found).
    """
    order = await orders_store.lock_visible(tx, order_id, account_ids)
    if order.erased_at is not None:
        return
    at = await tx.now()
    erased = replace(order, version=order.version + 1, erased_at=at, sheet=without_buyer(order.sheet))
    await orders_store.save_orders(tx, [erased])
    for table in SEALED:
        await store.delete_sealed(tx, table, order_id)
    await documents_store.delete_of_orders(tx, [order_id])
    await decisions_store.delete_notes_of_order(tx, order_id)
    await terms_store.delete_buyer_terms(tx, order_id)
    await store.save_contact_use(tx, order_id, subject=by, purpose="erase", at=at)
    await outbox.record(tx, restate(BuyerErased, erased, at))


def sought(keyring: Keyring, kind: BuyerKind, text: str) -> tuple[BuyerKind, bytes]:
    """Give by which digest orders of a buyer are found that has exactly this name or phone."""
    return kind, _index(keyring).digest(buyer_term(kind, text))


async def personal(tx: Transaction, keyring: Keyring, order_id: str) -> dict[str, Any] | None:
    """Give an order's personal part: buyer, payments, gift, notes, packages with address; None: not told, or erased.

    Raises:
        hanro.crypto.CannotOpen: its key is missing, or the row was changed or moved.
    """
    row = await store.find_sealed(tx, "buyers", order_id)
    return None if row is None else _personal(tx, keyring, row)


async def personal_of(tx: Transaction, keyring: Keyring, order_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give the personal part of orders, as `personal` does; those that are not known are left out."""
    rows = await store.list_sealed(tx, "buyers", order_ids)
    return {row.order_id: _personal(tx, keyring, row) for row in rows}


async def raw(
    tx: Transaction, keyring: Keyring, order_id: str, *, account_ids: Sequence[str] | None, by: str, at: datetime
) -> bytes:
    """Give an order's bytes as the marketplace sent them, and write down who read them.

    Raises:
        Rejected: there is no such order, it is of no account that the caller may see, or its bytes were erased
            (not-found).
        hanro.crypto.CannotOpen: their key is missing, or the row was changed or moved.
    """
    await orders_store.get_visible(tx, order_id, account_ids)
    row = await store.find_sealed(tx, "raw_orders", order_id)
    if row is None:
        raise Rejected("the bytes of this order are not kept: its buyer was erased", code="not-found")
    await store.save_contact_use(tx, order_id, subject=by, purpose="raw", at=at)
    return _open(tx, keyring, "raw_orders", row)


async def contact(
    tx: Transaction, keyring: Keyring, order_id: str, *, subject: str, purpose: str, account_epoch: int, at: datetime
) -> Contact:
    """Tell whom to write to about an order, and write down who asked and why.

    Raises:
        Rejected: no such order (not-found), it was linked anew since (epoch-past), or nobody may be told of a buyer
            that is not known or was erased (no-contact).
    """
    stored = await orders_store.get_visible(tx, order_id, None)
    account = await accounts_store.find_account(tx, stored.order.account_id)
    if account is not None and account_epoch < account.epoch:
        raise Rejected("the account was unlinked since this was asked for", code="epoch-past")
    known = await personal(tx, keyring, order_id)
    if known is None or stored.order.is_quarantined:
        raise Rejected("the buyer of this order is not known", code="no-contact")
    await store.save_contact_use(tx, order_id, subject=subject, purpose=purpose, at=at)
    return contact_of(stored.order, known)


async def forget_uses(tx: Transaction) -> int:
    """Delete a batch of the notes of who was told a contact, a year after; give how many, 0 when none is left."""
    return await store.prune_contact_uses(tx, USES_KEPT, limit=BATCH)


def _personal(tx: Transaction, keyring: Keyring, row: SealedRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_open(tx, keyring, "buyers", row))
    return found


def _index(keyring: Keyring) -> BlindIndex:
    return BlindIndex(keyring.derived("orders.buyer-terms"))


def _open(tx: Transaction, keyring: Keyring, table: Table, row: SealedRow) -> bytes:
    return crypto.open_(
        keyring, row.sealed, schema=tx.schema, table=table, row_id=row.order_id, field=FIELD, version=row.version
    )


def _seal(tx: Transaction, keyring: Keyring, table: Table, change: Change, plaintext: bytes) -> SealedRow:
    order = change.order
    return SealedRow(
        order_id=order.id,
        version=order.version,
        sealed=crypto.seal(
            keyring,
            plaintext,
            schema=tx.schema,
            table=table,
            row_id=order.id,
            field=FIELD,
            version=order.version,
        ),
    )
