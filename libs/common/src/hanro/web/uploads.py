"""Takes an uploaded file in as it comes, raw or in a form; nothing of it is kept here, on disk or in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import Message
from typing import Final

from starlette.requests import Request

from hanro.web.problems import FieldFault, Problem

FORM: Final = "multipart/form-data"
CSV: Final = "text/csv"
LARGEST_HEAD = 4 * 1024
LARGEST_FIELD = 1000
LONGEST_BOUNDARY = 70
_END_OF_HEAD = b"\r\n\r\n"

Take = Callable[[bytes], Awaitable[None]]


def media_type_of(request: Request) -> str:
    """Give what a body says to be, in small letters, without parameters; "" where it does not say."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def receive(request: Request, take: Take) -> dict[str, str]:
    """Hand the bytes of a file over as they come, and give the other fields of its form, by name.

    `text/csv` is the file itself; of `multipart/form-data` it is the one part with a file name, wherever it stands.

    Raises:
        Problem: 415 where the body is neither; 422 where a form cannot be read, or has no file or two.
    """
    match media_type_of(request):
        case "text/csv":
            async for chunk in request.stream():
                await take(chunk)
            return {}
        case "multipart/form-data":
            return await _Form(_boundary(request), take).read(request.stream())
    raise Problem(
        status=415, code="media-type-unsupported", detail=f"The body must be {CSV}, or {FORM} with the file in it."
    )


class _Form:
    """Read a form part by part. Source: RFC 7578, RFC 2046 5.1."""

    def __init__(self, boundary: bytes, take: Take) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._take = take
        # As if a line had ended before it: the first delimiter then looks like the others.
        self._buffer = bytearray(b"\r\n")
        self._fields: dict[str, str] = {}
        self._has_file = False

    async def read(self, stream: AsyncIterator[bytes]) -> dict[str, str]:
        await self._until(self._delimiter, stream, None)
        while (behind := await self._exactly(2, stream)) != b"--":
            if behind != b"\r\n":
                raise _malformed("a part does not begin on a line of its own")
            head = bytearray()
            await self._until(_END_OF_HEAD, stream, head, largest=LARGEST_HEAD, before=b"\r\n")
            await self._read_part(_named(bytes(head)), stream)
        async for _ in stream:
            pass  # what stands behind the last part says nothing
        if not self._has_file:
            raise _malformed("it has no part with a file name", "file-missing")
        return self._fields

    async def _read_part(self, part: Message, stream: AsyncIterator[bytes]) -> None:
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise _malformed("a part has no name")
        if part.get_filename() is not None:
            if self._has_file:
                raise _malformed("it has two files")
            self._has_file = True
            await self._until(self._delimiter, stream, None, take=self._take)
            return
        value = bytearray()
        await self._until(self._delimiter, stream, value, largest=LARGEST_FIELD)
        try:
            self._fields[name] = value.decode()
        except UnicodeDecodeError:
            raise _malformed("a field is not in UTF-8") from None

    async def _until(
        self,
        mark: bytes,
        stream: AsyncIterator[bytes],
        kept: bytearray | None,
        *,
        largest: int = 0,
        before: bytes = b"",
        take: Take | None = None,
    ) -> None:
        """Read to a mark and past it; what stands before it is kept, taken, or passed over."""
        if before:
            self._buffer[:0] = before
        while True:
            place = self._buffer.find(mark)
            # A mark may have come in part.
            end = place if place >= 0 else max(0, len(self._buffer) - len(mark) + 1)
            piece = bytes(self._buffer[:end])
            del self._buffer[: end + len(mark) if place >= 0 else end]
            if kept is not None:
                kept += piece
                if len(kept) > largest:
                    raise _malformed("a field is too long")
            if take is not None and piece:
                await take(piece)
            if place >= 0:
                return
            await self._more(stream)

    async def _exactly(self, count: int, stream: AsyncIterator[bytes]) -> bytes:
        while len(self._buffer) < count:
            await self._more(stream)
        found = bytes(self._buffer[:count])
        del self._buffer[:count]
        return found

    async def _more(self, stream: AsyncIterator[bytes]) -> None:
        while (chunk := await anext(stream, None)) == b"":
            continue
        if chunk is None:
            raise _malformed("it ends too early")
        self._buffer += chunk


def _boundary(request: Request) -> bytes:
    said = Message()
    said["content-type"] = request.headers["content-type"]
    found = said.get_boundary()
    if not found or len(found) > LONGEST_BOUNDARY or not found.isascii():
        raise _malformed("its boundary is missing")
    return found.encode()


def _named(head: bytes) -> Message:
    part = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, is_there, text = line.partition(":")
        if is_there and name.strip().lower() == "content-disposition":
            part["content-disposition"] = text.strip()
    return part


def _malformed(why: str, code: str = "form-malformed") -> Problem:
    fault = FieldFault(code=code, detail=why, pointer="")
    return Problem(status=422, code="request-malformed", detail=f"The form cannot be read: {why}.", errors=[fault])
