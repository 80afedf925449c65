"""Decides whether a name and a number can be those of an issuer of qualified invoices. Values alone."""

import re
import unicodedata
from dataclasses import dataclass

from hanro.errors import LocalizedText

LONGEST_NAME = 150
_NUMBER = re.compile(r"T[0-9]{13}")
_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """Be why a text cannot stand: `code` is stable, `why` says what to do and quotes nothing."""

    code: str
    why: LocalizedText


def find_fault_of_name(name: str) -> Unfit | None:
    """Say why a text is no registered name; None: it may be one."""
    if not name.strip():
        return _unfit(
            "field-missing", "登録名称を入力してください", "type the name under which the issuer is registered"
        )
    if name != name.strip():
        return _unfit("field-padded", "前後の空白を取り除いてください", "has blanks before or behind it")
    if any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for letter in name):
        return _unfit("field-unreadable", "制御文字は使えません", "holds control characters")
    if len(name) > LONGEST_NAME:
        return _unfit("field-too-long", f"{LONGEST_NAME} 文字までです", f"is longer than {LONGEST_NAME} characters")
    return None


def find_fault_of_number(number: str) -> Unfit | None:
    """Say why a text is no registration number: T, 13 half-width digits of which the first checks the others."""
    if not number.strip():
        return _unfit("field-missing", "登録番号を入力してください", "type the registration number: T and 13 digits")
    if number != number.strip():
        return _unfit("field-padded", "前後の空白を取り除いてください", "has blanks before or behind it")
    if any(unicodedata.east_asian_width(letter) in {"F", "W"} for letter in number):
        return _unfit("field-full-width", "半角で入力してください", "holds full-width characters: type it half-width")
    if not _NUMBER.fullmatch(number):
        return _unfit(
            "field-malformed",
            "T と数字 13 桁で入力してください(ハイフンなし)",
            "must be T and 13 digits, without hyphens",
        )
    if int(number[1]) != check_digit(number[2:]):
        return _unfit(
            "check-digit-wrong",
            "検査数字が一致しません。番号を見直してください",
            "has a check digit that does not fit the other digits: look at the number again",
        )
    return None


def check_digit(digits: str) -> int:
    """Give the digit that stands before 12 digits: 9 less the remainder by 9 of their weighted sum, 1 to 9.

    From the right the 1st, 3rd … weigh 1, the 2nd, 4th … weigh 2.

    Raises:
        ValueError: not 12 digits of ASCII.

    Source: corporate numbers of Japan's National Tax Agency [1]; registration numbers without one are taken alike [?].
    """
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdecimal()):
        raise ValueError("a check digit belongs to 12 digits")
    weighted = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return 9 - sum(weighted) % 9


def _unfit(code: str, ja: str, en: str) -> Unfit:
    return Unfit(code=code, why=LocalizedText(ja=ja, en=en))
