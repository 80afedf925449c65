"""Seals and opens what is personal about an order: who bought, where it goes, what was written, and its bytes."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hanro import crypto
from hanro.crypto import Keyring
from hanro.db import Transaction
from hanro.errors import Rejected
from order_svc.domain.contacts import Contact, contact_of
from order_svc.domain.reconcile import Change
from order_svc.store import accounts as accounts_store
from order_svc.store import buyers as store
from order_svc.store import orders as orders_store
from order_svc.store.buyers import SealedRow, Table

FIELD = "sealed"
USES_KEPT = timedelta(days=365)
BATCH = 5000


async def save(tx: Transaction, keyring: Keyring, changes: Sequence[Change]) -> None:
    """Seal and store what sightings told of buyers, and their bytes; what they did not tell stays."""
    await store.save_sealed(
        tx,
        "buyers",
        [_seal(tx, keyring, "buyers", change, change.personal) for change in changes if change.personal is not None],
    )
    await store.save_sealed(
        tx,
        "raw_orders",
        [_seal(tx, keyring, "raw_orders", change, change.raw) for change in changes if change.raw is not None],
    )


async def personal(tx: Transaction, keyring: Keyring, order_id: str) -> dict[str, Any] | None:
    """Give an order's personal part: buyer, payments, gift, notes, packages with address; None: not told, or erased.

    Raises:
        hanro.crypto.CannotOpen: its key is missing, or the row was changed or moved.
    """
    row = await store.find_sealed(tx, "buyers", order_id)
    if row is None:
        return None
    found: dict[str, Any] = json.loads(
        crypto.open_(
            keyring,
            row.sealed,
            schema=tx.schema,
            table="buyers",
            row_id=order_id,
            field=FIELD,
            version=row.version,
        )
    )
    return found


async def contact(
    tx: Transaction, keyring: Keyring, order_id: str, *, subject: str, purpose: str, account_epoch: int, at: datetime
) -> Contact:
    """Tell whom to write to about an order, and write down who asked and why.

    Raises:
        Rejected: no such order (not-found), it was linked anew since (epoch-past), or nobody may be told of a buyer
            that is not known or was erased (no-contact).
    """
    stored = await orders_store.find_order(tx, order_id)
    if stored is None:
        raise Rejected("there is no such order", code="not-found")
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
