"""Order files: the dossier's of today, and one of before 楽天ペイ, made up."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from hanro_rakuten_ichiba.mapping.files.columns import OLD_COLUMNS

PRESENT_TEXT = (Path(__file__).parent / "rms_orders.csv").read_text(encoding="utf-8")
"""rakuten-ichiba-orders 13."""

_OLD_ORDER = {
    "受注番号": "999001-20180511-0123456789",
    "受注ステータス": "発送待ち",
    "注文日時": "2018-05-11 10:15:30",
    "配送日": "2018-05-12",
    "お届け時間帯": "1820",
    "お届け日指定": "2018-05-14",
    "担当者": "出荷係",
    "ひとことメモ": "二個口",
    "メール差込文(お客様へのメッセージ)": "ありがとうございます。",
    "利用端末": "0",
    "メールキャリアコード": "0",
    "ギフトチェック（0:なし/1:あり）": "1",
    "コメント": "[配送日時指定:]\n2018-05-14(月)\n",
    "複数送付先フラグ": "1",
    "警告表示フラグ": "0",
    "楽天会員フラグ": "1",
    "合計": "9390",
    "送料(-99999=無効値)": "-99999",
    "代引料(-99999=無効値)": "0",
    "請求金額(-99999=無効値)": "-99999",
    "合計金額(-99999=無効値)": "-99999",
    "送付先一致フラグ": "0",
    "注文者郵便番号１": "100",
    "注文者郵便番号２": "0000",
    "注文者住所：都道府県": "東京都",
    "注文者住所：都市区": "架空区",
    "注文者住所：町以降": "見本町1-2-3",
    "注文者名字": "見本",
    "注文者名前": "花子",
    "注文者名字フリガナ": "ミホン",
    "注文者名前フリガナ": "ハナコ",
    "注文者電話番号１": "03",
    "注文者電話番号２": "0000",
    "注文者電話番号３": "0001",
    "メールアドレス": "hanako@example.invalid",
    "決済方法": "クレジットカード",
    "クレジットカード種類": "VISA",
    "配送方法": "宅配便",
    "配送区分": "1",
    "ポイント利用額": "300",
    "ラッピング名(包装紙)": "花柄包装紙",
    "ラッピング料金(包装紙)": "150",
    "税込別(包装紙)": "1",
    "送付先送料": "-99999",
    "送付先代引料": "0",
    "のし": "御祝",
    "送付先郵便番号１": "530",
    "送付先郵便番号２": "0000",
    "送付先住所：都道府県": "大阪府",
    "送付先住所：都市区": "架空市北区",
    "送付先名字": "試験",
    "送付先名前": "太郎",
    "送付先電話番号１": "06",
    "送付先電話番号２": "0000",
    "送付先電話番号３": "0002",
    "クーポン利用額": "600",
    "店舗発行クーポン利用額": "500",
    "楽天発行クーポン利用額": "100",
    "配送会社": "ヤマト運輸",
    "あす楽希望": "0",
    "薬事フラグ": "0",
    "楽天スーパーDEAL": "0",
    "メンバーシッププログラム": "0",
}
_OLD_LINES: Sequence[Mapping[str, str]] = (
    {
        "送付先住所：町以降": "試験町4-5-6",
        "お荷物伝票番号": "000000000011",
        "送付先商品合計金額": "7960",
        "商品ID": "10000119",
        "商品名": "見本タオル",
        "商品番号": "towel",
        "単価": "3980",
        "個数": "2",
        "送料込別": "0",
        "税込別": "1",
        "代引手数料込別": "0",
        "項目・選択肢": "サイズ:M\nカラー:ホワイト",
        "ポイント倍率": "1",
        "納期情報": "1～2日以内に発送予定",
        "在庫タイプ": "2",
    },
    {
        "送付先住所：町以降": "別の町7-8-9",
        "送付先商品合計金額": "1080",
        "商品ID": "10000120",
        "商品名": "見本クッキー",
        "商品番号": "cookie12",
        "単価": "1080",
        "個数": "1",
        "送料込別": "0",
        "税込別": "1",
        "代引手数料込別": "0",
        "在庫タイプ": "1",
    },
)


def write(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> str:
    """Write a file as RMS does: all cells quoted, CRLF between rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def rows_of(text: str) -> list[dict[str, str]]:
    """Read a file's rows to change them."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


OLD_TEXT = write([_OLD_ORDER | dict(line) for line in _OLD_LINES], OLD_COLUMNS)
