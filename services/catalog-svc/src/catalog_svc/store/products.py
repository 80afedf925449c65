"""Reads and writes products and their variants."""

from collections.abc import Collection, Sequence

from catalog_svc.domain.products import Product, Variant
from hanro.db import Collided, Transaction


async def lock_products(tx: Transaction, codes: Collection[str]) -> dict[str, Product]:
    """Lock some products, sorted by code; unknown ones are left out."""
    await tx.fetch("select 1 from products where code = any($1::text[]) order by code for update", sorted(codes))
    return await read_products(tx, codes)


async def read_products(tx: Transaction, codes: Collection[str]) -> dict[str, Product]:
    """Read some products without a lock."""
    rows = await tx.fetch(
        """
        select p.code, p.title, p.version, v.sku, v.title as variant_title, v.barcode
        from products p join variants v on v.product_code = p.code
        where p.code = any($1::text[]) order by p.code, v.place
        """,
        sorted(codes),
    )
    variants: dict[str, list[Variant]] = {}
    for row in rows:
        variants.setdefault(row["code"], []).append(
            Variant(sku=row["sku"], title=row["variant_title"], barcode=row["barcode"])
        )
    return {
        row["code"]: Product(
            code=row["code"], title=row["title"], version=row["version"], variants=tuple(variants[row["code"]])
        )
        for row in rows
    }


async def list_codes(tx: Transaction, *, after: str | None, limit: int) -> list[str]:
    """List codes in order, those after `after`."""
    rows = await tx.fetch(
        "select code from products where $1::text is null or code > $1 order by code limit $2", after, limit
    )
    return [row["code"] for row in rows]


async def owners_of(tx: Transaction, skus: Collection[str]) -> dict[str, str]:
    """Tell which product each SKU belongs to; unknown ones are left out."""
    rows = await tx.fetch("select sku, product_code from variants where sku = any($1::text[])", sorted(skus))
    return {row["sku"]: row["product_code"] for row in rows}


async def save_products(tx: Transaction, products: Sequence[Product]) -> None:
    """Write products and their variants; variants that are no longer named are deleted by `delete_variants`.

    Raises:
        Collided: a twin made one of the products or SKUs meanwhile.
    """
    written = await tx.fetch(
        f"""
        insert into products (code, title, version) select * from unnest($1::text[], $2::text[], $3::int[])
        on conflict (code) do update
            set title = excluded.title, version = excluded.version, changed_at = {tx.now_sql}
            where products.version = excluded.version - 1
        returning 1
        """,  # noqa: S608  constants
        [product.code for product in products],
        [product.title for product in products],
        [product.version for product in products],
    )
    rows = [(variant, product.code, place) for product in products for place, variant in enumerate(product.variants)]
    written += await tx.fetch(
        """
        insert into variants (sku, product_code, place, title, barcode)
        select * from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[])
            as t (sku, product_code, place, title, barcode) order by sku
        on conflict (sku) do update set place = excluded.place, title = excluded.title, barcode = excluded.barcode
            where variants.product_code = excluded.product_code
        returning 1
        """,
        [variant.sku for variant, _, _ in rows],
        [code for _, code, _ in rows],
        [place for _, _, place in rows],
        [variant.title for variant, _, _ in rows],
        [variant.barcode for variant, _, _ in rows],
    )
    if len(written) < len(products) + len(rows):
        raise Collided("another transaction made a product or a SKU of this one")


async def keep_variants(tx: Transaction, skus: Collection[str]) -> set[str]:
    """Keep SKUs from being deleted until the commit; give those that exist."""
    rows = await tx.fetch(
        "select sku from variants where sku = any($1::text[]) order by sku for key share", sorted(skus)
    )
    return {row["sku"] for row in rows}


async def lock_variants(tx: Transaction, skus: Collection[str]) -> None:
    """Lock variants that are to go, sorted by SKU: nobody maps an offer to them meanwhile."""
    await tx.fetch("select 1 from variants where sku = any($1::text[]) order by sku for update", sorted(skus))


async def used_skus(tx: Transaction, skus: Collection[str]) -> set[str]:
    """Tell which SKUs are listed somewhere, or ordered."""
    rows = await tx.fetch(
        """
        select sku from listings where sku = any($1::text[])
        union select sku from reservations where sku = any($1::text[])
        """,
        sorted(skus),
    )
    return {row["sku"] for row in rows}


async def delete_variants(tx: Transaction, skus: Collection[str]) -> None:
    """Delete variants whose stock is gone already."""
    await tx.execute("delete from variants where sku = any($1::text[])", sorted(skus))
