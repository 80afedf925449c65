"""Reads cells as RMS writes them, and as a spreadsheet leaves them when it has saved the file again."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache

Cell = Callable[[str], str | None]

_DAY = re.compile(r"(?:(\d{4})[-/](\d{1,2})[-/](\d{1,2})|(\d{1,2})/(\d{1,2})/(\d{4}))", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_WHOLE = re.compile(r"[0-9]+")
# Nine digits with the 0 that a spreadsheet strips: areas and exchanges share ten digits, mobile numbers have eleven.
_LAND_DIGITS, _LAST_DIGITS = 10, 4
_MOBILE = re.compile(r"0[5789]0")
_OF_OTHER_LENGTH = re.compile(r"0120|0800|0570|0990|0180")


class BadCell(ValueError):
    """Say why a cell cannot be read; holds nothing of it."""


def text(cell: str) -> str | None:
    """Give a text as getOrder would: LF between lines, 〜 for ～; None when blank.

    Source: rakuten-ichiba-orders 13: ～ [wire], [2+]; LF [wire].
    """
    return cell.replace("\r\n", "\n").replace("～", "〜") if cell else None


# Numbers, flags and times come again and again: on each row those of its order, 0 and blank everywhere.
@lru_cache(maxsize=4096)
def number(cell: str) -> str | None:
    """Give the characters of a number, half-width; None when blank."""
    found = _plain(cell)
    if found and not _NUMBER.fullmatch(found):
        raise BadCell("is no number")
    return found or None


def key(cell: str) -> str | None:
    """Give the digits of an id; what a spreadsheet turned into 9.00E+07 is none."""
    found = _plain(cell)
    if found and not _WHOLE.fullmatch(found):
        raise BadCell("is no whole number")
    return found or None


@lru_cache(maxsize=4096)
def flag(cell: str) -> str | None:
    """Give 0 or 1; old files may say it in words that end with 込 or 別."""
    found = _plain(cell)
    return {"込": "1", "別": "0"}.get(found[-1:], found) or None


def old_amount(cell: str) -> str | None:
    """Give an amount of an old file, with their present sentinel instead of -99999 (13 [2+])."""
    found = number(cell)
    return "-9999" if found == "-99999" else found


def day(cell: str) -> str | None:
    """Give a day as ISO 8601, from `YYYY-MM-DD`, `YYYY/M/D` or a spreadsheet's `M/D/YYYY`; None when blank."""
    found = moment(cell)
    return None if found is None else found.partition("T")[0]


@lru_cache(maxsize=4096)
def moment(cell: str) -> str | None:
    """Give a time of Japan as getOrder writes it, from `YYYY-MM-DD hh:mm:ss` or a spreadsheet's `M/D/YYYY H:MM`."""
    found = _plain(cell)
    if not found:
        return None
    date, _, clock = found.partition(" ")
    days, times = _DAY.fullmatch(date), _TIME.fullmatch(clock or "0:00")
    if days is None or times is None:
        raise BadCell("is no date")
    year, month, day_of_month, other_month, other_day, other_year = days.groups()
    parts = [year or other_year, month or other_month, day_of_month or other_day, *times.groups(default="0")]
    try:
        at = datetime(*(int(part) for part in parts))  # type: ignore[arg-type]  # noqa: DTZ001  read in Japan's zone
    except ValueError:
        raise BadCell("is no date") from None
    return f"{at.isoformat()}+0900"


def zip_codes(first: str, last: str) -> tuple[str | None, str | None]:
    """Give 3 and 4 digits of a Japanese code, with the zeros that a spreadsheet stripped; others as they stand."""
    return _filled(first, 3), _filled(last, 4)


def phone_parts(*cells: str) -> tuple[str | None, ...]:
    """Give a telephone number's parts, with the zeros that a spreadsheet stripped where the lengths are certain."""
    first, *rest = (_plain(cell) for cell in cells)
    if first and first.isdecimal() and not first.startswith("0"):
        first = f"0{first}"
    if len(rest) == 2 and all(part.isdecimal() for part in (first, *rest)) and not _OF_OTHER_LENGTH.fullmatch(first):  # noqa: PLR2004
        middle = 4 if _MOBILE.fullmatch(first) else _LAND_DIGITS - _LAST_DIGITS - len(first)
        rest = [rest[0].zfill(middle), rest[1].zfill(_LAST_DIGITS)]
    return tuple(part or None for part in (first, *rest))


def split_numbers(cells: Mapping[str, str], who: str, *, places: str) -> dict[str, str | None]:
    """Give the parts of a postal code and a telephone number as getOrder has them; `places` number their columns."""
    codes = zip_codes(*(cells.get(f"{who}郵便番号{place}", "") for place in places[:2]))
    phones = phone_parts(*(cells.get(f"{who}電話番号{place}", "") for place in places))
    found = {f"zipCode{place}": code for place, code in enumerate(codes, start=1)}
    return found | {f"phoneNumber{place}": part for place, part in enumerate(phones, start=1)}


def _plain(cell: str) -> str:
    return (cell if cell.isascii() else unicodedata.normalize("NFKC", cell)).strip()


def _filled(cell: str, length: int) -> str | None:
    found = _plain(cell)
    return found.zfill(length) if found.isdecimal() else found or None
