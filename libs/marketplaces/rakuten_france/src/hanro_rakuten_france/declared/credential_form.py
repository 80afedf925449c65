"""Describes what a seller enters to link a shop, and how a wrong entry is told."""

from hanro.errors import LocalizedText
from hanro.marketplace.forms import FULL_WIDTH, PADDED
from hanro.marketplace.types import CredentialForm, FieldKind, FormField, LengthUnit, Registration, TextRule
from hanro_rakuten_france.declared.words import BANNER, DEVELOPER, both

LOGIN = "login"
TOKEN = "token"  # noqa: S105  the field's name
SHIPS_FROM_COUNTRY = "ships_from_country"

# The numeric codes that acceptsale takes; France is the retired 249, 250 is refused: rakuten-france 4.4 [2+].
_COUNTRIES: tuple[tuple[str, LocalizedText], ...] = (
    ("249", both("フランス", "France")),
    ("56", both("ベルギー", "Belgium")),
    ("156", both("中国", "China")),
    ("276", both("ドイツ", "Germany")),
    ("344", both("香港", "Hong Kong")),
    ("380", both("イタリア", "Italy")),
    ("392", both("日本", "Japan")),
    ("528", both("オランダ", "Netherlands")),
    ("724", both("スペイン", "Spain")),
    ("826", both("イギリス", "United Kingdom")),
)

_FIELDS = (
    FormField(
        name=LOGIN,
        label=both("ログイン", "login"),
        kind=FieldKind.TEXT,
        # The account name goes into a query string of ISO-8859-1: rakuten-france 1.2.
        rule=TextRule(
            max_length=100, unit=LengthUnit.CHARACTERS, charset="iso-8859-1", pattern=r"[^\s@]+(?: [^\s@]+)*"
        ),
        help=both(
            "Rakuten のアカウント名です。画面上部のユーザーバナーに表示されます。",
            "the name of your Rakuten account; you find it in your user banner",
        ),
        note=both(
            "ログインに使うメールアドレスではありません。",
            "not the e-mail that is used to log in: Rakuten does not accept it",
        ),
        wrong=(
            *PADDED,
            # First of the rest: whoever types an address is told so, in whatever width.
            (
                "[@\uff20]",
                both(
                    "メールアドレスは使えません。ユーザーバナーに表示されるアカウント名を入力してください。",
                    "an e-mail is not accepted here; enter the account name that the user banner shows",
                ),
            ),
            *FULL_WIDTH,
        ),
        where=BANNER,
    ),
    FormField(
        name=TOKEN,
        label=both("トークン", "token"),
        kind=FieldKind.PASSWORD,
        rule=TextRule(max_length=256, unit=LengthUnit.CHARACTERS, charset="ascii", pattern=r"[!-~]{8,}"),
        help=both(
            "「Mon compte」の「Mes informations développeur」に表示される API トークンをコピーしてください。",
            "copy the API token from Mes informations développeur in Mon compte",
        ),
        note=both("サイトのログインパスワードではありません。", "not the password of the web site"),
        is_secret=True,
        wrong=(*PADDED, *FULL_WIDTH),
        where=DEVELOPER,
    ),
    FormField(
        name=SHIPS_FROM_COUNTRY,
        label=both("発送元の国", "country that goods ship from"),
        kind=FieldKind.CHOICE,
        rule=TextRule(max_length=3, unit=LengthUnit.CHARACTERS, charset="ascii", pattern=r"[0-9]{2,3}"),
        help=both(
            "注文を受け付けるときに Rakuten へ伝える、倉庫のある国です。",
            "where your warehouse is; Rakuten is told when a sale is accepted",
        ),
        section="shipping",
        choices=_COUNTRIES,
        wrong=(
            *PADDED,
            *FULL_WIDTH,
            (
                "^250$",
                both("フランスは 249 です（250 は拒否されます）。", "France is 249 here; 250 is refused"),
            ),
        ),
    ),
)

CREDENTIAL_FORM = CredentialForm(
    fields=_FIELDS,
    registrations=(
        Registration(
            id="professional_account",
            label=both("プロフェッショナルアカウント", "professional account"),
            field_names=(LOGIN, TOKEN, SHIPS_FROM_COUNTRY),
        ),
    ),
)
