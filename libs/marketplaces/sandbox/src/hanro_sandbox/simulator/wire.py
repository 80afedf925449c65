"""Speaks the protocol's JSON: reads what a function is asked, writes answers, refusals and times."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from simkit.exchange import Reply

JAPAN = ZoneInfo("Asia/Tokyo")
JSON_TYPE = "application/json; charset=utf-8"
Tree = dict[str, Any]


class Refused(Exception):
    """Refuse a whole request: nothing of it was carried out."""

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.more = more


def read_body(body: bytes) -> Tree:
    """Read one JSON object; nothing at all is an empty one."""
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "malformed", "JSON のオブジェクトではありません。")
    return found


def listed(body: Tree, name: str, most: int) -> list[Any]:
    """Read a list that must be there."""
    found = body.get(name)
    if not isinstance(found, list):
        raise Refused(422, "missing", f"{name} がありません。", field=name)
    if len(found) > most:
        raise Refused(422, "too_many", f"{name} は {most} 件までです。", field=name)
    return found


def entries(body: Tree, name: str, most: int) -> list[Tree]:
    """Read a list of objects that must be there."""
    found = listed(body, name, most)
    if not all(isinstance(one, dict) for one in found):
        raise Refused(422, "malformed", f"{name} はオブジェクトのリストです。", field=name)
    return found


def answer(value: Mapping[str, object], status: int = 200, *, has_effect: bool = False) -> Reply:
    """Answer with an object."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, (("Content-Type", JSON_TYPE),), body, has_effect=has_effect)


def refuse(refused: Refused) -> Reply:
    """Answer a refusal."""
    error = {"code": refused.code, "message": refused.message, **refused.more}
    return answer({"error": error}, refused.status)


def throttled(wait_seconds: float) -> Reply:
    """Say that there were too many calls."""
    wait = str(max(1, math.ceil(wait_seconds)))
    error = {"code": "too_many_calls", "message": "呼び出しが多すぎます。"}
    body = json.dumps({"error": error}, ensure_ascii=False).encode()
    return Reply(429, (("Content-Type", JSON_TYPE), ("Retry-After", wait)), body)


def write_moment(at: datetime) -> str:
    """Write a time as the sandbox shows it: Japan's, to the second, with its offset."""
    return at.astimezone(JAPAN).isoformat(timespec="seconds")


def read_moment(text: object, name: str) -> datetime:
    """Read a time with an offset."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise Refused(422, "malformed", f"{name} は日時ではありません。", field=name) from None
    if at.tzinfo is None:
        raise Refused(422, "malformed", f"{name} に時差がありません。", field=name)
    return at.astimezone(UTC)
