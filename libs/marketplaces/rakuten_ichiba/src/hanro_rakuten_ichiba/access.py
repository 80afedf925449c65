"""Asks what a shop's key may do and when it ends: the port's `Access`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hanro.errors import ContractBroken, NeedsSeller, Retryable
from hanro.marketplace.port import Session
from hanro.marketplace.types import (
    Capability,
    ExpirySource,
    Grant,
    GrantState,
    KeyExpiry,
    MarketInformation,
    Moment,
    PreflightRow,
    Renewed,
)
from hanro_rakuten_ichiba.client import Client, Reply
from hanro_rakuten_ichiba.declared.capabilities import unsupported
from hanro_rakuten_ichiba.declared.credential_form import LICENSE_EXPIRES_ON, LICENSE_KEY
from hanro_rakuten_ichiba.declared.grants import GRANTS
from hanro_rakuten_ichiba.functions import BY_GRANT, LICENSE_EXPIRY, SEARCH_ORDER, Function, Question
from hanro_rakuten_ichiba.market_information import read_market
from hanro_rakuten_ichiba.searching import write_moment

_JAPAN = ZoneInfo("Asia/Tokyo")
_LAST_SECOND = timedelta(days=1) - timedelta(seconds=1)


class IchibaAccess:
    """Be the door to one shop's grants and key."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._client = Client(session)

    async def probe(self, grant_id: str) -> PreflightRow:
        """Ask for one grant by one request: reads are read, writes lack a required key and must be refused.

        ES04-01 is DENIED, or PENDING while the key is younger than 30 minutes; a refused key is DENIED. The mail relay
        is UNKNOWN here: account-svc tries the login itself.

        Raises:
            Retryable: throttled or unavailable.
            ContractBroken: an answer that is not as documented.
            ValueError: no such grant.

        Source: rakuten-ichiba-orders 1.1, 1.2, 6; rakuten-ichiba-catalog 2.12, 3.4, 6.5, 10.
        """
        grant = next((one for one in GRANTS if one.id == grant_id), None)
        if grant is None:
            raise ValueError(f"there is no grant {grant_id!r}")
        function = BY_GRANT.get(grant.id)
        if function is None:
            return self._row(grant, GrantState.UNKNOWN, "the login of the mail relay is tried by account-svc")
        try:
            return await self._touch(grant, function)
        except NeedsSeller as failure:
            return self._row(grant, GrantState.DENIED, failure.why, failure=failure)
        except Retryable as failure:
            if failure.code != "key-settling":
                raise
            retry_at = self._session.clock.now() + (failure.after or timedelta())
            return self._row(grant, GrantState.PENDING, failure.why, failure=failure, retry_at=retry_at)

    async def key_expiries(self) -> tuple[KeyExpiry, ...]:
        """Tell when the licence key ends: looked up; the typed day where the look-up alone is not permitted.

        Raises:
            Retryable: throttled, unavailable, a key that settles.
            NeedsSeller: key refused; the look-up is not permitted and no day was typed.
            ContractBroken: unreadable.

        Source: rakuten-ichiba-orders 9 [1].
        """
        key = self._session.secrets.values.get(LICENSE_KEY, "")
        try:
            reply = await self._client.look_up(LICENSE_EXPIRY, (("licenseKey", key),))
        except NeedsSeller as failure:
            typed = _typed_end(self._session.secrets.values)
            if failure.code != "grant-missing" or typed is None:
                raise
            return (KeyExpiry(field=LICENSE_KEY, source=ExpirySource.TYPED, expires=typed),)
        return (KeyExpiry(field=LICENSE_KEY, source=ExpirySource.READ, expires=_read_end(reply)),)

    async def renew(self) -> Renewed:
        """Refuse: RENEW_KEY is absent, keys are issued by hand."""
        raise unsupported(Capability.RENEW_KEY)

    async def market_information(self) -> MarketInformation:
        """Read all kinds side by side; one whose grant is missing goes to `failed`, the others come.

        Raises:
            Retryable: throttled or unavailable before any kind was read.
            NeedsSeller: key refused.

        Source: rakuten-ichiba-orders 4.7, 10; rakuten-ichiba-catalog 5, 7.
        """
        return await read_market(self._session)

    async def _touch(self, grant: Grant, function: Function) -> PreflightRow:
        """Send the probe and judge what came; a refusal of the gateway raises."""
        word = await self._client.touch(function, self._question(function))
        if function.is_write and not word.is_refusal:
            return self._row(grant, GrantState.UNKNOWN, f"{function.name} did not refuse what it must refuse")
        return self._row(grant, GrantState.GRANTED, f"{function.name} answered")

    def _question(self, function: Function) -> Question:
        if function is LICENSE_EXPIRY:
            key = self._session.secrets.values.get(LICENSE_KEY, "")
            return replace(function.question, query=(("licenseKey", key),))
        if function is SEARCH_ORDER:
            now = self._session.clock.now()
            period = {
                "dateType": 1,
                "startDatetime": write_moment(now - timedelta(minutes=1)),
                "endDatetime": write_moment(now),
                "PaginationRequestModel": {"requestRecordsAmount": 1, "requestPage": 1},
            }
            return replace(function.question, body=period)
        return function.question

    def _row(
        self,
        grant: Grant,
        state: GrantState,
        why: str,
        *,
        failure: NeedsSeller | Retryable | None = None,
        retry_at: datetime | None = None,
    ) -> PreflightRow:
        return PreflightRow(
            grant_id=grant.id,
            state=state,
            why=why,
            checked_at=self._session.clock.now(),
            refusal=None if failure is None else failure.refusal,
            retry_at=retry_at,
        )


def _read_end(reply: Reply) -> Moment:
    """Read expiryDate, without zone, Japan's: the last second of the key. Source: rakuten-ichiba-orders 9 [1]."""
    text = reply.document.members.get("expiryDate")
    if not isinstance(text, str):
        raise ContractBroken("the look-up of the key's end has no date", code="unreadable", field="/expiryDate")
    try:
        return _moment(text)
    except (ValueError, OverflowError):
        raise ContractBroken("the key's end is no date-time", code="unreadable", field="/expiryDate") from None


def _typed_end(values: Mapping[str, str]) -> Moment | None:
    """Give the last second of the day that the seller typed; None when there is none."""
    typed = values.get(LICENSE_EXPIRES_ON, "")
    try:
        day = datetime.strptime(typed, "%Y-%m-%d").replace(tzinfo=_JAPAN)
    except ValueError:
        return None
    return Moment(at=(day + _LAST_SECOND).astimezone(UTC), local=typed)


def _moment(text: str) -> Moment:
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo else at.replace(tzinfo=_JAPAN)
    return Moment(at=at.astimezone(UTC), local=text)
