"""Reads orders with their buyers, and writes the notes of those that have no obstacle."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hanro.crypto import Keyring
from hanro.db import Transaction
from hanro.errors import NeedsSeller, Rejected
from order_svc import buyers, orders
from order_svc.documents.policies import Policies
from order_svc.domain.delivery_notes import Subject, obstacle, write
from order_svc.domain.orders import Order
from order_svc.store import accounts as accounts_store
from order_svc.store import orders as orders_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Be notes in the order of asking, and why the others were left out: order_id, external_id, code, why, remedy."""

    notes: Sequence[Mapping[str, Any]] = field(repr=False)
    left_out: Sequence[Mapping[str, Any]]


async def write_one(
    tx: Transaction,
    keyring: Keyring,
    order_id: str,
    *,
    account_ids: Sequence[str] | None,
    policies: Policies,
    is_invoice: bool,
) -> tuple[Order, Mapping[str, Any]]:
    """Write the note of one order.

    Raises:
        Rejected: there is none, or it is of no account that the caller may see (not-found); the marketplace's policy
            refuses it (policy-refused); and what `delivery_notes.obstacle` gives.
        NeedsSeller: no issuer is named (issuer-missing).
        hanro.crypto.CannotOpen: the buyer's key is missing, or the row was changed or moved.
    """
    found = await orders.get_(tx, order_id, account_ids=account_ids)
    refused = policies.refusal(found.order.marketplace_id, is_invoice=is_invoice)
    if refused is not None:
        raise refused
    subject = (await _subjects(tx, keyring, {order_id: found.order}))[order_id]
    stands = obstacle(subject, is_invoice=is_invoice)
    if stands is not None:
        raise stands
    return found.order, write(subject, is_invoice=is_invoice)


async def write_notes(
    tx: Transaction, keyring: Keyring, order_ids: Sequence[str], *, policies: Policies, is_invoice: bool
) -> Written:
    """Write the notes of orders; one that cannot be printed, or is not there, is left out and said why."""
    found = await orders_store.get_orders(tx, order_ids)
    subjects = await _subjects(tx, keyring, found)
    notes: list[Mapping[str, Any]] = []
    left_out: list[Mapping[str, Any]] = []
    for order_id in order_ids:
        subject = subjects.get(order_id)
        stands = _why_not(subject, policies, is_invoice=is_invoice)
        if stands is not None:
            left_out.append(_told(order_id, subject, stands))
        elif subject is not None:
            notes.append(write(subject, is_invoice=is_invoice))
    return Written(notes=notes, left_out=left_out)


def _why_not(subject: Subject | None, policies: Policies, *, is_invoice: bool) -> Rejected | NeedsSeller | None:
    if subject is None:
        return Rejected("there is no such order", code="not-found")
    refused = policies.refusal(subject.order.marketplace_id, is_invoice=is_invoice)
    return refused or obstacle(subject, is_invoice=is_invoice)


def _told(order_id: str, subject: Subject | None, why_not: Rejected | NeedsSeller) -> Mapping[str, Any]:
    remedy = why_not.remedy
    return {
        "order_id": order_id,
        "external_id": subject.order.external_id if subject else None,
        "code": why_not.code,
        "why": why_not.why,
        "remedy": {"ja": remedy.ja, "en": remedy.en} if remedy else None,
    }


async def _subjects(tx: Transaction, keyring: Keyring, found: Mapping[str, Order]) -> dict[str, Subject]:
    personal = await buyers.personal_of(tx, keyring, list(found))
    accounts = await accounts_store.get_accounts(tx, [order.account_id for order in found.values()])
    return {
        order_id: Subject(
            order=order,
            account=accounts[order.account_id],
            stated=json.loads(order.sheet),
            personal=personal.get(order_id),
        )
        for order_id, order in found.items()
    }
