"""Decodes answers of the order family so that numbers keep their characters and each order its own bytes."""

import json
import re

from hanro.value import value

ORDERS = "OrderModelList"
# A number stays the text that was sent: "1980.0", never a float (rakuten-ichiba-orders 2).
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_BLANKS = re.compile(r"[ \t\n\r]*")


@value
class Fragment:
    """Hold one element of OrderModelList: decoded, and its bytes as they were sent."""

    tree: object
    raw: bytes


@value
class Document:
    """Hold an answer: its members but the orders, and the orders one by one."""

    members: dict[str, object]
    orders: tuple[Fragment, ...] = ()


def decode(body: bytes) -> Document:
    """Decode one JSON object in UTF-8.

    Raises:
        ValueError: not UTF-8, no JSON, no object, or something behind it.
    """
    text = body.decode("utf-8")
    members: dict[str, object] = {}
    orders: tuple[Fragment, ...] = ()
    position = _expect(text, _skip(text, 0), "{")
    while not text.startswith("}", position):
        if not text.startswith('"', position):
            raise ValueError("a member has no name")
        key, position = _value(text, position)
        position = _expect(text, position, ":")
        if key == ORDERS and text.startswith("[", position):
            orders, position = _elements(text, position)
        else:
            members[str(key)], position = _value(text, position)
        position = _next(text, position, "}")
    if _skip(text, position + 1) != len(text):
        raise ValueError("the answer goes on behind its end")
    return Document(members=members, orders=orders)


def _elements(text: str, position: int) -> tuple[tuple[Fragment, ...], int]:
    """Read a list from its bracket; give its elements and where the next token begins."""
    fragments = []
    position = _skip(text, position + 1)
    while not text.startswith("]", position):
        start = position
        tree, end = _raw_value(text, start)
        fragments.append(Fragment(tree=tree, raw=text[start:end].encode()))
        position = _next(text, _skip(text, end), "]")
    return tuple(fragments), _skip(text, position + 1)


def _value(text: str, position: int) -> tuple[object, int]:
    """Read a value; give it and where the next token begins."""
    found, end = _raw_value(text, position)
    return found, _skip(text, end)


def _raw_value(text: str, position: int) -> tuple[object, int]:
    """Read a value; give it and where its own characters end."""
    try:
        return _DECODER.raw_decode(text, position)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _next(text: str, position: int, end: str) -> int:
    """Step over a comma; stay at the end mark."""
    if text.startswith(end, position):
        return position
    position = _expect(text, position, ",")
    if text.startswith(end, position):
        raise ValueError("a comma without a value")
    return position


def _expect(text: str, position: int, mark: str) -> int:
    if not text.startswith(mark, position):
        raise ValueError(f"{mark} expected at {position}")
    return _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return position if found is None else found.end()
