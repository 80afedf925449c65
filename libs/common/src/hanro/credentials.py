"""Asks account-svc for an account's secrets when they are used; fresh to 60 s, older only while it cannot be asked."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from urllib.parse import quote
from weakref import WeakValueDictionary

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from hanro.clock import Clock
from hanro.errors import ContractBroken, InDoubt, LocalizedText, MenuPath, NeedsSeller, Rejected, Retryable
from hanro.http import ServiceHttp
from hanro.log import logger
from hanro.marketplace.port import Secrets
from hanro.marketplace.types.exchange import HttpAnswer, HttpRequest
from hanro.marketplace.types.plain import MarketplaceId
from hanro.tokens import TokenSource

FRESH = timedelta(seconds=60)
USABLE = timedelta(minutes=15)
OK, UNAUTHORIZED, TOO_MANY, SERVER_ERROR, UNAVAILABLE = 200, 401, 429, 500, 503
SETTLING = "key-settling"

log = logger(__name__)


class Heard(Protocol):
    """Be what the newest fact on an account says that a service has stored."""

    @property
    def version(self) -> int:
        """Number the account's facts."""

    @property
    def epoch(self) -> int:
        """Number the account's links."""

    @property
    def credential_version(self) -> int:
        """Number the credentials that are in use."""

    @property
    def is_working(self) -> bool:
        """Tell whether they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VendedSecrets:
    """Be what account-svc vends; `account_epoch` is the link that the secrets belong to."""

    secrets: Secrets = field(repr=False)
    account_epoch: int
    marketplace_id: MarketplaceId


class _Vended(BaseModel):
    values: dict[str, str] = Field(repr=False)
    version: int
    stored_at: AwareDatetime
    account_epoch: int
    marketplace_id: str


class _Remedy(BaseModel):
    ja: str
    en: str


class _Menu(BaseModel):
    steps: tuple[str, ...]
    url: str | None = None
    is_login_needed: bool = True


class _Refused(BaseModel):
    code: str
    detail: str = "account-svc refused."
    grant_id: str | None = None
    remedy: _Remedy | None = None
    menu: _Menu | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    vended: VendedSecrets
    asked_at: float
    heard: int


class Vending:
    """Ask account-svc's internal vend route; `service` is who asks, `http` reaches its internal base URL.

    What was vended is kept in memory alone, for 60 s, and used for up to 15 minutes while account-svc cannot be asked
    and no fact has told since that the account uses other credentials, or none.
    """

    def __init__(self, http: ServiceHttp, tokens: TokenSource, clock: Clock, *, service: str) -> None:
        self._http = http
        self._tokens = tokens
        self._clock = clock
        self._service = service
        self._kept: dict[str, _Kept] = {}
        self._forgotten: dict[str, float] = {}
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def secrets(self, account_id: str, *, heard: Heard | None, purpose: str = "work") -> VendedSecrets:
        """Give the account's secrets.

        What was asked for before the fact that `heard` is, whichever process stored it, is asked for again. None: what
        is fresh will do, and nothing older.

        Raises:
            NeedsSeller: the account is suspended or not yet active.
            Retryable: account-svc cannot be asked, and nothing young enough is known; code "unavailable". Or a new
                key settles; code "key-settling".
            Rejected: the account is being unlinked; code "unlinking". Or it does not exist; code "not-found".
            ContractBroken: account-svc answered something else; code "unreadable".
        """
        # One question at a time: sessions of one account that open together share the answer.
        async with self._asking.setdefault(account_id, asyncio.Lock()):
            kept = self._kept.get(account_id)
            if kept is not None and kept.heard >= _version(heard) and self._age(kept) < FRESH:
                return kept.vended
            try:
                return await self._ask(account_id, heard, purpose)
            except Retryable as failure:
                if failure.code == SETTLING:
                    # The old ones are dead: who called with them would be refused, and suspend what only waits.
                    self._kept.pop(account_id, None)
                    raise
                # What came meanwhile, a refusal or a suspension, has taken it out.
                kept = self._kept.get(account_id)
                if kept is None or self._age(kept) >= USABLE or not _is_in_use(kept.vended, heard):
                    raise
                log.warning("credentials.old_ones_used", account_id=account_id, seconds=self._age(kept).seconds)
                return kept.vended
            except (NeedsSeller, Rejected):
                self._kept.pop(account_id, None)
                raise

    def forget(self, account_id: str) -> None:
        """Drop what is known of an account, because its key was refused or must not be used any more."""
        self._kept.pop(account_id, None)
        self._forgotten[account_id] = self._clock.monotonic()

    async def _ask(self, account_id: str, heard: Heard | None, purpose: str) -> VendedSecrets:
        asked_at = self._clock.monotonic()
        answer = await self._answer(account_id, purpose)
        if answer.status != OK:
            raise _refusal(answer)
        vended = _read(answer.body)
        # What was asked for before it was forgotten may be what was refused: used once, not kept.
        if self._forgotten.pop(account_id, float("-inf")) < asked_at:
            self._kept[account_id] = _Kept(vended, asked_at, _version(heard))
        self._drop_old()
        return vended

    async def _answer(self, account_id: str, purpose: str) -> HttpAnswer:
        try:
            return await self._http.send(
                HttpRequest(
                    method="POST",
                    path=f"/internal/v1/accounts/{quote(account_id, safe='')}/credentials:vend",
                    headers={
                        "Authorization": f"Bearer {await self._tokens.token()}",
                        "Content-Type": "application/json",
                    },
                    body=json.dumps({"service": self._service, "purpose": purpose}).encode(),
                    # It writes an audit row, which may stand twice.
                    has_effect=False,
                )
            )
        except InDoubt as lost:
            raise Retryable("account-svc did not answer.", code="unavailable") from lost

    def _age(self, kept: _Kept) -> timedelta:
        return timedelta(seconds=self._clock.monotonic() - kept.asked_at)

    def _drop_old(self) -> None:
        self._kept = {name: kept for name, kept in self._kept.items() if self._age(kept) < USABLE}


def _version(heard: Heard | None) -> int:
    return 0 if heard is None else heard.version


def _is_in_use(vended: VendedSecrets, heard: Heard | None) -> bool:
    """Tell whether the newest fact says that the account works, and with these secrets."""
    return (
        heard is not None
        and heard.is_working
        and vended.account_epoch >= heard.epoch
        and vended.secrets.version >= heard.credential_version
    )


def _read(body: bytes) -> VendedSecrets:
    try:
        vended = _Vended.model_validate_json(body)
    except ValidationError:
        # Its text quotes what it could not read, and that is secret.
        raise ContractBroken("account-svc vended something unreadable.", code="unreadable") from None
    return VendedSecrets(
        secrets=Secrets(values=vended.values, version=vended.version, stored_at=vended.stored_at),
        account_epoch=vended.account_epoch,
        marketplace_id=MarketplaceId(vended.marketplace_id),
    )


def _refusal(answer: HttpAnswer) -> NeedsSeller | Rejected | Retryable | ContractBroken:
    refused = _read_refusal(answer.body)
    if answer.status == UNAVAILABLE and refused.code == SETTLING:
        return Retryable(refused.detail, code=SETTLING, after=_retry_after(answer.headers))
    if answer.status in {UNAUTHORIZED, TOO_MANY} or answer.status >= SERVER_ERROR:
        # A token that expires on its way, or keys of the issuer that are being changed, look like 401 too.
        return Retryable(
            f"account-svc answers {answer.status}.", code="unavailable", after=_retry_after(answer.headers)
        )
    match answer.status:
        case 404:
            return Rejected(refused.detail, code="not-found")
        case 410:
            return Rejected(refused.detail, code="unlinking")
        case 409:
            return NeedsSeller(
                refused.detail,
                code=refused.code,
                grant_id=refused.grant_id,
                remedy=None if refused.remedy is None else LocalizedText(**refused.remedy.model_dump()),
                menu=None if refused.menu is None else MenuPath(**refused.menu.model_dump()),
            )
    return ContractBroken(f"account-svc answers {answer.status}.", code="unreadable")


def _read_refusal(body: bytes) -> _Refused:
    try:
        return _Refused.model_validate_json(body)
    except ValidationError:
        return _Refused(code="unreadable")


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    text = headers.get("retry-after", "")
    return timedelta(seconds=int(text)) if text.isdecimal() else None
