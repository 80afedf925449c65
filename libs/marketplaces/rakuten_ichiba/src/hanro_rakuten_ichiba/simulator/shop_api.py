"""Answers the shop family in its XML."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from xml.sax.saxutils import escape

from hanro_rakuten_ichiba.simulator.fields import read_number
from hanro_rakuten_ichiba.simulator.japan_time import day_in_japan, read_date
from hanro_rakuten_ichiba.simulator.shop_set_up import RESOURCES, Entry, Resource
from hanro_rakuten_ichiba.simulator.shops import Shop

NAMESPACE = "http://rakuten.co.jp/rms/mall/shop/biz/api/model/resource"
# Status and text of each result code. Source: rakuten-ichiba-orders 10 [2+].
RESULTS = {
    "N000": (200, "Succeeded."),
    "S900": (500, "Under maintenance."),
    "S901": (500, "The Service is currently in read-only mode."),
    "C001": (400, "Request parameter is invalid."),
    "C003": (400, "Requested resource is not found."),
    "C005": (400, "Requested MediaType is not supported."),
    "C007": (400, "Request Model is invalid."),
    "C008": (404, "Requested data is not found."),
    "E999": (500, "Unknown Execution error."),
    # No code of theirs: what is written is not played.
    "SIM-501": (501, "(not simulated: writing is played up to its refusals)"),
}
_MODELS = re.compile(rb"<(?:update|insert|input|delete)Model[\s/>]")
_DEFAULT_PERIOD, _LONGEST_PERIOD = 90, 180
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Element:
    """Hold one element: a text, or children."""

    name: str
    content: "str | Sequence[Element]"

    def is_plain(self) -> bool:
        """Tell whether nothing but texts is inside."""
        return not isinstance(self.content, str) and all(isinstance(child.content, str) for child in self.content)


def read_resource(
    shop: Shop, name: str, argument: str, query: Sequence[tuple[str, str]], now: datetime
) -> tuple[int, str]:
    """Give status and XML of one resource. Source: rakuten-ichiba-orders 10."""
    resource, asked, entries = RESOURCES[name], dict(query), shop.resources[name]
    match name:
        case "shopStatus":
            found = [entry for entry in entries if entry.get("statusKey") == argument]
            return _result(name, _members(found[0])) if found else write_result("C008")
        case _ if not entries:
            return write_result("C008")
        case "shopCalendar":
            return _read_calendar(entries[0], asked, now)
        case _ if not resource.holder:
            return _result(name, [Element(name, _members(entries[0]))])
        case _:
            return _read_list(name, resource, entries, asked)


def refuse_write(content_type: str | None, body: bytes) -> tuple[int, str]:
    """Give status and XML of a write: without a model it is refused, with one it is not played.

    Source: rakuten-ichiba-orders 10 [2+] for the models; which code refuses what [?].
    """
    if content_type is not None and "xml" not in content_type.lower():
        return write_result("C005")
    return write_result("SIM-501" if _MODELS.search(body) else "C007")


def write_result(code: str, *, field_id: str | None = None, result: str = "") -> tuple[int, str]:
    """Give status and XML of a result code; `fieldId` names the parameter of C001, its place is assumed [?]."""
    status, text = RESULTS[code]
    field = "" if field_id is None else f"<fieldId>{escape(field_id)}</fieldId>"
    return status, (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<shopbiz:shopBizApiResponse xmlns:shopbiz="{NAMESPACE}">\n'
        f"  <resultCode>{code}</resultCode>\n"
        f"  <resultMessageList><resultMessage><code>{code}</code><message>{text}</message>{field}"
        "</resultMessage></resultMessageList>\n"
        f"{result}</shopbiz:shopBizApiResponse>\n"
    )


def _result(name: str, children: Sequence[Element]) -> tuple[int, str]:
    inner = "".join(_write(child, "    ") for child in children)
    return write_result(
        "N000",
        result=(
            '  <result xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:type="shopbiz:{name}BizModel">\n{inner}  </result>\n'
        ),
    )


def _read_list(name: str, resource: Resource, entries: Sequence[Entry], asked: Mapping[str, str]) -> tuple[int, str]:
    """Show a list, narrowed by the resource's own parameters; others are ignored."""
    narrowed = {key: asked[key] for key in resource.keys if key in asked}
    for key, value in narrowed.items():
        if not value.isdecimal():
            return write_result("C001", field_id=key)
    found = [entry for entry in entries if all(entry.get(key) == value for key, value in narrowed.items())]
    if not found:
        return write_result("C008")
    shown = Element(resource.holder, [Element(resource.entry, _members(entry)) for entry in found])
    return _result(name, [Element("shopAreaSoryoWrapper", [shown]) if name == "shopAreaSoryo" else shown])


def _read_calendar(calendar: Entry, asked: Mapping[str, str], now: datetime) -> tuple[int, str]:
    """Show the calendar from a day (today) for a period of days (90, at most 180)."""
    first = read_date(asked["fromDate"]) if "fromDate" in asked else day_in_japan(now)
    period = read_number(asked["period"]) if "period" in asked else _DEFAULT_PERIOD
    if first is None or first > date.max - timedelta(days=_LONGEST_PERIOD):
        return write_result("C001", field_id="fromDate")
    if period is None or not 1 <= period <= _LONGEST_PERIOD:
        return write_result("C001", field_id="period")
    last = first + timedelta(days=period - 1)
    days = (first.strftime("%Y%m%d"), last.strftime("%Y%m%d"))
    parts = [Element(part, _schedule(plan, days)) for part, plan in calendar.items() if isinstance(plan, dict)]
    return _result("shopCalendar", [Element("shopCalendar", parts)])


def _schedule(plan: Entry, days: tuple[str, str]) -> list[Element]:
    """Make the weekdays and those dates that lie in the period; other members as they are."""
    first, last = days
    elements = []
    for name, value in plan.items():
        if name == "regularSchedule" and isinstance(value, list):
            elements.append(Element(name, [Element("weekday", str(day)) for day in value]))
        elif name == "eventDates" and isinstance(value, list):
            dates = [str(day) for day in value if first <= str(day) <= last]
            elements.append(Element(name, [Element("eventDate", day) for day in dates]))
        else:
            elements += _members({name: value})
    return elements


def _members(entry: Entry) -> list[Element]:
    """Make the members of an entry; a list holds entries named like it without `List`, anything else is a text."""
    elements = []
    for name, value in entry.items():
        if isinstance(value, list):
            holder = name.removesuffix("List")
            inner = [Element(holder, _members(part) if isinstance(part, dict) else str(part)) for part in value]
            elements.append(Element(name, inner))
        else:
            elements.append(Element(name, str(value)))
    return elements


def _write(element: Element, indent: str) -> str:
    """Write an element on lines of its own; one that holds texts alone stands on one line, as in the sample."""
    return f"{indent}{_write_inline(element)}\n" if _is_short(element) else _write_block(element, indent)


def _is_short(element: Element) -> bool:
    return isinstance(element.content, str) or element.is_plain()


def _write_block(element: Element, indent: str) -> str:
    inner = "".join(_write(child, indent + "  ") for child in element.content if isinstance(child, Element))
    return f"{indent}<{element.name}>\n{inner}{indent}</{element.name}>\n"


def _write_inline(element: Element) -> str:
    if isinstance(element.content, str):
        # What XML 1.0 cannot hold at all.
        return f"<{element.name}>{_NO_XML.sub('?', escape(element.content))}</{element.name}>"
    return f"<{element.name}>{''.join(map(_write_inline, element.content))}</{element.name}>"
