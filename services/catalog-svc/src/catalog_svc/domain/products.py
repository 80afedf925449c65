"""Says what a product and its variants are, and which changes of them are refused."""

from dataclasses import dataclass

from hanro.errors import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Be one thing that is sold: `sku` is its key everywhere; `barcode` None: it has none."""

    sku: str
    title: str
    barcode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Be what a seller sells in one or several variants, in the seller's order; never without one."""

    code: str
    title: str
    variants: tuple[Variant, ...]
    version: int = 0


def same_content(one: Product, other: Product) -> bool:
    """Tell whether two restatements say the same, whatever their version."""
    return (one.title, one.variants) == (other.title, other.variants)


def check_variants(product: Product) -> None:
    """Refuse a SKU that stands twice.

    Raises:
        Rejected: code "already-exists", with the place of the second one.
    """
    seen: set[str] = set()
    for place, variant in enumerate(product.variants):
        if variant.sku in seen:
            raise Rejected(
                f"SKU {variant.sku} stands twice in this product", code="already-exists", field=f"/variants/{place}/sku"
            )
        seen.add(variant.sku)
