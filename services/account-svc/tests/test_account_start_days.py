"""From when on something approved works: by data of the marketplace, in its own zone, over clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_svc.domain.start_days import check_start_day, effective_at

TOKYO = ZoneInfo("Asia/Tokyo")
NINE = time(9)
ZONES = st.sampled_from([ZoneInfo(name) for name in ("Asia/Tokyo", "Europe/Paris", "America/New_York", "UTC")])
DAYS = st.dates(date(2000, 1, 1), date(2090, 1, 1))
TIMES = st.times(min_value=time(4), max_value=time(23, 59))
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def at_tokyo(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("approved", "starts"),
    [
        ("2026-06-09T12:00", "2026-06-10T09:00"),
        ("2026-06-10T08:59", "2026-06-10T09:00"),
        ("2026-06-10T09:00", "2026-06-10T09:00"),
        ("2026-06-10T09:01", "2026-06-11T09:00"),
        ("2026-06-10T23:59", "2026-06-11T09:00"),
        ("2026-06-13T01:00", "2026-06-14T09:00"),
    ],
)
@pytest.mark.row("A12", kind="walks")
def test_it_starts_at_nine_of_the_start_day_or_of_the_day_after_a_late_approval(approved: str, starts: str) -> None:
    found = effective_at(date(2026, 6, 10), at_tokyo(approved).astimezone(UTC), NINE, TOKYO)
    assert found == at_tokyo(starts)
    assert found.tzinfo is UTC


@given(DAYS, MOMENTS, TIMES, ZONES)
def test_it_never_starts_before_the_approval_nor_on_another_day_than_the_rule_s(
    start_day: date, approved: datetime, daily: time, zone: ZoneInfo
) -> None:
    found = effective_at(start_day, approved, daily, zone)
    local = found.astimezone(zone)
    assert found >= approved
    # Clocks are changed at night: what starts later in the day starts at that very time, summer and winter.
    assert local.time() == daily.replace(fold=local.fold)
    is_in_time = approved <= datetime.combine(start_day, daily, tzinfo=zone)
    assert local.date() == (start_day if is_in_time else approved.astimezone(zone).date() + timedelta(days=1))


@given(DAYS, MOMENTS, MOMENTS, TIMES, ZONES)
def test_who_approves_earlier_starts_no_later(
    start_day: date, one: datetime, other: datetime, daily: time, zone: ZoneInfo
) -> None:
    early, late = sorted((one, other))
    assert effective_at(start_day, early, daily, zone) <= effective_at(start_day, late, daily, zone)


@given(MOMENTS, TIMES, ZONES)
def test_without_a_start_day_it_is_the_day_after_the_approval(approved: datetime, daily: time, zone: ZoneInfo) -> None:
    found = effective_at(None, approved, daily, zone)
    assert found.astimezone(zone).date() == approved.astimezone(zone).date() + timedelta(days=1)


def test_a_time_that_the_clocks_skip_or_repeat_is_one_moment() -> None:
    paris = ZoneInfo("Europe/Paris")
    skipped = effective_at(date(2026, 3, 29), datetime(2026, 3, 1, tzinfo=UTC), time(2, 30), paris)
    assert skipped == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    repeated = effective_at(date(2026, 10, 25), datetime(2026, 10, 1, tzinfo=UTC), time(2, 30), paris)
    assert repeated == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(DAYS, DAYS)
def test_only_days_that_can_stand_in_a_new_mail_are_taken(start_day: date, today: date) -> None:
    fault = check_start_day(start_day, today)
    is_fit = today <= start_day <= today + timedelta(days=366)
    assert (fault is None) == is_fit
    if fault is not None:
        assert fault.code == ("date-passed" if start_day < today else "date-too-far")
