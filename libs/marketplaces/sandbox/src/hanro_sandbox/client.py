"""Talks with the sandbox: signs, takes its turn, and turns bytes and status into the six errors."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hanro.errors import ContractBroken, NeedsSeller, Refusal, Rejected, Retryable
from hanro.marketplace.port import Session
from hanro.marketplace.types import HttpAnswer, HttpRequest
from hanro.value import value
from hanro_sandbox.declared.credential_form import API_KEY, SESSION_KEY, SHOP_ID
from hanro_sandbox.declared.grants import KEY_MENU, KEY_REMEDY
from hanro_sandbox.functions import Function
from hanro_sandbox.refusals import judge, unreadable, without_secrets

JSON_TYPE = "application/json; charset=utf-8"
_REPEATS = 2
_PAUSE_SECONDS = 1.0
# A slow marketplace is not asked again: the lease would end before it answers.
_QUICK_SECONDS = 5.0
# Numbers keep their characters, and `orders` stands first (README, Orders), so each keeps its own bytes.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_ORDERS = re.compile(r'\s*\{\s*"orders"\s*:\s*\[\s*')
_NEXT = re.compile(r"\s*,\s*")


@value
class Fragment:
    """Hold one order: decoded, and its bytes as they were sent."""

    tree: object
    raw: bytes


@value
class Reply:
    """Hold what a function said: its members, and orders one by one."""

    status: int
    members: Mapping[str, Any]
    orders: tuple[Fragment, ...]
    sent_at: datetime

    def refusal_of(self, result: Mapping[str, Any]) -> Refusal:
        """Give the words of one refused entry, verbatim."""
        code, message = (str(result.get(name) or "") for name in ("code", "message"))
        return Refusal(code=code, message=message, http_status=self.status)


class Client:
    """Call functions for one shop, as the session paces it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def read(self, function: Function, body: Mapping[str, object] | None = None) -> Reply:
        """Ask, again up to twice where the sandbox failed quickly.

        Raises:
            Retryable: throttled, unavailable, a key that settles, or the lease is over.
            NeedsSeller: key refused or function switched off; names the grant.
            ContractBroken: unreadable.
        """
        for _ in range(_REPEATS):
            started = self._session.clock.monotonic()
            try:
                return await self._asked(function, body)
            except Retryable as failure:
                is_slow = self._session.clock.monotonic() - started > _QUICK_SECONDS
                if is_slow or failure.code != "unavailable" or failure.after is not None:
                    raise
            await self._session.clock.sleep(_PAUSE_SECONDS)
        return await self._asked(function, body)

    async def _asked(self, function: Function, body: Mapping[str, object] | None) -> Reply:
        try:
            return await self.ask(function, body)
        except Rejected as failure:
            # What only reads is refused for nothing that a seller did.
            what = f"{function.name} refused what it was asked"
            raise ContractBroken(what, code="unreadable", refusal=failure.refusal) from None

    async def ask(
        self, function: Function, body: Mapping[str, object] | None = None, *, has_effect: bool = False
    ) -> Reply:
        """Ask once.

        Raises:
            InDoubt: with `has_effect`, no answer or none that can be read.
            Rejected: refused as a whole, without effect.
            Retryable, NeedsSeller: as `read`; a write was surely not carried out.
            ContractBroken: as `read`; whether a write was carried out is not known.
        """
        session = self._session
        request = HttpRequest(
            method=function.method,
            path=function.path,
            headers=self._headers(function),
            body=b"" if body is None else write(body),
            has_effect=has_effect,
        )
        # Read inside the turn: what cannot be read counts for the breaker like what is refused.
        async with session.pacer.turn(function.group) as turn:
            answer = await session.http.send(request, turn)
            failure = judge(answer, function, session.secrets, session.clock.now(), has_effect=has_effect)
            if isinstance(failure, Retryable) and failure.code == "throttled":
                turn.throttled(failure.after)
            if failure is not None:
                raise failure
            try:
                return _read(answer)
            except (ValueError, RecursionError):
                # Without its cause, which holds the whole answer.
                raise unreadable(answer, function, has_effect=has_effect) from None

    def hidden(self, text: str) -> str:
        """Take the shop's secrets out of a text of theirs."""
        return without_secrets(text, self._session.secrets)

    def _headers(self, function: Function) -> dict[str, str]:
        secrets = self._session.secrets.values
        key = secrets.get(SESSION_KEY) or secrets.get(API_KEY, "")
        if not key or not secrets.get(SHOP_ID):
            raise NeedsSeller(
                "the shop's key is not complete",
                code="credential-refused",
                field=SHOP_ID if key else API_KEY,
                grant_id=function.grant_id,
                remedy=KEY_REMEDY,
                menu=KEY_MENU,
            )
        return {"Authorization": f"Bearer {key}", "Shop-Id": secrets[SHOP_ID], "Content-Type": JSON_TYPE}


def write(body: Mapping[str, object]) -> bytes:
    """Write a body."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _read(answer: HttpAnswer) -> Reply:
    """Decode an answer.

    Raises:
        ValueError: not UTF-8, no JSON, or no object.
    """
    text = answer.body.decode("utf-8")
    orders: list[Fragment] = []
    if begun := _ORDERS.match(text):
        end = begun.end()
        while not text.startswith("]", end):
            start = end
            tree, end = _DECODER.raw_decode(text, start)
            orders.append(Fragment(tree=tree, raw=text[start:end].encode()))
            more = _NEXT.match(text, end)
            end = more.end() if more else end
            if not more and not text.startswith("]", end):
                raise ValueError("a list that does not end")
        text = '{"orders":[' + text[end:]
    members = json.loads(text)
    if not isinstance(members, dict) or "error" in members:
        raise ValueError("no object, or an error that is called a success")
    return Reply(status=answer.status, members=members, orders=tuple(orders), sent_at=answer.sent_at)
