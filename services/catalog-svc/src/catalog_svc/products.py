"""Restates products and their variants, one transaction each."""

from dataclasses import replace

from catalog_svc.domain.products import Product, check_variants, same_content
from catalog_svc.store import products as store
from catalog_svc.store import stock as stock_store
from hanro.db import Transaction
from hanro.errors import Rejected
from hanro.ids import new_id


async def lock(tx: Transaction, code: str) -> Product | None:
    """Lock a product; None while there is none."""
    return (await store.lock_products(tx, [code])).get(code)


async def restate(tx: Transaction, before: Product | None, wanted: Product) -> Product:
    """Make a product what is wanted; saying the same again changes nothing. New SKUs start with an empty stock.

    Raises:
        Rejected: a SKU stands twice or belongs to another product ("already-exists"), or one that is left out is
            listed, ordered or in stock ("refused").
        Collided: a twin made the product or one of its SKUs meanwhile.
    """
    check_variants(wanted)
    if before is not None and same_content(before, wanted):
        return before
    owners = await store.owners_of(tx, {variant.sku for variant in wanted.variants})
    for place, variant in enumerate(wanted.variants):
        if owners.get(variant.sku, wanted.code) != wanted.code:
            raise Rejected(
                f"SKU {variant.sku} belongs to product {owners[variant.sku]}",
                code="already-exists",
                field=f"/variants/{place}/sku",
            )
    after = replace(wanted, version=1 if before is None else before.version + 1)
    await _drop_left_out(tx, before, after)
    await store.save_products(tx, [after])
    skus = [variant.sku for variant in after.variants]
    await stock_store.create_stock(tx, [new_id("stk") for _ in skus], skus)
    return after


async def _drop_left_out(tx: Transaction, before: Product | None, after: Product) -> None:
    kept = {variant.sku for variant in after.variants}
    gone = {variant.sku for variant in before.variants} - kept if before else set()
    if not gone:
        return
    await store.lock_variants(tx, gone)
    stocks = await stock_store.lock_stock(tx, gone)
    used = await store.used_skus(tx, gone) | {sku for sku, stock in stocks.items() if stock.on_hand}
    if used:
        raise Rejected(
            f"{', '.join(sorted(used))} cannot be left out: listed, ordered or in stock",
            code="refused",
            field="/variants",
        )
    await stock_store.delete_stock(tx, gone)
    await store.delete_variants(tx, gone)
