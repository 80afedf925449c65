"""Refuses controls that no answer could repeat: what a test puts into the state comes out of it again."""

import json

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def _is_repeatable(body: bytes) -> bool:
    """Tell whether a JSON text can be written again as UTF-8; what is no JSON is for others to word."""
    try:
        value = json.loads(body)
    except RecursionError:
        return False
    except ValueError:
        return True
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


class RepeatableBodies:
    """Answer 422 to a body with NaN, an infinite number, half a surrogate pair, or too many levels."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the whole body, and hand it on when it is sound."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        if not _is_repeatable(bytes(body)):
            detail = "the body holds a number or a character that JSON in UTF-8 cannot, or too many levels"
            refusal = JSONResponse({"detail": detail, "errors": [{"field": "", "message": detail}]}, status_code=422)
            await refusal(scope, receive, send)
            return
        waiting: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def receive_again() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, receive_again, send)
