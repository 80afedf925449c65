"""Writes a listing as the protocol has it, and reads it back; pure. Source: README, Listings."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from hanro.marketplace.types import (
    Amount,
    Attribute,
    Image,
    ListingChange,
    ListingDraft,
    ListingRef,
    OfferRef,
    SaleStatus,
    SeenListing,
    SeenOffer,
    Variant,
)
from hanro.money import Money
from hanro_sandbox.declared.keys import LISTING, VARIANT
from hanro_sandbox.fields import CURRENCY

Tree = Mapping[str, Any]


def write_listing(draft: ListingDraft) -> dict[str, object]:
    """Write a whole draft."""
    return {
        "sale": draft.sale.value,
        "texts": dict(draft.texts),
        "category": draft.category_id,
        "brand": draft.brand_id,
        "shop_categories": list(draft.shop_category_ids),
        "images": [_image(image) for image in draft.images],
        "axes": [[name, list(choices)] for name, choices in draft.axes],
        "attributes": [_attribute(one) for one in draft.attributes],
        "variants": [_variant(one) for one in draft.variants],
        "tax_rate": None if draft.tax_rate is None else str(draft.tax_rate),
        "settings": dict(draft.settings),
    }


def entry_of(change: ListingChange) -> dict[str, object]:
    """Write a change as an entry: the whole listing as it is wanted; a creation never replaces what stands."""
    return {
        "key": change.wanted.ref.seller_key,
        "is_new": change.acknowledged is None,
        "listing": write_listing(change.wanted),
    }


def read_listing(tree: Tree, seen_at: datetime, *, is_whole: bool) -> SeenListing:
    """Read a listing; with its draft where it is asked whole.

    Raises:
        ValueError: it is not as documented.
    """
    try:
        ref = ListingRef(seller_key=tree["key"], external_id=tree["id"])
        variants, units = [_read_variant(one) for one in tree["variants"]], tree["units"]
        offers = tuple(_offer(ref, one, int(units.get(one.key or "", 0))) for one in variants)
        return SeenListing(
            ref=ref,
            sale=SaleStatus(tree["sale"]),
            status_text=tree["sale"],
            title=tree["texts"].get("title"),
            keys=MappingProxyType({LISTING: ref.seller_key}),
            offers=offers,
            seen_at=seen_at,
            draft=_draft(tree, ref, variants) if is_whole else None,
        )
    except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise ValueError(f"a listing is not as documented: {type(error).__name__}") from None


def _draft(tree: Tree, ref: ListingRef, variants: Sequence[Variant]) -> ListingDraft:
    return ListingDraft(
        ref=ref,
        sale=SaleStatus(tree["sale"]),
        texts=MappingProxyType(dict(tree["texts"])),
        category_id=tree["category"],
        brand_id=tree["brand"],
        shop_category_ids=tuple(tree["shop_categories"]),
        images=tuple(_read_image(one) for one in tree["images"]),
        axes=tuple((name, tuple(choices)) for name, choices in tree["axes"]),
        attributes=tuple(_read_attribute(one) for one in tree["attributes"]),
        variants=tuple(variants),
        tax_rate=None if tree["tax_rate"] is None else Decimal(tree["tax_rate"]),
        settings=MappingProxyType(dict(tree["settings"])),
    )


def _offer(ref: ListingRef, variant: Variant, units: int) -> SeenOffer:
    return SeenOffer(
        ref=OfferRef(listing=ref, variant_key=variant.key, options=variant.options),
        keys=MappingProxyType({LISTING: ref.seller_key, VARIANT: variant.key or ""}),
        price=Amount(text=str(variant.price.amount), money=variant.price),
        quantity=units,
        is_hidden=variant.is_hidden,
    )


def _variant(variant: Variant) -> dict[str, object]:
    return {
        "key": variant.key,
        "sku": variant.sku,
        "options": [list(one) for one in variant.options],
        "price": int(variant.price.amount),
        "list_price": None if variant.list_price is None else int(variant.list_price.amount),
        "barcode": variant.barcode,
        "attributes": [_attribute(one) for one in variant.attributes],
        "image": None if variant.image is None else _image(variant.image),
        "is_hidden": variant.is_hidden,
        "weight_grams": variant.weight_grams,
        "settings": dict(variant.settings),
    }


def _read_variant(tree: Tree) -> Variant:
    return Variant(
        key=tree["key"],
        sku=tree["sku"],
        options=tuple((name, choice) for name, choice in tree["options"]),
        price=_yen(tree["price"]),
        list_price=None if tree["list_price"] is None else _yen(tree["list_price"]),
        barcode=tree["barcode"],
        attributes=tuple(_read_attribute(one) for one in tree["attributes"]),
        image=None if tree["image"] is None else _read_image(tree["image"]),
        is_hidden=tree["is_hidden"],
        weight_grams=tree["weight_grams"],
        settings=MappingProxyType(dict(tree["settings"])),
    )


def _yen(number: int) -> Money:
    return Money(Decimal(number), CURRENCY)


def _image(image: Image) -> dict[str, object]:
    return {"url": image.url, "sha256": image.sha256, "alt": image.alt, "location": image.location}


def _read_image(tree: Tree) -> Image:
    return Image(url=tree["url"], sha256=tree["sha256"], alt=tree["alt"], location=tree["location"])


def _attribute(one: Attribute) -> dict[str, object]:
    return {"id": one.id, "name": one.name, "values": list(one.values), "unit": one.unit}


def _read_attribute(tree: Tree) -> Attribute:
    return Attribute(id=tree["id"], name=tree["name"], values=tuple(tree["values"]), unit=tree["unit"])
