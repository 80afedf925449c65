"""Lists the functions of items, stock, genres, shop categories and images. Source: rakuten-ichiba-catalog 2 to 6.

What a DELETE lacks cannot be a key: it names what cannot exist, a manageNumber that is longer than any may be (1.3).
The tree of a category set is never asked with a set that exists: an empty body would delete it (5.1).
"""

from collections.abc import Mapping

from hanro.errors import LocalizedText
from hanro_rakuten_ichiba.functions.function import Family, Function, Question

# Longer than 32 bytes: no item has it, and none can be made with it (1.3 [2+], 3.4).
_NO_ITEM = "hanro-asks-only-whether-it-may-call-this"
_NO_SET = "hanro-asks-only"
_NO_CATEGORY = "0"
_NOTHING: Mapping[str, object] = {}
_ITEM = "/es/2.0/items/manage-numbers/{manage_number}"
_SETTINGS = "/es/2.0/items/inventory-related-settings/manage-numbers/{manage_number}"
_STOCK = "/es/2.0/inventories"
_VARIANT = f"{_STOCK}/manage-numbers/{{manage_number}}/variants/{{variant_id}}"
_GENRES = "/es/2.0/navigation/genres/{genre_id}"
_CATEGORIES = "/es/2.0/categories/"
_CATEGORY = f"{_CATEGORIES}shop-categories/category-ids/{{category_id}}"
_TREE = f"{_CATEGORIES}shop-category-trees/category-set-ids/{{category_set_id}}"
_MAPPING = f"{_CATEGORIES}item-mappings/manage-numbers/{{manage_number}}"
_PAIR = {"inventories": [{"manageNumber": _NO_ITEM[:32], "variantId": "none"}]}
_FILLED = {
    "manage_number": _NO_ITEM, "variant_id": "none", "genre_id": "0", "attribute_id": "0",
    "category_id": _NO_CATEGORY, "category_set_id": _NO_SET,
}  # fmt: skip
_FIRST_PAGE = (("offset", "1"), ("limit", "1"))


def _json(
    name: str,
    ja: str,
    en: str,
    call: tuple[str, str, str],
    *,
    query: tuple[tuple[str, str], ...] = (),
    body: Mapping[str, object] | None = None,
    shows: tuple[str, ...] = (),
    is_write: bool = False,
) -> Function:
    """Describe a function of a JSON service; `call` is method, path, group."""
    method, path, group = call
    return Function(
        name=name,
        method=method,
        path=path,
        grant_id=name,
        group=group,
        family=Family.NAVIGATION if group == "navigation" else Family.ITEMS,
        label=LocalizedText(ja=f"{ja} ({name})", en=f"{en} ({name})"),
        question=Question(path=path.format(**_FILLED), query=query, body=body, shows=shows),
        is_write=is_write,
    )


def _write(name: str, ja: str, en: str, call: tuple[str, str, str]) -> Function:
    """Describe a write: without any key it must be refused, GE0011 (2.4 [2+], 3.4)."""
    return _json(name, ja, en, call, body=None if call[0] == "DELETE" else _NOTHING, is_write=True)


def _cabinet(name: str, ja: str, en: str, *, query: tuple[tuple[str, str], ...] = (), request: str = "") -> Function:
    """Describe a function of R-Cabinet; one with a `request` is a write, which lacks its keys: 3001 (6.4 [2+])."""
    path = f"/es/1.0/cabinet/{name.replace('.', '/')}"
    xml = f'<?xml version="1.0" encoding="UTF-8"?><request><{request}/></request>' if request else ""
    return Function(
        name=f"cabinet.{name}",
        method="POST" if request else "GET",
        path=path,
        grant_id=f"cabinet.{name}",
        group="cabinet",
        family=Family.CABINET,
        label=LocalizedText(ja=f"{ja} (cabinet.{name})", en=f"{en} (cabinet.{name})"),
        question=Question(path=path, query=query, xml=xml),
        is_write=bool(request),
    )


_ITEMS = (
    _json("items.get", "商品情報取得", "read items", ("GET", _ITEM, "items_read"), shows=("manageNumber",)),
    _write("items.upsert", "商品情報登録・更新", "make and replace items", ("PUT", _ITEM, "items_write")),
    _write("items.patch", "商品情報部分更新", "change items", ("PATCH", _ITEM, "items_write")),
    _json(
        "items.search",
        "商品検索",
        "find items",
        ("GET", "/es/2.0/items/search", "items_write"),
        query=(("hits", "1"),),
        shows=("numFound", "results"),
    ),
    _write("items.delete", "商品情報削除", "delete items", ("DELETE", _ITEM, "items_write")),
    _json(
        "items.bulk.get",
        "商品情報一括取得",
        "read many items",
        ("POST", "/es/2.0/items/bulk-get", "items_write"),
        body={"manageNumbers": [_NO_ITEM[:32]]},
        shows=("results",),
    ),
    _json(
        "items.inventory-related-settings.get",
        "在庫関連設定取得",
        "read stock settings",
        ("GET", _SETTINGS, "items_write"),
        shows=("variants", "features"),
    ),
    _write(
        "items.inventory-related-settings.update",
        "在庫関連設定更新",
        "change stock settings",
        ("PUT", _SETTINGS, "items_write"),
    ),
)
_INVENTORIES = (
    _write(
        "inventories.bulk.upsert",
        "在庫一括登録・更新",
        "set stock",
        ("POST", f"{_STOCK}/bulk-upsert", "inventory_write"),
    ),
    _json(
        "inventories.bulk.get",
        "在庫一括取得",
        "read stock",
        ("POST", f"{_STOCK}/bulk-get", "inventory_read"),
        body=_PAIR,
        shows=("inventories",),
    ),
    _json(
        "inventories.bulk.get.range",
        "在庫数による一括取得",
        "read stock by quantity",
        ("GET", f"{_STOCK}/bulk-get/range", "inventory_read"),
        query=(("minQuantity", "99999"), ("maxQuantity", "99999")),
        shows=("inventories",),
    ),
    _json(
        "inventories.variants.get",
        "SKU在庫取得",
        "read the stock of one SKU",
        ("GET", _VARIANT, "inventory_write"),
        shows=("quantity",),
    ),
    _write(
        "inventories.variants.upsert",
        "SKU在庫登録・更新",
        "set the stock of one SKU",
        ("PUT", _VARIANT, "inventory_write"),
    ),
    _write(
        "inventories.variants.delete",
        "SKU在庫削除",
        "delete the stock of one SKU",
        ("DELETE", _VARIANT, "inventory_write"),
    ),
    _json(
        "inventories.variant-lists.get",
        "在庫SKU一覧取得",
        "list the SKUs that have stock",
        ("GET", "/es/2.1/inventories/variant-lists/manage-numbers/{manage_number}", "inventory_write"),
        shows=("variantList",),
    ),
)
_NAVIGATION = (
    _json("navigation.genres.get", "ジャンル取得", "read genres", ("GET", _GENRES, "navigation"), shows=("genre",)),
    _json(
        "navigation.genres.attributes.get",
        "商品属性取得",
        "read attributes",
        ("GET", f"{_GENRES}/attributes", "navigation"),
        shows=("genre", "attributes"),
    ),
    _json(
        "navigation.genres.attributes.dictionaryValues.get",
        "商品属性の推奨値取得",
        "read attribute values",
        ("GET", f"{_GENRES}/attributes/{{attribute_id}}/dictionaryValues", "navigation"),
        shows=("genre", "attributes", "dictionaryValues"),
    ),
    _json(
        "navigation.version.get",
        "ジャンル版数取得",
        "read the version of genres",
        ("GET", "/es/2.0/navigation/version", "navigation"),
        shows=("version",),
    ),
)
_SHOP_CATEGORIES = (
    _write(
        "categories.item-mappings.upsert",
        "商品カテゴリ登録・更新",
        "place items in categories",
        ("PUT", _MAPPING, "category"),
    ),
    _json(
        "categories.category-set-lists.get",
        "カテゴリセット一覧取得",
        "list category sets",
        ("GET", f"{_CATEGORIES}shop-category-set-lists", "category"),
        shows=("categorySetKeyList", "categorySetList"),
    ),
    _json(
        "categories.category-trees.get",
        "カテゴリツリー取得",
        "read category trees",
        ("GET", _TREE, "category"),
        shows=("rootNode", "categorySetId"),
    ),
    _json(
        "categories.item-mappings.get",
        "商品カテゴリ取得",
        "read an item's categories",
        ("GET", _MAPPING, "category"),
        shows=("categoryIds", "categories"),
    ),
    _write(
        "categories.item-mappings.delete",
        "商品カテゴリ削除",
        "take items out of categories",
        ("DELETE", _MAPPING, "category"),
    ),
    _json(
        "categories.shop-categories.get",
        "表示先カテゴリ取得",
        "read categories",
        ("GET", _CATEGORY, "category"),
        shows=("categoryId", "title"),
    ),
    _write(
        "categories.shop-categories.insert",
        "表示先カテゴリ登録",
        "make categories",
        ("POST", f"{_CATEGORIES}shop-categories", "category"),
    ),
    _write(
        "categories.shop-categories.update", "表示先カテゴリ更新", "change categories", ("PUT", _CATEGORY, "category")
    ),
    _json(
        "categories.category-trees.upsert",
        "カテゴリツリー更新",
        "replace category trees",
        ("PUT", _TREE, "category"),
        body={"children": [{}]},
        is_write=True,
    ),
)
_CABINET = (
    _cabinet("folders.get", "R-Cabinetフォルダ一覧", "list image folders", query=_FIRST_PAGE),
    _cabinet("folder.insert", "R-Cabinetフォルダ作成", "make image folders", request="folderInsertRequest"),
    _cabinet("file.insert", "R-Cabinet画像登録", "upload images", request="fileInsertRequest"),
    _cabinet("usage.get", "R-Cabinet利用状況取得", "read how full R-Cabinet is"),
    _cabinet(
        "folder.files.get",
        "R-Cabinetフォルダ内画像一覧",
        "list a folder's images",
        query=(("folderId", "0"), *_FIRST_PAGE),
    ),
    _cabinet("files.search", "R-Cabinet画像検索", "find images", query=(("fileName", _NO_SET), *_FIRST_PAGE)),
    _cabinet("file.update", "R-Cabinet画像更新", "replace images", request="fileUpdateRequest"),
    _cabinet("file.delete", "R-Cabinet画像削除", "delete images", request="fileDeleteRequest"),
    _cabinet("trashbox.files.get", "R-Cabinet削除画像一覧", "list deleted images", query=_FIRST_PAGE),
    _cabinet("trashbox.file.revert", "R-Cabinet削除画像復元", "restore images", request="fileRevertRequest"),
)

CATALOGUE_FUNCTIONS = (*_ITEMS, *_INVENTORIES, *_NAVIGATION, *_SHOP_CATEGORIES, *_CABINET)
