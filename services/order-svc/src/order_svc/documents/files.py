"""Takes down which documents are wanted, keeps their files sealed for a week, and deletes them with a buyer."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hanro import crypto
from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.errors import NotNow, Rejected
from hanro.ids import new_id
from order_svc.documents.policies import Policies
from order_svc.store import documents as store
from order_svc.store import orders as orders_store
from order_svc.store.documents import Document, SealedFile

KEPT = timedelta(days=7)
LEASE = timedelta(minutes=3)
BATCH = 100
MOST_ATTEMPTS = 3
TABLE = "document_files"
FIELD = "sealed"


async def ask(
    tx: Transaction,
    order_ids: Sequence[str],
    *,
    kind: str,
    is_invoice: bool,
    account_ids: Sequence[str] | None,
    policies: Policies,
    by: str,
) -> Document:
    """Take down that a file of orders is wanted, each once, in this order; a printer sees to it.

    Raises:
        Rejected: an order is not there, or is of no account that the caller may see (not-found), or its marketplace's
            policy refuses the document (policy-refused); the order is pointed at.
    """
    found = await orders_store.get_orders(tx, order_ids)
    for place, order_id in enumerate(order_ids):
        order = found.get(order_id)
        if order is None or (account_ids is not None and order.account_id not in account_ids):
            raise Rejected("there is no such order", code="not-found", field=f"/order_ids/{place}")
        refused = policies.refusal(order.marketplace_id, is_invoice=is_invoice)
        if refused is not None:
            refused.field = f"/order_ids/{place}"
            raise refused
    return await store.save_asked(
        tx,
        new_id("doc"),
        kind=kind,
        is_invoice=is_invoice,
        order_ids=list(dict.fromkeys(order_ids)),
        account_ids=sorted({order.account_id for order in found.values()}),
        by=by,
    )


async def find(tx: Transaction, document_id: str, *, account_ids: Sequence[str] | None) -> Document:
    """Give a document.

    Raises:
        Rejected: there is none (any more), or it shows an order of an account that the caller may not see (not-found).
    """
    found = await store.find_document(tx, document_id)
    if found is None or (account_ids is not None and not set(found.account_ids) <= set(account_ids)):
        raise Rejected("there is no such document, or it is kept no longer", code="not-found")
    return found


async def file_of(tx: Transaction, keyring: Keyring, document_id: str, *, account_ids: Sequence[str] | None) -> bytes:
    """Give the file of a document.

    Raises:
        Rejected: as `find`; it is not printed yet (not-ready), or could not be (its own code).
        hanro.crypto.CannotOpen: its key is missing, or the row was changed or moved.
    """
    found = await find(tx, document_id, account_ids=account_ids)
    if found.failure is not None:
        raise Rejected(str(found.failure["why"]), code=str(found.failure["code"]))
    file = await store.find_file(tx, document_id)
    if file is None:
        raise NotNow("The document is not printed yet.", code="not-ready", state=found.status, possible=())
    return crypto.open_(
        keyring,
        file.sealed,
        schema=tx.schema,
        table=TABLE,
        row_id=document_id,
        field=FIELD,
        version=file.version,
    )


async def claim(db: Database) -> Document | None:
    """Take the oldest document that waits; one that ended its printers again and again is refused. None: none waits."""
    async with db.begin() as tx:
        document = await store.claim_document(tx, lease=LEASE)
        if document is None or document.attempt_count <= MOST_ATTEMPTS:
            return document
        failure = {"code": "printing-failed", "why": "The document could not be printed."}
        await store.save_outcome(tx, document, status="refused", printed=0, left_out=(), failure=failure)
    return await claim(db)


async def progress(db: Database, document: Document, printed: int) -> bool:
    """Show how many orders are set; False: stop, it is another's by now, or a buyer on it was erased."""
    async with db.begin() as tx:
        return await store.save_progress(tx, document, printed=printed, lease=LEASE)


async def give_back(db: Database, document: Document) -> None:
    """Leave a document to another process."""
    async with db.begin() as tx:
        await store.give_back(tx, document)


async def conclude(
    db: Database,
    keyring: Keyring,
    document: Document,
    *,
    file: bytes | None,
    printed: int,
    left_out: Sequence[Mapping[str, Any]],
    failure: Mapping[str, Any] | None,
) -> bool:
    """Store the file, or why there is none; False: it is another's by now, or a buyer on it was erased meanwhile."""
    async with db.begin() as tx:
        status: store.Status = "refused" if file is None else "ready"
        stands = await store.save_outcome(
            tx, document, status=status, printed=printed, left_out=left_out, failure=failure
        )
        if stands and file is not None:
            sealed = crypto.seal(
                keyring, file, schema=tx.schema, table=TABLE, row_id=document.id, field=FIELD, version=1
            )
            await store.save_file(tx, document.id, SealedFile(version=1, sealed=sealed))
    return stands


async def forget_old(tx: Transaction) -> int:
    """Delete a batch of the documents that are older than a week; give how many, 0 when none is left."""
    return await store.prune_documents(tx, KEPT, limit=BATCH)
