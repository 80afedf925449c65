"""Invents people: names, addresses and masked mail addresses that belong to nobody.

Zip codes end in 0000, phone numbers have 0000 in the middle and streets do not exist, as in rakuten-ichiba-orders 15.2.
"""

import random
from dataclasses import dataclass

_FAMILY_NAMES = (
    ("見本", "ミホン", "MIHON"),
    ("試験", "シケン", "SHIKEN"),
    ("架空", "カクウ", "KAKU"),
    ("仮名", "カメイ", "KAMEI"),
    ("例示", "レイジ", "REIJI"),
    ("模擬", "モギ", "MOGI"),
)
_FEMALE_NAMES = (("花子", "ハナコ", "HANAKO"), ("桜", "サクラ", "SAKURA"), ("すみれ", "スミレ", "SUMIRE"))
_MALE_NAMES = (("太郎", "タロウ", "TARO"), ("次郎", "ジロウ", "JIRO"), ("健", "ケン", "KEN"))

# cp932 traps: NEC and IBM extensions (①㈱髙﨑), characters whose second byte is 0x5C (表ソ能十申構), the wave dash that
# the code page cannot hold as U+301C, half-width kana.
_AWKWARD_FAMILY_NAMES = (
    ("髙見", "タカミ", "TAKAMI"),
    ("﨑本", "サキモト", "SAKIMOTO"),
    ("表能", "オモテノ", "OMOTENO"),
    ("十申", "ジュウシン", "JUSHIN"),
)
_AWKWARD_STREETS = (
    "見本町①-2-3 ㈱サンプル荘101",
    "試験町4〜6 ソ能ビル 表通り",
    "架空町7-8 ｻﾝﾌﾟﾙ荘202",
    "構内町Ⅲ番地 №7 髙層館",
)
_LONG_STREET = "見本町1-2-3 表ソ能①㈱髙〜ｻﾝﾌﾟﾙ荘"
STREET_CHARACTERS_MAX = 255

_PLACES = (
    ("100", "東京都", "架空区", "03"),
    ("530", "大阪府", "架空市北区", "06"),
    ("060", "北海道", "架空市中央区", "011"),
    ("460", "愛知県", "見本市中区", "052"),
    ("810", "福岡県", "試験市中央区", "092"),
    ("900", "沖縄県", "離島郡見本村", "098"),
)
_STREETS = ("見本町1-2-3 サンプル荘101", "試験町4-5-6", "例示町7-8", "仮町9-10-11 見本ハイツ305", "模擬町12")
_ISLAND_PREFECTURE = "沖縄県"

ADDRESS_KEYS = (
    "zipCode1",
    "zipCode2",
    "prefecture",
    "city",
    "subAddress",
    "familyName",
    "firstName",
    "familyNameKana",
    "firstNameKana",
    "phoneNumber1",
    "phoneNumber2",
    "phoneNumber3",
)
ORDERER_KEYS = (*ADDRESS_KEYS, "emailAddress", "sex", "birthYear", "birthMonth", "birthDay")


@dataclass(frozen=True)
class Person:
    """An invented person: `address` has ADDRESS_KEYS in their order, `latin_name` is the name on a card."""

    address: dict[str, object]
    latin_name: str
    sex: str


def invent_person(chance: random.Random, *, is_awkward: bool) -> Person:
    """Invent a person with an address; an awkward one carries characters that break careless cp932 code."""
    sex = chance.choice(("女", "男"))
    first_name, first_kana, first_latin = chance.choice(_FEMALE_NAMES if sex == "女" else _MALE_NAMES)
    family_name, family_kana, family_latin = chance.choice(_AWKWARD_FAMILY_NAMES if is_awkward else _FAMILY_NAMES)
    zip_code, prefecture, city, area_code = chance.choice(_PLACES)
    values = (
        zip_code,
        "0000",
        prefecture,
        city,
        _invent_street(chance, is_awkward=is_awkward),
        family_name,
        first_name,
        family_kana,
        first_kana,
        area_code,
        "0000",
        f"{chance.randrange(10_000):04d}",
    )
    address: dict[str, object] = dict(zip(ADDRESS_KEYS, values, strict=True))
    return Person(address=address, latin_name=f"{first_latin} {family_latin}", sex=sex)


def orderer_model(chance: random.Random, person: Person) -> dict[str, object]:
    """Return the OrdererModel of a person: the address, a fresh mask, and sex and birthday for most.

    Source: rakuten-ichiba-orders 5.3 [2+], masks 12 [wire].
    """
    mask = f"{chance.getrandbits(128):032x}s1@pc.fw.rakuten.ne.jp"
    tells_sex = chance.random() < 0.9  # noqa: PLR2004  a weight
    tells_birthday = chance.random() < 0.8  # noqa: PLR2004  a weight
    return {
        **person.address,
        "emailAddress": mask,
        "sex": person.sex if tells_sex else None,
        "birthYear": chance.randrange(1950, 2005) if tells_birthday else None,
        "birthMonth": chance.randrange(1, 13) if tells_birthday else None,
        "birthDay": chance.randrange(1, 29) if tells_birthday else None,
    }


def sender_model(orderer: dict[str, object]) -> dict[str, object]:
    """Return the SenderModel for an address: the address fields and the island flag. Source: 5.6 [2+]."""
    address = {key: orderer[key] for key in ADDRESS_KEYS}
    return {**address, "isolatedIslandFlag": int(orderer["prefecture"] == _ISLAND_PREFECTURE)}


def waiting_sender_model() -> dict[str, object]:
    """Return the SenderModel of a social gift before its receiver answered. Source: 5.6 [2+]."""
    waiting, waiting_kana = "入力待ち", "ニュウリョクマチ"
    values = ("999", "9999", waiting, waiting, waiting, waiting, waiting, waiting_kana, waiting_kana)
    phones = ("999", "9999", "9999")
    return {**dict(zip(ADDRESS_KEYS, (*values, *phones), strict=True)), "isolatedIslandFlag": 0}


def _invent_street(chance: random.Random, *, is_awkward: bool) -> str:
    if not is_awkward:
        return chance.choice(_STREETS)
    if chance.random() < 0.25:  # noqa: PLR2004  a weight
        return (_LONG_STREET * STREET_CHARACTERS_MAX)[:STREET_CHARACTERS_MAX]
    return chance.choice(_AWKWARD_STREETS)
