"""Reads and writes times as Rakuten does: Japan's zone, offset without colon."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

JST = timezone(timedelta(hours=9), "JST")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:?\d{2}", re.ASCII)


def write_moment(moment: datetime) -> str:
    """Write `2026-05-11T10:15:30+0900`. Source: rakuten-ichiba-orders 2 [2+] [wire]."""
    return moment.astimezone(JST).strftime("%Y-%m-%dT%H:%M:%S+0900")


def write_date(moment: datetime) -> str:
    """Write the day in Japan, `2026-05-11`."""
    return moment.astimezone(JST).strftime("%Y-%m-%d")


def read_moment(text: object, *, accept_colon: bool = False, accept_other_offsets: bool = True) -> datetime | None:
    """Read a datetime with its offset as aware UTC; None when it has another form or is no time."""
    if not isinstance(text, str) or not _MOMENT.fullmatch(text) or (":" in text[-5:] and not accept_colon):
        return None
    if not accept_other_offsets and not text.replace(":", "").endswith("+0900"):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_date(text: object) -> date | None:
    """Read `2026-05-11`; None when it has another form or is no day."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def end_of_day(day: date) -> datetime:
    """Give 23:59:59 of a day in Japan."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=JST)


def day_in_japan(moment: datetime) -> date:
    """Give the day that it is in Japan."""
    return moment.astimezone(JST).date()
