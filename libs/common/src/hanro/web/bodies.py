"""Reads request bodies within their bounds, and refuses texts that no database can hold."""

import asyncio
import json

from starlette.requests import Request
from starlette.types import Message

from hanro.web.problems import FieldFault, Problem

# Python refuses to read numbers of thousands of digits.
LONGEST_LENGTH = 18
LINGER_SECONDS = 5.0
LINGER_BYTES = 16 * 1024 * 1024


class Arriving:
    """Be a request that knows whether its body is still arriving."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._is_over = False
        self.request = Request(request.scope, self._next)

    async def _next(self) -> Message:
        message = await self._receive()
        self._is_over = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def let_finish(self) -> None:
        """Drop what is still being sent, for 5 s and 16 MiB at most, before the answer closes the connection.

        Closed over bytes that nobody read it is reset, and who still sends never sees the answer. Who asked first
        (`Expect`) sends nothing unless it is read. Source: RFC 9112 9.6, RFC 9110 10.1.1.
        """
        count = 0
        if "expect" in self.request.headers:
            return
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._is_over and count < LINGER_BYTES:
                    count += len((await self._next()).get("body", b""))
        except TimeoutError:
            return


async def read(request: Request, largest_bytes: int) -> bytes:
    """Read the whole body.

    Raises:
        Problem: 413 as soon as more than `largest_bytes` are announced or have come; 400 where its length is no number.
    """
    _check_announced(request, largest_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest_bytes:
            raise _too_large(largest_bytes)
    return bytes(body)


def bounded(request: Request, largest_bytes: int) -> Request:
    """Give the request with a body that is read as it comes, and ends with a problem where it is too large.

    Raises:
        Problem: as `read` does; for what was not announced only while the body is read.
    """
    _check_announced(request, largest_bytes)
    count = 0

    async def receive() -> Message:
        nonlocal count
        message = await request.receive()
        count += len(message.get("body", b""))
        if count > largest_bytes:
            raise _too_large(largest_bytes)
        return message

    return Request(request.scope, receive)


def again(request: Request, body: bytes) -> Request:
    """Give the request with its body to be read once more."""
    is_read = False

    async def receive() -> Message:
        nonlocal is_read
        if is_read:
            return await request.receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)


def refuse_unstorable(body: bytes) -> None:
    """Refuse JSON with U+0000 or lone surrogates in its texts: Postgres stores neither.

    Raises:
        Problem: 422, with a pointer to the text.
    """
    # Only an escape can bring them: raw U+0000 and raw surrogates are no JSON and no UTF-8.
    lowered = body.lower()
    if b"\\u0000" not in lowered and b"\\ud" not in lowered:
        return
    try:
        pointer = _unstorable(json.loads(body), "")
    except (ValueError, RecursionError):
        return  # FastAPI says where it is malformed, or that it nests too deep
    if pointer is not None:
        fault = FieldFault(code="text-unstorable", detail="holds U+0000 or a lone surrogate", pointer=pointer[:200])
        raise Problem(
            status=422,
            code="request-malformed",
            detail="A text holds characters that cannot be stored.",
            errors=[fault],
        )


def _unstorable(value: object, pointer: str) -> str | None:
    match value:
        case str():
            return pointer if _is_unstorable(value) else None
        case list():
            found = (_unstorable(one, f"{pointer}/{place}") for place, one in enumerate(value))
            return next((one for one in found if one is not None), None)
        case dict():
            if any(_is_unstorable(key) for key in value):
                return pointer
            found = (_unstorable(one, f"{pointer}/{key}") for key, one in value.items())
            return next((one for one in found if one is not None), None)
    return None


def _is_unstorable(text: str) -> bool:
    return any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text)


def _check_announced(request: Request, largest_bytes: int) -> None:
    announced = request.headers.get("content-length")
    if announced is not None and not announced.isdecimal():
        raise Problem(status=400, code="request-malformed", detail="Content-Length is no number")
    if announced is not None and (len(announced) > LONGEST_LENGTH or int(announced) > largest_bytes):
        raise _too_large(largest_bytes)


def _too_large(largest_bytes: int) -> Problem:
    return Problem(
        status=413,
        code="body-too-large",
        detail=f"The body is larger than {largest_bytes} bytes: send it in parts.",
        # What was not read stays in the connection.
        headers={"Connection": "close"},
    )
