"""Talks with RMS WEB API: signs, takes its turn, and turns bytes and status into the six errors."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar
from xml.etree.ElementTree import Element

from hanro.errors import ContractBroken, NeedsSeller, Refusal, Retryable
from hanro.marketplace.port import Session, Turn
from hanro.marketplace.types import HttpAnswer, HttpRequest
from hanro.value import value
from hanro_rakuten_ichiba.declared.credential_form import LICENSE_KEY, SERVICE_SECRET
from hanro_rakuten_ichiba.declared.grants import KEY_MENU, KEY_REMEDY
from hanro_rakuten_ichiba.decoding import Document, decode
from hanro_rakuten_ichiba.functions import Family, Function, Question
from hanro_rakuten_ichiba.messages import Message, read_messages, read_results
from hanro_rakuten_ichiba.refusals import header, judge, unreadable, without_secrets
from hanro_rakuten_ichiba.shop_xml import is_missing, read_result
from hanro_rakuten_ichiba.speaking import Word, word_of

Answered = TypeVar("Answered")
# Exactly so: without the charset some shops got 415 (rakuten-ichiba-orders 1.2).
JSON_TYPE = "application/json; charset=utf-8"
XML_TYPE = "application/xml; charset=utf-8"
_NOT_FOUND = 404
_REPEATS = 2
_PAUSE_SECONDS = 1.0
# A slow marketplace is not asked again: the lease would end before it answers.
_QUICK_SECONDS = 5.0

_XML_FAMILIES = frozenset({Family.SHOP, Family.CABINET})


@value
class Reply:
    """Hold what a function said: 200, or 400 with its messages; `request_id` is what their support asks for.

    `results` is what a queued request came to, by order.
    """

    status: int
    document: Document
    messages: tuple[Message, ...]
    results: Mapping[str | None, tuple[Message, ...]]
    sent_at: datetime
    request_id: str | None

    def refusal_of(self, message: Message) -> Refusal:
        """Give one of its messages as a refusal, verbatim, secrets out."""
        return message.refusal(self.status, self.request_id)


class Client:
    """Call functions for one shop, as the session paces it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def read(self, function: Function, body: Mapping[str, object]) -> Reply:
        """Ask, again up to twice where the marketplace failed quickly.

        Raises:
            Retryable: throttled, unavailable, a key that settles, or the lease is over.
            NeedsSeller: key refused or function not permitted; names the grant.
            ContractBroken: unreadable.
        """
        return await self._repeat(lambda: self.ask(function, body))

    async def look_up(self, function: Function, query: tuple[tuple[str, str], ...] = ()) -> Reply:
        """Get a JSON answer, again up to twice; errors as `read`."""
        return await self._repeat(lambda: self.get(function, query))

    async def ask(self, function: Function, body: Mapping[str, object], *, has_effect: bool = False) -> Reply:
        """Post once to the order family.

        Raises:
            InDoubt: with `has_effect`, no answer or none that can be read.
            Retryable, NeedsSeller: as `read`; a write was surely not carried out.
            ContractBroken: as `read`; whether a write was carried out is not known.
        """
        content = _write(body)
        request = HttpRequest(
            method=function.method,
            path=function.path,
            headers={"Authorization": self._authorization(function), "Content-Type": JSON_TYPE},
            body=content,
            has_effect=has_effect,
        )
        return await self._hear(function, request)

    async def get(self, function: Function, query: tuple[tuple[str, str], ...] = ()) -> Reply:
        """Get once a JSON answer; errors as `read`."""
        return await self._hear(function, self._get(function, query, "application/json"))

    async def read_shop(self, function: Function, query: tuple[tuple[str, str], ...] = ()) -> Element | None:
        """Get `result` of the shop family, again up to twice; None: there is no such data. Errors as `read`."""
        return await self._repeat(lambda: self._ask_shop(function, query))

    async def _ask_shop(self, function: Function, query: tuple[tuple[str, str], ...]) -> Element | None:
        request = self._get(function, query, "application/xml")
        async with self._session.pacer.turn(function.group) as turn:
            answer = await self._session.http.send(request, turn)
            if answer.status == _NOT_FOUND and is_missing(answer.body):
                return None
            self._check(answer, function, turn, has_effect=False)
            try:
                return read_result(answer.body)
            except ValueError:
                if "html" not in (header(answer, "content-type") or "").lower():
                    what = f"the answer of {function.name} cannot be read"
                    raise ContractBroken(what, code="unreadable") from None
                raise unreadable(answer, function, has_effect=False) from None

    async def touch(self, function: Function, question: Question) -> Word:
        """Ask a function its smallest question once and give its own word, whatever that is; errors as `read`."""
        if question.xml:
            content, media_type = question.xml.encode(), XML_TYPE
        elif question.body is not None:
            content, media_type = _write(question.body), JSON_TYPE
        else:
            content, media_type = b"", ""
        request = HttpRequest(
            method=function.method,
            path=question.path,
            query=question.query,
            headers={
                "Authorization": self._authorization(function),
                "Accept": "application/xml" if function.family in _XML_FAMILIES else "application/json",
                **({"Content-Type": media_type} if media_type else {}),
            },
            body=content,
            has_effect=False,
        )
        async with self._session.pacer.turn(function.group) as turn:
            answer = await self._session.http.send(request, turn)
            # A service refuses with statuses that the gateway uses too: who spoke is told by the words alone.
            word = word_of(function, answer)
            if word is None:
                self._check(answer, function, turn, has_effect=False)
                raise unreadable(answer, function, has_effect=False)
        return word

    async def _repeat(self, call: Callable[[], Awaitable[Answered]]) -> Answered:
        for _ in range(_REPEATS):
            started = self._session.clock.monotonic()
            try:
                return await call()
            except (Retryable, ContractBroken) as failure:
                is_slow = self._session.clock.monotonic() - started > _QUICK_SECONDS
                if is_slow or not _is_passing(failure):
                    raise
            await self._session.clock.sleep(_PAUSE_SECONDS)
        return await call()

    async def _hear(self, function: Function, request: HttpRequest) -> Reply:
        # Read inside the turn: what cannot be read counts for the breaker like what is refused.
        async with self._session.pacer.turn(function.group) as turn:
            answer = await self._send(function, request, turn)
            try:
                document = decode(answer.body)
            except ValueError:
                # Without its cause, which holds the whole answer.
                raise unreadable(answer, function, has_effect=request.has_effect) from None

        def hide(text: str) -> str:
            return without_secrets(text, self._session.secrets)

        return Reply(
            status=answer.status,
            document=document,
            messages=read_messages(document.members, hide),
            results=read_results(document.members, hide),
            sent_at=answer.sent_at,
            request_id=header(answer, "requestid") or header(answer, "x-request-id"),
        )

    async def _send(self, function: Function, request: HttpRequest, turn: Turn) -> HttpAnswer:
        answer = await self._session.http.send(request, turn)
        self._check(answer, function, turn, has_effect=request.has_effect)
        return answer

    def _check(self, answer: HttpAnswer, function: Function, turn: Turn, *, has_effect: bool) -> None:
        """Raise what the gateway's refusal means, and narrow the group that was called too often."""
        failure = judge(answer, function, self._session.secrets, self._session.clock.now(), has_effect=has_effect)
        if isinstance(failure, Retryable) and failure.code == "throttled":
            turn.throttled(failure.after)
        if failure is not None:
            raise failure

    def _get(self, function: Function, query: tuple[tuple[str, str], ...], accept: str) -> HttpRequest:
        return HttpRequest(
            method=function.method,
            path=function.path,
            query=query,
            headers={"Authorization": self._authorization(function), "Accept": accept},
            has_effect=False,
        )

    def _authorization(self, function: Function) -> str:
        """Sign. Source: rakuten-ichiba-orders 1 [2+] [wire]."""
        secrets = self._session.secrets.values
        pair = [secrets.get(name, "") for name in (SERVICE_SECRET, LICENSE_KEY)]
        if not all(pair):
            raise NeedsSeller(
                "the shop's key is not complete",
                code="credential-refused",
                field=SERVICE_SECRET if not pair[0] else LICENSE_KEY,
                grant_id=function.grant_id,
                remedy=KEY_REMEDY,
                menu=KEY_MENU,
            )
        return "ESA " + base64.b64encode(":".join(pair).encode()).decode("ascii")


def _write(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _is_passing(failure: Retryable | ContractBroken) -> bool:
    """Tell whether asking again at once may help: no wait was asked for, and it was no answer of theirs."""
    if isinstance(failure, ContractBroken):
        return failure.refusal is None
    return failure.code == "unavailable" and failure.after is None
