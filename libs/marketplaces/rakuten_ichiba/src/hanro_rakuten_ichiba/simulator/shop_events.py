"""Holds the developer's application: access, connection check, event notification, and from when that is delivered.

Source: seed 003 lines 50 to 239; rakuten-ichiba-orders 11.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal

from hanro_rakuten_ichiba.simulator.japan_time import JST, day_in_japan
from hanro_rakuten_ichiba.simulator.shop_notices import WEB_API, Notice

Standing = Literal["applied", "access_approved", "checked", "approved"]
FIRST_SUBJECT = "【楽天市場】開発企業様からのAPI利用申請 追加承認のお願い"
SECOND_SUBJECT = "【楽天市場】開発企業様からのシステムイベント通知サービス利用申請 承認のお願い"
DELIVERS_AT = time(9)
_PAGE = "https://ichiba-bs.rms.rakuten.co.jp/apisson/"


@dataclass(frozen=True)
class Application:
    """State a developer's application for one shop; `start_day` is that of the second mail."""

    company: str
    start_day: date
    applied_at: datetime
    access_approved_at: datetime | None = None
    checked_at: datetime | None = None
    approved_at: datetime | None = None

    @property
    def standing(self) -> Standing:
        """Tell how far it is."""
        if self.approved_at is not None:
            return "approved"
        if self.checked_at is not None:
            return "checked"
        return "applied" if self.access_approved_at is None else "access_approved"

    @property
    def effective_at(self) -> datetime | None:
        """Tell from when events are delivered: 09:00 of the start day, or of the day behind a later approval."""
        if self.approved_at is None:
            return None
        planned = datetime.combine(self.start_day, DELIVERS_AT, JST)
        if self.approved_at <= planned:
            return planned
        return datetime.combine(day_in_japan(self.approved_at) + timedelta(days=1), DELIVERS_AT, JST)

    def is_delivering(self, now: datetime) -> bool:
        """Tell whether events are delivered now."""
        return self.effective_at is not None and now >= self.effective_at

    def approve_access(self, now: datetime) -> "Application":
        """Let the shop allow the access; a repetition changes nothing."""
        return replace(self, access_approved_at=self.access_approved_at or now)

    def check(self, now: datetime, *, is_key_valid: bool) -> "Application":
        """Check the connection, with the shop's newest key.

        Raises:
            ValueError: the access is not approved, or the key does not work: no second mail is sent then.
        """
        if self.access_approved_at is None:
            raise ValueError("the access is not approved yet")
        if not is_key_valid:
            raise ValueError("API接続失敗: the newest licence key does not work now; wait, or issue another")
        return replace(self, checked_at=self.checked_at or now)

    def approve(self, now: datetime) -> "Application":
        """Let the shop approve the notification.

        Raises:
            ValueError: the second mail was not sent: the check comes first.
        """
        if self.checked_at is None:
            raise ValueError("there is nothing to approve before the connection check has passed")
        return replace(self, approved_at=self.approved_at or now)

    def to_json(self, now: datetime) -> dict[str, object]:
        """Give it as JSON."""
        moments = {
            "applied_at": self.applied_at,
            "access_approved_at": self.access_approved_at,
            "checked_at": self.checked_at,
            "approved_at": self.approved_at,
            "effective_at": self.effective_at,
        }
        return {
            "company": self.company,
            "start_day": self.start_day.isoformat(),
            "state": self.standing,
            "is_delivering": self.is_delivering(now),
            **{name: at and at.isoformat() for name, at in moments.items()},
        }


def first_mail(application: Application, url: str, recipient: str) -> Notice:
    """Write the mail about the access; its subject is known, its text is not [?]."""
    return Notice(
        subject=FIRST_SUBJECT,
        sender=WEB_API,
        recipient=recipient,
        body=f"{url}\n運用ご担当者様\n\n企業名:{application.company}\n\nシステム開発企業 アクセス許可設定\n{_PAGE}\n",
        sent_at=application.applied_at,
    )


def second_mail(application: Application, url: str, recipient: str, now: datetime) -> Notice:
    """Write the mail about the event notification; its sender is assumed [?]. Source: seed 003 lines 155 to 225."""
    return Notice(
        subject=SECOND_SUBJECT,
        sender=WEB_API,
        recipient=recipient,
        body=(
            f"{url}\n運用ご担当者様\n\nいつもお世話になっております。楽天市場です。\n\n"
            "開発企業様より、店舗様の各種情報における「システムイベント通知サービス」の\n利用申請を承りました。\n\n"
            f"企業名:{application.company}\n\n利用データ:注文情報\n\n"
            f"利用開始予定日時:{application.start_day:%Y/%m/%d}\n\n"
            f"状態が「承認待ち」と表示されていますので、画面に従って操作をお願いします。\n{_PAGE}\n"
        ),
        sent_at=now,
    )
