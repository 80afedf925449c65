"""Serves delivery notes: of one order at once, of many as a document that is printed meanwhile."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field
from starlette.requests import Request

from hanro.crypto import Keyring
from hanro.db import Database, Transaction
from hanro.web import Answer, Idempotency, caller, require, router
from hanro.web.openapi import problems
from hanro.web.shapes import Body, Shown
from order_svc import accounts, documents
from order_svc.api.shapes import Remedy
from order_svc.documents import Policies, Press
from order_svc.store.documents import Document

MEDIA_TYPE = "application/pdf"
MOST_ORDERS = 500
SCOPE = "orders:personal"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    },
    **problems(409),
}
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")

OrderId = Annotated[str, Path(max_length=200, description="ord_…")]
DocumentId = Annotated[str, Path(max_length=200, description="doc_…")]
Wording = Annotated[bool, Query(description="Also call it a qualified invoice 適格請求書, where that is allowed")]


class DocumentAsked(Body):
    """Which orders are to be printed, in this order, and as what."""

    order_ids: list[Annotated[str, Field(max_length=200)]] = Field(
        min_length=1, max_length=MOST_ORDERS, examples=[["ord_01J0000000000000000000000A"]]
    )
    """1 to 500 orders; one that stands twice is printed once."""
    kind: Literal["delivery_note"] = Field(examples=["delivery_note"])
    """`delivery_note`: 納品書, each order on pages of its own."""
    with_invoice_wording: bool = False
    """Also call it a qualified invoice 適格請求書, where the marketplace's policy allows it."""


class OrderLeftOut(Shown):
    """An order that is not in the file."""

    order_id: str
    """ord_…"""
    external_id: str | None
    """The marketplace's order number; null: there is no such order any more."""
    code: str
    """Stable: `order-cancelled`, `order-quarantined`, `buyer-unknown`, `buyer-erased`, `issuer-missing` …"""
    why: str
    """One sentence."""
    remedy: Remedy | None
    """What to do."""


class DocumentFailure(Shown):
    """Why there is no file."""

    code: str
    """Stable."""
    why: str
    """One sentence."""


class DocumentShown(Shown):
    """A document that was asked for; it is kept for 7 days, and deleted when a buyer on it is erased."""

    id: str
    """doc_…"""
    kind: str
    """`delivery_note`."""
    with_invoice_wording: bool
    """Whether it also calls itself a qualified invoice."""
    status: Literal["waiting", "ready", "refused"]
    """`waiting`: it is being printed, watch `printed_count`. `ready`: fetch `href`. `refused`: there is no file."""
    order_count: int
    """How many orders were asked for."""
    printed_count: int
    """How many are set so far."""
    left_out: list[OrderLeftOut]
    """Orders that are not in the file, and why."""
    failure: DocumentFailure | None
    """Why it was refused; null of all others."""
    asked_by: str
    """Subject of the token that asked."""
    href: str | None
    """Where the file is; null: there is none, or not yet."""
    created_at: datetime
    """When it was asked for."""
    changed_at: datetime
    """When it changed last."""


def make_routes(
    db: Database, keyring: Keyring, idempotency: Idempotency, press: Press, policies: Policies
) -> APIRouter:
    """Make the routes; `policies` say of which marketplaces' orders a qualified invoice may be had."""
    routes = router(["documents"])

    @routes.get(
        "/v1/orders/{order_id}/documents/delivery-note.pdf",
        dependencies=[require(SCOPE)],
        response_class=Response,
        responses=_FILE,
    )
    async def print_delivery_note(
        request: Request,
        order_id: OrderId,
        with_invoice_wording: Wording = False,  # noqa: FBT002  FastAPI passes by name
    ) -> Response:
        """Print the delivery note 納品書 of one order."""
        async with db.begin() as tx:
            order, note = await documents.write_one(
                tx,
                keyring,
                order_id,
                account_ids=await accounts.visible(tx, caller(request).shops),
                policies=policies,
                is_invoice=with_invoice_wording,
            )
        return _file(await press.print([note]), f"delivery-note-{order.external_id}")

    @routes.post("/v1/order/documents", dependencies=[require(SCOPE)], status_code=202, response_model=DocumentShown)
    async def print_documents(request: Request, asked: DocumentAsked) -> Response:
        """Print many orders into one file; watch the document that is answered until it is ready or refused.

        Cancelled and quarantined orders, and those without a buyer, are left out of the file and named.
        """

        async def work(tx: Transaction) -> Answer:
            who = caller(request)
            document = await documents.ask(
                tx,
                asked.order_ids,
                kind=asked.kind,
                is_invoice=asked.with_invoice_wording,
                account_ids=await accounts.visible(tx, who.shops),
                policies=policies,
                by=who.subject,
            )
            return Answer(status=202, body=_shown(document), headers={"Location": f"/v1/order/documents/{document.id}"})

        return await idempotency.once(request, work)

    @routes.get("/v1/order/documents/{document_id}", dependencies=[require(SCOPE)], response_model=DocumentShown)
    async def get_document(request: Request, document_id: DocumentId) -> DocumentShown:
        """Look at a document: how far it is, which orders are left out."""
        async with db.begin() as tx:
            visible = await accounts.visible(tx, caller(request).shops)
            return _shown(await documents.find(tx, document_id, account_ids=visible))

    @routes.get(
        "/v1/order/documents/{document_id}/file.pdf",
        dependencies=[require(SCOPE)],
        response_class=Response,
        responses=_FILE,
    )
    async def get_document_file(request: Request, document_id: DocumentId) -> Response:
        """Fetch the file of a document that is ready."""
        async with db.begin() as tx:
            visible = await accounts.visible(tx, caller(request).shops)
            file = await documents.file_of(tx, keyring, document_id, account_ids=visible)
        return _file(file, document_id)

    return routes


def _file(content: bytes, name: str) -> Response:
    disposition = f'inline; filename="{_UNSAFE.sub("_", name)}.pdf"'
    return Response(content, media_type=MEDIA_TYPE, headers={"Content-Disposition": disposition})


def _shown(document: Document) -> DocumentShown:
    return DocumentShown(
        id=document.id,
        kind=document.kind,
        with_invoice_wording=document.is_invoice,
        status=document.status,
        order_count=len(document.order_ids),
        printed_count=document.printed_count,
        left_out=[OrderLeftOut.model_validate(one) for one in document.left_out],
        failure=None if document.failure is None else DocumentFailure.model_validate(document.failure),
        asked_by=document.asked_by,
        href=f"/v1/order/documents/{document.id}/file.pdf" if document.status == "ready" else None,
        created_at=document.created_at,
        changed_at=document.changed_at,
    )
