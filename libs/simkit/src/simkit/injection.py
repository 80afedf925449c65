"""Turns a fault dial and an honest reply into what goes over the wire."""

import random
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from typing import Literal

from simkit.exchange import Caller, Marketplace, Reply, Request
from simkit.faults import Fault

GARBAGE_BYTES = 512
_MAINTENANCE = """<!DOCTYPE html>
<html><head><title>Maintenance</title></head>
<body><h1>ただいまメンテナンス中です</h1></body></html>
"""


@dataclass(frozen=True)
class Delivery:
    """State how a request ends.

    `reply` is what to send, None for nothing. `wait_seconds` (real) pass first. `ending`: "whole" sends all, "cut"
    declares the whole length and closes midway, "close" closes, "reset" resets. `honest` is what the marketplace
    really said, None when the request was not carried out.
    """

    reply: Reply | None
    honest: Reply | None
    wait_seconds: float = 0
    ending: Literal["whole", "cut", "close", "reset"] = "whole"


def _with_headers(reply: Reply, headers: dict[str, str]) -> Reply:
    """Replace headers by name, whatever the letter case; new ones come last."""
    wanted = {name.lower(): (name, value) for name, value in headers.items()}
    kept = [wanted.pop(name.lower(), (name, value)) for name, value in reply.headers]
    return replace_fields(reply, headers=(*kept, *wanted.values()))


def _without_length(reply: Reply) -> Reply:
    headers = tuple((name, value) for name, value in reply.headers if name.lower() != "content-length")
    return replace_fields(reply, headers=headers)


def _made_up(fault: Fault, status: int, content_type: str, body: bytes) -> Reply:
    reply = Reply(fault.status or status, (("Content-Type", content_type),), body)
    return _with_headers(reply, fault.headers)


def _in_wrong_charset(honest: Reply, fault: Fault) -> Reply:
    if fault.headers:
        return _with_headers(honest, fault.headers)
    body = honest.body.decode("utf-8", errors="replace").encode("cp932", errors="replace")
    return _without_length(replace_fields(honest, body=body))


def _spoil_answer(honest: Reply, fault: Fault) -> Delivery | None:
    """Spoil the way of the honest answer; None when the fault puts another answer in its place."""
    match fault.kind:
        case "slow":
            return Delivery(honest, honest, wait_seconds=fault.seconds or 0.0)
        case "cut-body":
            return Delivery(honest, honest, ending="cut")
        case "wrong-charset":
            return Delivery(_in_wrong_charset(honest, fault), honest)
        case "reset-after":
            return Delivery(None, honest, ending="reset")
        case _:
            return None


def _made_up_reply(fault: Fault, random_source: random.Random) -> Reply | None:
    body = None if fault.body is None else fault.body.encode("utf-8")
    match fault.kind:
        case "status":
            return _made_up(fault, 500, "text/plain; charset=utf-8", body or b"")
        case "html":
            return _made_up(fault, 200, "text/html; charset=UTF-8", _MAINTENANCE.encode() if body is None else body)
        case "garbage":
            return _made_up(fault, 200, "application/json;charset=UTF-8", random_source.randbytes(GARBAGE_BYTES))
        case _:
            return None


async def deliver(
    request: Request, caller: Caller, fault: Fault | None, marketplace: Marketplace, random_source: random.Random
) -> Delivery:
    """Carry the request out as far as the fault lets it, and say what is sent."""
    honest: Reply | None = None
    if fault is None or fault.is_applied:
        honest = await marketplace.answer(request, caller)
    if fault is None:
        return Delivery(honest, honest)
    spoilt = None if honest is None else _spoil_answer(honest, fault)
    if spoilt is not None:
        return spoilt
    made_up = _made_up_reply(fault, random_source)
    if made_up is not None:
        return Delivery(made_up, honest)
    match fault.kind:
        case "throttle":
            reply = marketplace.throttled(request, caller, fault.seconds or 1.0)
            return Delivery(_with_headers(reply, fault.headers), honest)
        case "silence":
            return Delivery(None, honest, wait_seconds=fault.seconds or 0.0, ending="close")
        case "reset-before":
            return Delivery(None, honest, ending="reset")
        case other:
            raise ValueError(f"a fault of kind {other} does not belong to HTTP")
