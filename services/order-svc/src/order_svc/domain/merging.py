"""Joins what a file says of an order with what files said of it before: blanks keep, or clear what the file covers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from hanro.marketplace.types import OrderStatus, SeenOrder
from order_svc.domain.orders import Order
from order_svc.domain.readings import SEEN

Mode = Literal["update", "overwrite"]

# What a file says of itself, or what is computed of it, is never a blank.
_ALWAYS_NEW = frozenset(
    {"external_id", "seen_at", "placed", "has_all_lines", "lacks", "holds", "is_test", "raw", "differences"}
)
_ID_OF_PACKAGES = "packages.external_id"
_WHOLE = (frozenset({"text", "money"}), frozenset({"at", "local"}))
_PHASE: Mapping[OrderStatus, int] = {
    OrderStatus.PENDING: 0,
    OrderStatus.NEW: 1,
    OrderStatus.ACCEPTED: 2,
    OrderStatus.ON_HOLD: 2,
    OrderStatus.READY: 3,
    OrderStatus.CANCELLING: 3,
    OrderStatus.SHIPPED: 4,
    OrderStatus.COMPLETED: 5,
    OrderStatus.CANCELLED: 6,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Be on what terms a file is taken in; `covers` are the fields that its layout states."""

    mode: Mode
    reserves_stock: bool
    covers: frozenset[str]


def bytes_of(seen: SeenOrder, terms: Terms) -> bytes:
    """Give an order's rows as bytes that tell, where they are equal, that a file says the same on the same terms."""
    return _heading(terms.mode, terms.reserves_stock) + seen.raw


@cache
def _heading(mode: Mode, reserves_stock: bool) -> bytes:  # noqa: FBT001  the key of a cache
    said = {"mode": mode, "reserves_stock": reserves_stock}
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def merged(seen: SeenOrder, known: Order, personal: Mapping[str, Any] | None, terms: Terms) -> SeenOrder:
    """Give what a file says now with what files said before; `personal` is the buyer's part that is stored.

    Update: what is blank stays as it was. Overwrite: what is blank goes, as far as the layout covers it. A line never
    goes back to where it was before: nobody knows how old a file is.
    """
    before = _stored(known, personal)
    now: dict[str, Any] = SEEN.dump_python(replace(seen, raw=b""), mode="json")
    _call_packages_alike(before, now, terms.covers)
    joined = {
        name: value if name in _ALWAYS_NEW else _joined(before.get(name), value, name, terms)
        for name, value in now.items()
    }
    found = replace(SEEN.validate_python(joined), raw=seen.raw)
    statuses = {line["external_id"]: (line["status"], line["status_text"]) for line in before.get("lines", ())}
    return replace(found, lines=tuple(_forward(line, statuses.get(line.external_id)) for line in found.lines))


def _stored(known: Order, personal: Mapping[str, Any] | None) -> dict[str, Any]:
    sheet: dict[str, Any] = json.loads(known.sheet)
    told = dict(personal or {})
    packages, reasons = ({one["external_id"]: one for one in told.pop(name, ())} for name in ("packages", "claims"))
    # The sheet says a part alone of what is personal: of an address without its lines nothing can be kept.
    sheet["packages"] = [
        {**one, "address": None, **packages.get(one["external_id"], {})} for one in sheet.get("packages", ())
    ]
    sheet["claims"] = [{**one, "reason": "", **reasons.get(one["external_id"], {})} for one in sheet.get("claims", ())]
    sheet["payments"] = [{**one, "details": {}} for one in sheet.get("payments", ())]
    return sheet | told


def _call_packages_alike(before: dict[str, Any], now: dict[str, Any], covers: frozenset[str]) -> None:
    """Give the destinations of two files one name each where one layout knows their ids and the other counts them.

    The names of the layout that knows them stay; destinations of files stand in one order.
    """
    told, tells = ([one["external_id"] for one in said.get("packages", ())] for said in (before, now))
    if len(told) != len(tells) or set(told) & set(tells):
        return
    knows = _ID_OF_PACKAGES in covers
    names = dict(zip(told, tells, strict=True) if knows else zip(tells, told, strict=True))
    said = before if knows else now
    said["packages"] = [{**one, "external_id": names[one["external_id"]]} for one in said.get("packages", ())]
    said["lines"] = [
        {**one, "package_id": names.get(one["package_id"], one["package_id"])} for one in said.get("lines", ())
    ]


def _joined(before: Any, now: Any, path: str, terms: Terms) -> Any:
    return _updated(before, now) if terms.mode == "update" else _overwritten(before, now, path, terms.covers)


def _updated(before: Any, now: Any) -> Any:
    if _is_blank(now):
        return now if _is_blank(before) else before
    if _are_parts(before, now):
        return {name: _updated(before.get(name), now.get(name)) for name in {**before, **now}}
    if _are_named(now) and isinstance(before, list):
        return [_updated(_match(one, before), one) for one in now]
    return now


def _overwritten(before: Any, now: Any, path: str, covers: frozenset[str]) -> Any:
    if path in covers:
        return now
    if not any(one.startswith(f"{path}.") for one in covers):
        return now if _is_blank(before) else before
    if _are_parts(before, now):
        parts = {
            name: _overwritten(before.get(name), now.get(name), f"{path}.{name}", covers) for name in {**before, **now}
        }
        # Of what is kept by names of theirs, one that is covered and not told any more goes whole.
        return {name: value for name, value in parts.items() if value is not None or name in now}
    if isinstance(now, list) and isinstance(before, list):
        matched = [_match(one, before) if _are_named(now) else _at(before, place) for place, one in enumerate(now)]
        # The entries themselves are covered as far as their members are.
        return [
            _overwritten(old, one, path, covers) if isinstance(old, dict) and isinstance(one, dict) else one
            for old, one in zip(matched, now, strict=True)
        ]
    return now


def _are_parts(before: Any, now: Any) -> bool:
    return isinstance(before, dict) and isinstance(now, dict) and frozenset(now) not in _WHOLE


def _are_named(entries: Any) -> bool:
    return isinstance(entries, list) and all(isinstance(one, dict) and one.get("external_id") for one in entries)


def _match(entry: Mapping[str, Any], before: Sequence[Any]) -> Any:
    wanted = entry["external_id"]
    return next((one for one in before if isinstance(one, dict) and one.get("external_id") == wanted), None)


def _at(entries: Sequence[Any], place: int) -> Any:
    return entries[place] if place < len(entries) else None


def _is_blank(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _forward(line: Any, known: tuple[str, str] | None) -> Any:
    if known is None or _PHASE[line.status] >= _PHASE[OrderStatus(known[0])]:
        return line
    return replace(line, status=OrderStatus(known[0]), status_text=known[1])
