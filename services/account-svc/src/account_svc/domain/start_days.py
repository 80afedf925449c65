"""Decides from when on something newly approved works, by the marketplace's rule. Values in, values out."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hanro.errors import LocalizedText
from hanro.marketplace import Fault

FARTHEST = timedelta(days=366)
"""A start day that lies further ahead was mistyped."""
FIELD = "start_day"


def effective_at(start_day: date | None, approved_at: datetime, daily_start: time, zone: ZoneInfo) -> datetime:
    """Give when it begins to work, aware UTC.

    At `daily_start` of the start day where it was approved by then, else at that time of the day after the approval.
    Days and times are those of `zone`; a time of day that the clocks skip counts by the offset before.
    """
    if start_day is not None:
        wished = _moment(start_day, daily_start, zone)
        if approved_at <= wished:
            return wished
    return _moment(approved_at.astimezone(zone).date() + timedelta(days=1), daily_start, zone)


def check_start_day(start_day: date, today: date) -> Fault | None:
    """Refuse a day that cannot stand in a mail that was just read; `today` is the marketplace's."""
    if start_day < today:
        return Fault(
            field=FIELD,
            code="date-passed",
            why=LocalizedText(
                ja="利用開始日が過ぎています。空欄で登録すると、承認の翌日からとして計算します。",
                en="the start day has passed; leave it out, and it counts from the day after the approval",
            ),
        )
    if start_day - today > FARTHEST:
        return Fault(
            field=FIELD,
            code="date-too-far",
            why=LocalizedText(
                ja="利用開始日が 1 年以上先です。メールの日付を確認してください。",
                en="the start day lies more than a year ahead; look at the date in the mail again",
            ),
        )
    return None


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
