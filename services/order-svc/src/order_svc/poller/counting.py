"""Counts the requests that a piece of work sends."""

from dataclasses import replace

from hanro.marketplace.port import Http, Turn
from hanro.marketplace.types import HttpAnswer, HttpRequest
from hanro.sessions import OpenSession


class Counted:
    """Send as the session's own transport does, and count it."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._count = 0

    async def send(self, request: HttpRequest, turn: Turn) -> HttpAnswer:
        """Send once, as `Http.send` says; what was tried is counted, whatever comes of it."""
        self._count += 1
        return await self._http.send(request, turn)

    def take(self) -> int:
        """Give how many requests were sent since this was asked last."""
        count, self._count = self._count, 0
        return count


def counted(opened: OpenSession) -> tuple[OpenSession, Counted]:
    """Give the same open session with its requests counted, and who counts them."""
    counter = Counted(opened.session.http)
    return replace(opened, session=replace(opened.session, http=counter)), counter
