"""Speaks to a running stack as anybody outside would: REST through the gateway, controls of the simulator."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import httpx

TIMEOUT_SECONDS = 30.0
SECONDS_BETWEEN_LOOKS = 0.25


class Refused(Exception):
    """An answer was not as expected; the text names the call, the status and what was answered."""


@dataclass(frozen=True)
class Api:
    """Hold one HTTP client and where to go; `token` is read by everyone who may read this process."""

    client: httpx.AsyncClient
    base: str
    token: str = ""

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        expected: tuple[int, ...] = (200, 201, 202, 204),
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> httpx.Response:
        """Send one request; a POST carries an Idempotency-Key of its own, a PATCH changes whatever version stands.

        Who answers 503 with a time to come back is asked again then, for 30 s, unless 503 is expected. `more` are
        headers beside these, or in their place.

        Raises:
            Refused: a status that was not expected.
            httpx.HTTPError: no answer.
        """
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if method == "PATCH":
            headers["If-Match"] = "*"
        headers |= more
        end = asyncio.get_running_loop().time() + TIMEOUT_SECONDS
        while True:
            answer = await self.client.request(
                method, f"{self.base}{path}", json=body, headers=headers, timeout=TIMEOUT_SECONDS
            )
            if answer.status_code in expected:
                return answer
            pause = _pause(answer)
            if pause is None or asyncio.get_running_loop().time() + pause > end:
                raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:600]}")
            await asyncio.sleep(pause)

    async def pages(self, path: str) -> AsyncIterator[dict[str, object]]:
        """Yield the entries of a list over all its pages, by its `Link: rel="next"`."""
        here: str | None = path
        while here is not None:
            answer = await self.call("GET", here)
            for entry in answer.json()["items"]:
                yield entry
            following = answer.links.get("next", {}).get("url")
            here = None if following is None else httpx.URL(following).raw_path.decode()


async def until(seconds: float, is_done: Callable[[], object]) -> None:
    """Wait until `is_done()` (awaited where it is a coroutine) is true.

    Raises:
        TimeoutError: it was not within `seconds`.
    """
    async with asyncio.timeout(seconds):
        while True:
            answer = is_done()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


def _pause(answer: httpx.Response) -> int | None:
    said = answer.headers.get("Retry-After", "")
    return int(said) if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and said.isdecimal() else None
