"""Says what an unlink takes along and what it leaves, and signs that, so that nobody unlinks what he has not read."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from account_svc.domain.accounts import Account
from account_svc.domain.holdings import OWN, Holding, Line, going, plan_lines
from account_svc.domain.transitions import Deed, require
from account_svc.store import holdings as store
from hanro.crypto import Keyring
from hanro.db import Transaction
from hanro.errors import LocalizedText, Rejected

LIFETIME = timedelta(minutes=15)
MAC_BYTES = 16
LONGEST_TOKEN = 1024
_PLAN_ANEW = LocalizedText(
    ja="計画を取り直し、内容を確認してから解除してください。", en="Ask for a plan again, read it, then unlink."
)


class PlanExpired(Exception):
    """The token's 15 minutes are over; nothing was unlinked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkPlan:
    """Be what an unlink would do at a moment; `token` stands for it until `expires_at`, or until what goes changes."""

    lines: tuple[Line, ...]
    token: str
    expires_at: datetime


class Plans:
    """Make plans, and tell whether a plan that was read still says what an unlink would do."""

    def __init__(self, keyring: Keyring) -> None:
        self._key = keyring.derived("unlink-plans")

    async def plan(self, tx: Transaction, account: Account) -> UnlinkPlan:
        """Say what goes and what stays.

        Raises:
            NotNow: the account is being unlinked, or is; code "account-state".
        """
        require(account, Deed.UNLINK)
        lines, at = await self._lines(tx, account)
        expires_at = (at + LIFETIME).astimezone(UTC).replace(microsecond=0)
        says = {"account": account.id, "epoch": account.epoch, "until": expires_at.isoformat(), "goes": going(lines)}
        text = json.dumps(says, separators=(",", ":"), sort_keys=True).encode()
        token = base64.urlsafe_b64encode(self._mac(text) + text).rstrip(b"=").decode()
        return UnlinkPlan(lines=lines, token=token, expires_at=expires_at)

    async def check(self, tx: Transaction, account: Account, token: str) -> Mapping[str, int | None]:
        """Give what goes, where the token's plan still says that.

        Raises:
            PlanExpired: its 15 minutes are over.
            Rejected: no plan of this account gave it (plan-invalid); or what goes has changed since, or the account was
                linked anew (plan-changed).
            NotNow: it is unlinked; code "account-state".
        """
        require(account, Deed.UNLINK)
        says = self._read(token)
        if says.get("account") != account.id:
            raise _invalid()
        lines, at = await self._lines(tx, account)
        if at >= datetime.fromisoformat(str(says["until"])):
            raise PlanExpired
        goes = going(lines)
        if says["epoch"] != account.epoch or says["goes"] != goes:
            before = says["goes"] if isinstance(says["goes"], dict) else {}
            changed = [kind for kind in goes if before.get(kind) != goes[kind]]
            told = ", ".join(f"{kind}: {before.get(kind)} → {goes[kind]}" for kind in changed) or "its link"
            why = f"What would go has changed since this plan was made ({told})."
            raise Rejected(why, code="plan-changed", field="token", remedy=_PLAN_ANEW)
        return goes

    async def _lines(self, tx: Transaction, account: Account) -> tuple[tuple[Line, ...], datetime]:
        counts, at = await store.count_own(tx, account.id)
        said = (await store.list_holdings(tx, [account.id])).get(account.id, {})
        own = Holding(
            account_id=account.id,
            service=OWN,
            account_epoch=account.epoch,
            released_epoch=None,
            counts=counts,
            counted_at=at,
        )
        return plan_lines({**said, OWN: own}), at

    def _mac(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, hashlib.sha256)[:MAC_BYTES]

    def _read(self, token: str) -> Mapping[str, object]:
        try:
            raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise _invalid() from None
        mac, text = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(text)):
            raise _invalid()
        says: Mapping[str, object] = json.loads(text)
        return says


def _invalid() -> Rejected:
    why = "The token is not one that a plan of this account gave."
    return Rejected(why, code="plan-invalid", field="token", remedy=_PLAN_ANEW)
