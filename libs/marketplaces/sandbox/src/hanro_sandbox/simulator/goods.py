"""Keeps listings, images and stock as sellers put them; what nobody stocked has no units."""

from hanro_sandbox.simulator.shops import Shop
from hanro_sandbox.simulator.wire import Tree, entries, listed
from hanro_sandbox.simulator.writing import DONE, EntryRefused

MOST = 100
MOST_UNITS = 99_999
CATEGORIES: tuple[Tree, ...] = (
    {"id": "food", "parent": None, "ja": "食品", "en": "Food", "is_leaf": False},
    {"id": "tea", "parent": "food", "ja": "お茶", "en": "Tea", "is_leaf": True},
    {"id": "clothes", "parent": None, "ja": "衣料品", "en": "Clothes", "is_leaf": True},
)


def put_listings(shop: Shop, body: Tree) -> tuple[Tree, bool]:
    """Put whole listings in the place of what stands; one that `is_new` never replaces another."""
    results = []
    for entry in entries(body, "listings", MOST):
        try:
            results.append(_put_listing(shop, entry))
        except EntryRefused as refused:
            results.append(refused.result)
    return {"results": results}, any(one["result"] == "done" for one in results)


def _put_listing(shop: Shop, entry: Tree) -> Tree:
    key, listing = str(entry.get("key") or ""), entry.get("listing")
    if not key or not isinstance(listing, dict):
        raise EntryRefused("malformed", "key と listing が必要です。")
    known = shop.listings.get(key)
    if entry.get("is_new") and known is not None:
        raise EntryRefused("already_exists", "この商品管理番号は使われています。")
    if listing.get("category") not in {one["id"] for one in CATEGORIES if one["is_leaf"]}:
        raise EntryRefused("unknown_category", "カテゴリーが正しくありません。")
    if listing.get("sale") == "deleted":
        shop.listings.pop(key, None)
        shop.stock = {offer: units for offer, units in shop.stock.items() if not offer.startswith(f"{key}/")}
    else:
        shop.listings[key] = {"id": (known or {}).get("id") or f"listing-{key}", "key": key, **listing}
    return {**DONE, "id": f"listing-{key}"}


def get_listings(shop: Shop, body: Tree) -> Tree:
    """Show listings by either key."""
    keys = listed(body, "keys", MOST)
    return {
        "listings": [_shown(shop, one) for one in shop.listings.values() if one["key"] in keys or one["id"] in keys]
    }


def search_listings(shop: Shop, body: Tree) -> Tree:
    """Show all listings by key, behind `after`."""
    after = str(body.get("after") or "")
    rest = [shop.listings[key] for key in sorted(shop.listings) if key > after]
    shown = rest[:MOST]
    return {
        "listings": [_shown(shop, one) for one in shown],
        "next": shown[-1]["key"] if len(rest) > len(shown) else None,
    }


def _shown(shop: Shop, listing: Tree) -> Tree:
    units = {
        offer.partition("/")[2]: count for offer, count in shop.stock.items() if offer.startswith(listing["key"] + "/")
    }
    return {**listing, "units": units}


def put_images(shop: Shop, body: Tree) -> tuple[Tree, bool]:
    """Keep images by their digest; the same one again is the same place."""
    results, has_effect = [], False
    for entry in entries(body, "images", MOST):
        has_effect = has_effect or entry.get("sha256") not in shop.images
        shop.images[str(entry.get("sha256"))] = {"name": entry.get("name"), "type": entry.get("type")}
        results.append({**DONE, "location": f"/images/{entry.get('sha256')}"})
    return {"results": results}, has_effect


def get_categories(body: Tree) -> Tree:
    """Show the children of a category; of a leaf its attributes."""
    parent = body.get("parent")
    return {
        "categories": [one for one in CATEGORIES if one["parent"] == parent],
        "attributes": [{"id": "material", "name": "素材", "values": ["綿", "茶葉"]}],
    }


def put_stock(shop: Shop, body: Tree) -> tuple[Tree, bool]:
    """Set absolute numbers of units."""
    results = []
    for entry in entries(body, "offers", MOST):
        listing, variant, units = entry.get("listing"), entry.get("variant") or "", entry.get("quantity")
        if listing not in shop.listings:
            results.append({"result": "refused", "code": "unknown_listing", "message": "商品が見つかりません。"})
        elif not isinstance(units, int) or not 0 <= units <= MOST_UNITS:
            results.append({"result": "refused", "code": "malformed", "message": "数量が正しくありません。"})
        else:
            shop.stock[f"{listing}/{variant}"] = units
            results.append(DONE)
    return {"results": results}, any(one["result"] == "done" for one in results)


def get_stock(shop: Shop, body: Tree) -> Tree:
    """Show how many units offers have; those of no listing are left out."""
    found = []
    for entry in entries(body, "offers", MOST):
        listing, variant = entry.get("listing"), entry.get("variant") or ""
        if listing in shop.listings:
            found.append(
                {"listing": listing, "variant": variant, "quantity": shop.stock.get(f"{listing}/{variant}", 0)}
            )
    return {"offers": found}
