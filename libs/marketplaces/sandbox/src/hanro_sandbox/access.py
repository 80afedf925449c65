"""Asks what a shop's key may do and when it ends: the port's `Access`."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from hanro.errors import ContractBroken, Failure, LocalizedText, NeedsSeller, Rejected, Retryable
from hanro.marketplace.port import Session
from hanro.marketplace.types import (
    Absent,
    ExpirySource,
    GrantState,
    KeyExpiry,
    MarketEntry,
    MarketInformation,
    MarketKind,
    Moment,
    PreflightRow,
    Renewed,
)
from hanro_sandbox.client import Client, Reply
from hanro_sandbox.declared.credential_form import API_KEY, SESSION_KEY
from hanro_sandbox.declared.grants import PROBES
from hanro_sandbox.declared.words import SOURCE
from hanro_sandbox.fields import Misread, Tree, child, children, moment, optional_text, text
from hanro_sandbox.functions import OPEN_SESSION, READ_KEY, READ_SHOP, Function

_READ = (MarketKind.SHOP, MarketKind.RETURN_ADDRESS, MarketKind.SHIPPING_GROUP)
_NO_SUCH = Absent(
    reason=LocalizedText(ja="サンドボックスにはこの設定がありません。", en="the sandbox has no such setting"),
    source=SOURCE,
)
_SMALLEST: Mapping[str, Mapping[str, object]] = {
    "orders.get": {"ids": []},
    "listings.get": {"keys": []},
    "stock.get": {"offers": []},
}


class SandboxAccess:
    """Be the door to one shop's grants and key."""

    def __init__(self, session: Session) -> None:
        self._clock = session.clock
        self._client = Client(session)

    async def probe(self, grant_id: str) -> PreflightRow:
        """Ask for one grant by one request: reads are read, writes lack what they require and must be refused.

        Raises:
            Retryable: throttled or unavailable.
            ContractBroken: an answer that is not as documented.
            ValueError: no such grant.
        """
        function = PROBES.get(grant_id)
        if function is None:
            raise ValueError(f"there is no grant {grant_id!r}")
        try:
            return self._row(grant_id, *await self._touch(function))
        except NeedsSeller as failure:
            return self._row(grant_id, GrantState.DENIED, failure.why, failure)
        except Retryable as failure:
            if failure.code != "key-settling":
                raise
            retry_at = self._clock.now() + (failure.after or timedelta())
            return self._row(grant_id, GrantState.PENDING, failure.why, failure, retry_at)

    async def key_expiries(self) -> tuple[KeyExpiry, ...]:
        """Tell when the API key ends.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as `Client.read`.
        """
        ends = _ends(await self._client.read(READ_KEY))
        return (KeyExpiry(field=API_KEY, source=ExpirySource.READ, expires=ends),)

    async def renew(self) -> Renewed:
        """Mint a session key; those before it live to their end.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as `Client.read`.
        """
        reply = await self._client.read(OPEN_SESSION)
        key = reply.members.get("session_key")
        if not isinstance(key, str):
            raise ContractBroken("the answer has no session key", code="unreadable", field="/session_key")
        expiry = KeyExpiry(field=SESSION_KEY, source=ExpirySource.READ, expires=_ends(reply))
        return Renewed(values={SESSION_KEY: key}, expiries=(expiry,))

    async def market_information(self) -> MarketInformation:
        """Read what the seller set up; where the function is off, all kinds of it go to `failed`.

        Raises:
            Retryable, ContractBroken: as `Client.read`.
            NeedsSeller: key refused.
        """
        entries: tuple[MarketEntry, ...] = ()
        failed: dict[MarketKind, Failure] = {}
        try:
            reply = await self._client.read(READ_SHOP)
            entries = _entries(reply.members)
        except NeedsSeller as failure:
            if failure.code != "grant-missing":
                raise
            failed = dict.fromkeys(_READ, failure)
        except Misread as error:
            raise ContractBroken(f"the shop is not as documented: {error}", code="unreadable") from None
        return MarketInformation(
            read_at=self._clock.now(),
            entries=entries,
            absent={kind: _NO_SUCH for kind in MarketKind if kind not in _READ},
            failed=failed,
        )

    async def _touch(self, function: Function) -> tuple[GrantState, str]:
        try:
            await self._client.ask(function, _SMALLEST.get(function.name, None if function.method == "GET" else {}))
        except Rejected:
            return GrantState.GRANTED, f"{function.name} answered"
        if function.is_write:
            return GrantState.UNKNOWN, f"{function.name} did not refuse what it must refuse"
        return GrantState.GRANTED, f"{function.name} answered"

    def _row(
        self,
        grant_id: str,
        state: GrantState,
        why: str,
        failure: NeedsSeller | Retryable | None = None,
        retry_at: datetime | None = None,
    ) -> PreflightRow:
        return PreflightRow(
            grant_id=grant_id,
            state=state,
            why=why,
            checked_at=self._clock.now(),
            refusal=None if failure is None else failure.refusal,
            retry_at=retry_at,
        )


def _ends(reply: Reply) -> Moment:
    try:
        return moment(reply.members, "expires_at")
    except Misread:
        raise ContractBroken("the key's end is no date-time", code="unreadable", field="/expires_at") from None


def _entries(members: Tree) -> tuple[MarketEntry, ...]:
    shop, back = child(members, "shop"), child(members, "return_address")
    groups = children(members, "shipping_groups")
    return (
        _entry(MarketKind.SHOP, shop),
        _entry(MarketKind.RETURN_ADDRESS, back),
        *(_entry(MarketKind.SHIPPING_GROUP, group) for group in groups),
    )


def _entry(kind: MarketKind, tree: Tree) -> MarketEntry:
    address = optional_text(tree, "address")
    return MarketEntry(
        kind=kind,
        external_id=text(tree, "id"),
        name=text(tree, "name"),
        is_default=tree.get("is_default") is True,
        details={} if address is None else {"address": address},
    )
