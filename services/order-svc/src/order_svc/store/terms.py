"""Keeps by which texts orders are found."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from hanro.db import Transaction
from order_svc.domain.orders import Order
from order_svc.domain.terms import BuyerKind, terms_of


@dataclass(frozen=True, slots=True)
class _Kept:
    """Be the statements of one table of terms; a term is a kind and a value of its table's own type."""

    table: str
    column: str
    type: str

    @property
    def forget(self) -> str:
        """Delete terms of known orders that are not among those found now."""
        return f"""
            delete from {self.table} where order_id = any($1::text[]) and not exists (
                select 1 from unnest($2::text[], $3::{self.type}[], $4::text[]) as wanted (kind, value, order_id)
                where wanted.kind = {self.table}.kind and wanted.value = {self.table}.{self.column}
                    and wanted.order_id = {self.table}.order_id
            )
        """  # noqa: S608  names of ours

    @property
    def add(self) -> str:
        """Store terms of known orders, as far as they are not there."""
        return f"""
            insert into {self.table} (kind, {self.column}, order_id)
            select * from unnest($1::text[], $2::{self.type}[], $3::text[]) on conflict do nothing
        """  # noqa: S608  names of ours


_ORDERS = _Kept("order_terms", "value", "text")
_BUYERS = _Kept("buyer_terms", "digest", "bytea")


async def save_terms(tx: Transaction, orders: Sequence[Order]) -> None:
    """Store by what orders are found now; their rows are locked by who saves them."""
    found = [(kind, value, order.id) for order in orders for kind, value in sorted(terms_of(order))]
    # Of a new order nothing can be found yet.
    known = [order.id for order in orders if order.version > 1]
    await _save(tx, _ORDERS, found, known=known)


async def save_buyer_terms(
    tx: Transaction, digests: Mapping[str, AbstractSet[tuple[BuyerKind, bytes]]], *, known: Sequence[str]
) -> None:
    """Store by what buyers are found now, by order; what was found of `known` orders and is told no more goes."""
    if not digests:
        return
    found = [(kind, digest, order_id) for order_id in sorted(digests) for kind, digest in sorted(digests[order_id])]
    await _save(tx, _BUYERS, found, known=known)


async def delete_buyer_terms(tx: Transaction, order_id: str) -> None:
    """Let nobody find an order by its buyer any more."""
    await tx.execute("delete from buyer_terms where order_id = $1", order_id)


async def _save(
    tx: Transaction, kept: _Kept, found: Sequence[tuple[str, str | bytes, str]], *, known: Sequence[str]
) -> None:
    if not known:
        # Where all are new nothing can be there yet: a look for it at each row would be for nothing.
        if found:
            await tx.insert(kept.table, ("kind", kept.column, "order_id"), found)
        return
    columns = [list(column) for column in zip(*found, strict=True)] if found else [[], [], []]
    await tx.execute(kept.forget, known, *columns)
    await tx.execute(kept.add, *columns)
