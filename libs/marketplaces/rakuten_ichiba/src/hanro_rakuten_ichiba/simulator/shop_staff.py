"""Holds the sub-users of R-Login: invited, registered (承認待ち), available (利用可能)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from hanro_rakuten_ichiba.simulator.japan_time import day_in_japan
from hanro_rakuten_ichiba.simulator.shop_notices import RLOGIN, Notice

Standing = Literal["invited", "registered", "available"]
# The words of the column 利用状況; that of an invitation is not recorded [?].
USAGE = {"invited": "招待中", "registered": "承認待ち", "available": "利用可能"}


@dataclass(frozen=True)
class SubUser:
    """State one sub-user; entries as they were typed. Source: seed 000 lines 27 to 52."""

    id: int
    last_name: str
    first_name: str
    mail: str
    registration_number: str
    affiliation: str
    invited_at: datetime
    registered_at: datetime | None = None
    available_at: datetime | None = None
    permissions: tuple[str, ...] = ()

    @property
    def standing(self) -> Standing:
        """Tell how far it is."""
        if self.available_at is not None:
            return "available"
        return "invited" if self.registered_at is None else "registered"

    def register(self, now: datetime) -> "SubUser":
        """Let the invited one finish the registration; a repetition changes nothing."""
        return self if self.registered_at is not None else replace(self, registered_at=now)

    def approve(self, permissions: tuple[str, ...], now: datetime) -> "SubUser":
        """Make it available with permissions.

        Raises:
            ValueError: it is not registered yet, or no permission was picked.
        """
        if self.registered_at is None:
            raise ValueError("nobody can be approved who has not registered yet: 承認待ち comes first")
        if not permissions:
            raise ValueError("permissions: pick at least one")
        return replace(self, available_at=self.available_at or now, permissions=permissions)

    def to_json(self) -> dict[str, object]:
        """Give it as the list of 利用者管理 shows it."""
        return {
            "id": self.id,
            "last_name": self.last_name,
            "first_name": self.first_name,
            "mail": self.mail,
            "registration_number": self.registration_number,
            "affiliation": self.affiliation,
            "state": self.standing,
            "usage_status": USAGE[self.standing],
            "permissions": list(self.permissions),
            "invited_at": self.invited_at.isoformat(),
            "registered_at": self.registered_at and self.registered_at.isoformat(),
            "available_at": self.available_at and self.available_at.isoformat(),
        }


def invitation(user: SubUser, now: datetime) -> Notice:
    """Write the invitation; its words are not recorded [?]."""
    return Notice(
        subject="【楽●天】利用者登録のご案内",
        sender=RLOGIN,
        recipient=user.mail,
        body=f"{user.last_name} {user.first_name} 様\n\nR-Loginの利用者登録を行ってください。\n",
        sent_at=now,
    )


def registration(user: SubUser, shared_address: str, now: datetime) -> Notice:
    """Write what tells the shop that an invited one registered. Source: seed 000 lines 39 to 44."""
    return Notice(
        subject=f"【楽●天】利用者登録(スタッフ申請)のご連絡({day_in_japan(now):%Y/%m/%d})",
        sender=RLOGIN,
        recipient=shared_address,
        body=(
            f"{user.last_name} {user.first_name} ({user.affiliation}) 様より利用者登録の申請がありました。\n"
            "R-Login 利用者管理より承認してください。\n"
        ),
        sent_at=now,
    )
