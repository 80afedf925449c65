"""Reads the order file of before 楽天ペイ, about 2019: full-width digits in names, -99999 for what is not set."""

from dataclasses import replace
from datetime import date
from typing import Any

from hanro.marketplace import find_carrier
from hanro.marketplace.types import CsvRow, Parcel, SeenOrder
from hanro_rakuten_ichiba.declared.carriers import CARRIERS
from hanro_rakuten_ichiba.mapping.files.cells import (
    day,
    flag,
    key,
    moment,
    number,
    old_amount,
    split_numbers,
    text,
)
from hanro_rakuten_ichiba.mapping.files.trees import Builder, Columns

KEY = "受注番号"
# What the old RMS called its own states; shops could name more, which no list holds [?].
_STATES = {
    "新規受付": "100",
    "自動処理中": "200",
    "発送前入金待ち": "200",
    "発送待ち": "300",
    "保留": "400",
    "発送後入金待ち": "500",
    "処理済": "700",
    "処理済み": "700",
    "キャンセル": "900",
}


def state(cell: str) -> str | None:
    """Give the present code of an old state; a code stays, an unknown word is none of the documented states."""
    found = cell.strip()
    return _STATES.get(found) or (found if found.isascii() and found.isdecimal() else "0")


ORDER: Columns = {
    "orderNumber": (KEY, text),
    "orderProgress": ("受注ステータス", state),
    "orderDatetime": ("注文日時", moment),
    "shippingTerm": ("お届け時間帯", text),
    "deliveryDate": ("お届け日指定", day),
    "operator": ("担当者", text),
    "memo": ("ひとことメモ", text),
    "mailPlugSentence": ("メール差込文(お客様へのメッセージ)", text),
    "remarks": ("コメント", text),
    "giftCheckFlag": ("ギフトチェック（0:なし/1:あり）", flag),
    "carrierCode": ("利用端末", text),
    "emailCarrierCode": ("メールキャリアコード", text),
    "severalSenderFlag": ("複数送付先フラグ", flag),
    "equalSenderFlag": ("送付先一致フラグ", flag),
    "cautionDisplayType": ("警告表示フラグ", text),
    "rakutenMemberFlag": ("楽天会員フラグ", flag),
    "goodsPrice": ("合計", old_amount),
    "postagePrice": ("送料(-99999=無効値)", old_amount),
    "deliveryPrice": ("代引料(-99999=無効値)", old_amount),
    "requestPrice": ("請求金額(-99999=無効値)", old_amount),
    "totalPrice": ("合計金額(-99999=無効値)", old_amount),
    "couponAllTotalPrice": ("クーポン利用額", old_amount),
    "couponShopPrice": ("店舗発行クーポン利用額", old_amount),
    "couponOtherPrice": ("楽天発行クーポン利用額", old_amount),
    "asurakuFlag": ("あす楽希望", text),
    "drugFlag": ("薬事フラグ", text),
    "dealFlag": ("楽天スーパーDEAL", text),
    "membershipType": ("メンバーシッププログラム", text),
}
PACKAGE: Columns = {
    "postagePrice": ("送付先送料", old_amount),
    "deliveryPrice": ("送付先代引料", old_amount),
    "goodsPrice": ("送付先商品合計金額", old_amount),
    "noshi": ("のし", text),
}
ITEM: Columns = {
    "itemId": ("商品ID", number),
    "itemName": ("商品名", text),
    "itemNumber": ("商品番号", text),
    "price": ("単価", number),
    "units": ("個数", key),
    "includePostageFlag": ("送料込別", flag),
    "includeTaxFlag": ("税込別", flag),
    "includeCashOnDeliveryPostageFlag": ("代引手数料込別", flag),
    "selectedChoice": ("項目・選択肢", text),
    "pointRate": ("ポイント倍率", text),
    "pointType": ("ポイントタイプ", text),
    "delvdateInfo": ("納期情報", text),
    "inventoryType": ("在庫タイプ", text),
}
PARCEL = ("お荷物伝票番号", "配送会社", "配送日")
_SENDER = tuple(
    f"送付先{part}" for part in ("郵便番号１", "郵便番号２", "住所：都道府県", "住所：都市区", "住所：町以降")
)
_SENDER += tuple(f"送付先{part}" for part in ("名字", "名前", "電話番号１", "電話番号２", "電話番号３"))
_WRAPPINGS = {"1": "包装紙", "2": "リボン"}


def read_old(rows: tuple[CsvRow, ...]) -> SeenOrder:
    """Read the rows of one order; destinations have no ids there and are counted from 1.

    So are lines without a レコードナンバー, which is taken for their id [?].
    What the file calls the number and the carrier of a destination's parcel comes as one parcel.

    Raises:
        Rejected: cell-malformed, unknown-status.

    Source: rakuten-ichiba-orders 13 [2+], states [?].
    """
    builder, first = Builder(rows), rows[0]
    tree = builder.model("", first, ORDER)
    packages, parcels = _packages(builder, rows)
    tree |= {
        "OrdererModel": _person(builder, "/OrdererModel", first, "注文者")
        | {"emailAddress": builder.cell(first, "メールアドレス", text)},
        "SettlementModel": {
            "settlementMethod": builder.cell(first, "決済方法", text),
            "cardName": builder.cell(first, "クレジットカード種類", text),
        },
        "DeliveryModel": builder.model(
            "/DeliveryModel", first, {"deliveryName": ("配送方法", text), "deliveryClass": ("配送区分", text)}
        ),
        "PointModel": {"usedPoint": builder.cell(first, "ポイント利用額", old_amount) or "0"},
        **{f"WrappingModel{place}": _wrapping(builder, first, place) for place in _WRAPPINGS},
        "PackageModelList": packages,
        "CouponModelList": [
            {"couponCapitalCode": capital, "couponTotalPrice": tree[member]}
            for member, capital in (("couponShopPrice", "1"), ("couponOtherPrice", "3"))
            if (tree[member] or "0") != "0"
        ],
    }
    seen = builder.see(tree, KEY, ("orderDatetime",))
    return replace(
        seen,
        packages=tuple(
            replace(package, parcels=(parcel,)) if parcel is not None else package
            for package, parcel in zip(seen.packages, parcels, strict=True)
        ),
    )


def _packages(builder: Builder, rows: tuple[CsvRow, ...]) -> tuple[list[dict[str, Any]], list[Parcel | None]]:
    packages: dict[tuple[str, ...], dict[str, Any]] = {}
    parcels: list[Parcel | None] = []
    for line, row in enumerate(rows, start=1):
        goal = tuple(row.cells.get(column, "") for column in _SENDER)
        if goal not in packages:
            pointer = f"/PackageModelList/{len(packages)}"
            packages[goal] = {
                **builder.model(pointer, row, PACKAGE),
                "basketId": str(len(packages) + 1),
                "SenderModel": _person(builder, f"{pointer}/SenderModel", row, "送付先"),
                "ItemModelList": [],
            }
            parcels.append(_parcel(builder, row))
        items = packages[goal]["ItemModelList"]
        pointer = f"/PackageModelList/{list(packages).index(goal)}/ItemModelList/{len(items)}"
        item_id = builder.cell(row, "レコードナンバー", key) or str(line)
        items.append({**builder.model(pointer, row, ITEM), "itemDetailId": item_id})
    return list(packages.values()), parcels


def _parcel(builder: Builder, row: CsvRow) -> Parcel | None:
    found, carrier = (builder.cell(row, column, text) for column in PARCEL[:2])
    shipped_on = builder.cell(row, PARCEL[2], day)
    if not found:
        return None
    known = find_carrier(CARRIERS, carrier or "")
    return Parcel(
        external_id=None,
        carrier_code=None if known is None else known.code,
        carrier_text=carrier or "",
        number=found,
        shipped_on=None if shipped_on is None else date.fromisoformat(shipped_on),
    )


def _person(builder: Builder, pointer: str, row: CsvRow, who: str) -> dict[str, Any]:
    found = builder.model(
        pointer,
        row,
        {
            "prefecture": (f"{who}住所：都道府県", text),
            "city": (f"{who}住所：都市区", text),
            "subAddress": (f"{who}住所：町以降", text),
            "familyName": (f"{who}名字", text),
            "firstName": (f"{who}名前", text),
            "familyNameKana": (f"{who}名字フリガナ", text),
            "firstNameKana": (f"{who}名前フリガナ", text),
        },
    )
    return found | split_numbers(row.cells, who, places="１２３")


def _wrapping(builder: Builder, row: CsvRow, place: str) -> dict[str, Any] | None:
    kind = _WRAPPINGS[place]
    columns: Columns = {
        "name": (f"ラッピング名({kind})", text),
        "price": (f"ラッピング料金({kind})", old_amount),
        "includeTaxFlag": (f"税込別({kind})", flag),
    }
    found = builder.model(f"/WrappingModel{place}", row, columns)
    return {**found, "title": place} if found["name"] else None
