"""Writes answers with the headers that the real service sends."""

import gzip
import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import replace

from hanro_rakuten_ichiba.simulator.assumptions import Assumptions
from hanro_rakuten_ichiba.simulator.messages import Answer
from simkit.clock import Clock
from simkit.exchange import Reply

JSON_TYPE = "application/json;charset=UTF-8"
XML_TYPE = "application/xml; charset=UTF-8"
# Of the catalogue's services: rakuten-ichiba-catalog 1.1 [2+], 6.5 [wire].
PLAIN_JSON_TYPE, NAVIGATION_TYPE = "application/json", "application/json; charset=utf-8"
CABINET_TYPE = "text/xml; charset=utf-8"
Headers = Sequence[tuple[str, str]]


def write_json(value: object) -> bytes:
    """Write JSON as the service does: no blanks, Japanese unescaped; what is no character becomes "?"."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", errors="replace")


def compressed(reply: Reply) -> Reply:
    """Give the same reply compressed."""
    return replace(
        reply, headers=(*reply.headers, ("Content-Encoding", "gzip")), body=gzip.compress(reply.body, mtime=0)
    )


class Answers:
    """Make replies; ids and cookies repeat with the seed. Source: rakuten-ichiba-orders 1.4 [wire], 10 [1]."""

    def __init__(self, clock: Clock, source: random.Random, assumptions: Assumptions) -> None:
        self._clock = clock
        self._source = source
        self._assumptions = assumptions

    def json(
        self,
        status: int,
        value: object,
        *,
        more: Headers = (),
        has_effect: bool = False,
        media_type: str = JSON_TYPE,
    ) -> Reply:
        """Reply with JSON."""
        assumed = self._assumptions
        headers = [
            ("Server", assumed.server),
            ("Content-Type", media_type),
            ("Cache-Control", "no-cache,no-store"),
            ("Pragma", "no-cache"),
            ("Vary", "Accept-Encoding"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-XSS-Protection", "1; mode=block"),
            ("RequestId", self._request_id()),
            ("Timestamp", self._timestamp()),
        ]
        if assumed.session_cookie:
            headers.append(("Set-Cookie", f"{assumed.session_cookie}={self._source.getrandbits(128):032X}; Path=/"))
        return Reply(status, (*headers, *more), write_json(value), has_effect)

    def answer(self, answer: Answer, media_type: str = JSON_TYPE) -> Reply:
        """Reply with a function's answer."""
        return self.json(answer.status, answer.value, has_effect=answer.has_effect, media_type=media_type)

    def xml(self, status: int, text: str, media_type: str = XML_TYPE) -> Reply:
        """Reply with XML, the shop family's unless another type is said."""
        headers = [
            ("content-type", media_type),
            ("x-request-id", self._request_id()),
            ("Timestamp", self._timestamp()),
        ]
        return Reply(status, headers, text.encode("utf-8"))

    def request_id(self) -> str:
        """Make the id that an answer carries."""
        return self._request_id()

    def errors(self, status: int, code: str, text: str, *, more: Headers = ()) -> Reply:
        """Refuse in the current gateway's shape. Source: rakuten-ichiba-orders 1.2 [2+]."""
        return self.json(status, {"errors": [{"code": code, "message": text}]}, more=more)

    def results(self, status: int, code: str, text: str) -> Reply:
        """Refuse in the older gateway's shape. Source: rakuten-ichiba-orders 1.2 [2+]."""
        return self.json(status, {"Results": {"errorCode": code, "message": text}})

    def _request_id(self) -> str:
        return str(uuid.UUID(int=self._source.getrandbits(128), version=4))

    def _timestamp(self) -> str:
        """Give UTC without its zone, as recorded."""
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%S")
