"""Describes the letter by which a seller asks the developer to apply for the API (楽天API利用申請).

Source: seed 003 lines 10 to 42.
"""

from hanro.marketplace.forms import PADDED
from hanro.marketplace.types import ApplicationSheet, FieldKind, FormField, LengthUnit, TextRule
from hanro_rakuten_ichiba.declared.words import MASKED, both

_CONTROLS = r"[\x00-\x1f\x7f\u2028\u2029]"


def _text(max_length: int) -> TextRule:
    return TextRule(max_length=max_length, unit=LengthUnit.CHARACTERS, charset="utf-8", refused=_CONTROLS)


def _ascii(max_length: int, pattern: str) -> TextRule:
    return TextRule(max_length=max_length, unit=LengthUnit.CHARACTERS, charset="ascii", pattern=pattern)


SHEET = ApplicationSheet(
    fields=(
        FormField(
            name="company",
            label=both("顧客社名", "company"),
            kind=FieldKind.TEXT,
            rule=_text(200),
            help=both("契約している会社の名前です。", "the name of the company that has the contract"),
            section="sheet",
            wrong=PADDED,
        ),
        FormField(
            name="shop",
            label=both("店舗名", "shop"),
            kind=FieldKind.TEXT,
            rule=_text(200),
            help=both("楽天市場での店舗名です。", "the shop's name at Rakuten Ichiba"),
            section="sheet",
            wrong=PADDED,
        ),
        FormField(
            name="uses_pay",
            label=both("楽天ペイ利用", "uses Rakuten Pay"),
            kind=FieldKind.CHOICE,
            rule=_text(10),
            help=both("楽天ペイを利用しているかどうかです。", "whether the shop takes Rakuten Pay"),
            section="sheet",
            choices=(("あり", both("あり", "yes")), ("なし", both("なし", "no"))),
            wrong=PADDED,
        ),
        FormField(
            name="shop_url",
            label=both("店舗URL", "shop URL"),
            kind=FieldKind.TEXT,
            rule=_ascii(500, r"https?://[A-Za-z0-9.-]+\.[A-Za-z]{2,}(?::[0-9]{1,5})?(?:/[!-~]*)?"),
            help=both("店舗トップページのアドレスです。", "the address of the shop's first page"),
            section="sheet",
            wrong=PADDED,
        ),
        FormField(
            name="contact_mail",
            label=both("店舗連絡先メールアドレス", "the shop's contact address"),
            kind=FieldKind.EMAIL,
            rule=_ascii(254, r"[^@\s]+@[^@\s]+\.[^@\s]+"),
            help=both("楽天からのメールが届くアドレスです。", "where Rakuten's mails arrive"),
            note=both("マスクアドレス（○○○@shop.rakuten.co.jp）不可", "not a masked address (…@shop.rakuten.co.jp)"),
            section="sheet",
            wrong=(
                *PADDED,
                (
                    MASKED,
                    both(
                        "マスクアドレスは使えません。実際に受信できるアドレスを入力してください。",
                        "a masked address cannot be used; enter one that receives mail by itself",
                    ),
                ),
            ),
        ),
        FormField(
            name="phone",
            label=both("担当者連絡先電話番号", "telephone of the person in charge"),
            kind=FieldKind.TEXT,
            rule=_ascii(20, r"\+?[0-9][0-9()-]{8,18}"),
            help=both("市外局番からの番号です。", "the number with its area code"),
            section="sheet",
            wrong=PADDED,
        ),
        FormField(
            name="person",
            label=both("店舗担当者名", "person in charge"),
            kind=FieldKind.TEXT,
            rule=_text(100),
            help=both("申請について連絡できる方の名前です。", "who can be asked about the application"),
            section="sheet",
            wrong=PADDED,
        ),
    ),
    recipient="{developer_mail}",
    subject="楽天API利用申請",
    body=(
        "・顧客社名:{company}\n"
        "・店舗名:{shop}\n"
        "・楽天ペイ利用:{uses_pay}\n"
        "・店舗URL:{shop_url}\n"
        "・店舗連絡先メールアドレス:{contact_mail}\n"
        "・担当者連絡先電話番号:{phone}\n"
        "・店舗担当者名:{person}\n"
    ),
)
