"""Reads names and addresses that the shop changes. Source: rakuten-ichiba-orders 4.11, 5.3."""

from hanro_rakuten_ichiba.simulator.code_lists import PREFECTURES
from hanro_rakuten_ichiba.simulator.fields import Fields, count_bytes
from hanro_rakuten_ichiba.simulator.orders import Tree

_LONGEST = 127
_REQUIRED = ("zipCode1", "zipCode2", "prefecture", "city", "subAddress", "familyName")
_OPTIONAL = ("firstName", "familyNameKana", "firstNameKana")
_PHONES = ("phoneNumber1", "phoneNumber2", "phoneNumber3")
_ZIP_BYTES, _PHONE_BYTES = 20, 32
_SEXES = ("男", "女")


def change_address(fields: Fields, address: Tree) -> None:
    """Put a name with its address into a tree; optional members that are absent stay, empty ones become null.

    All three parts of the telephone number are named; one of them may be empty, as in answers (5.3).
    """
    for key in _REQUIRED:
        fields.require(key)
    for key in (*_REQUIRED, *_OPTIONAL, *_PHONES):
        if fields.holds(key):
            address[key] = fields.words(key, _LONGEST)
    empty = [key for key in _PHONES if not fields.has(key)]
    fields.missing += [key for key in empty if not fields.holds(key) or len(empty) > 1]
    if address.get("prefecture") is not None and address["prefecture"] not in PREFECTURES:
        fields.malformed.append("prefecture")
    for keys, most in ((("zipCode1", "zipCode2"), _ZIP_BYTES), (_PHONES, _PHONE_BYTES)):
        if count_bytes(str(address.get(key) or "") for key in keys) > most:
            fields.beyond.append(f"{keys[0]} and what follows it is longer than {most} bytes")


def change_orderer(fields: Fields, orderer: Tree) -> None:
    """Put a buyer into a tree: the address, and what only buyers have [?]. Source: rakuten-ichiba-orders 4.15, 5.3."""
    change_address(fields, orderer)
    if fields.has("emailAddress"):
        orderer["emailAddress"] = fields.words("emailAddress", _LONGEST)
    if fields.holds("sex"):
        orderer["sex"] = sex = fields.words("sex", 1)
        if sex is not None and sex not in _SEXES:
            fields.malformed.append("sex")
    for key in ("birthYear", "birthMonth", "birthDay"):
        if fields.holds(key):
            orderer[key] = fields.number(key)
