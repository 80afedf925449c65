"""Reads notices that the marketplace pushes: hints to fetch, believed only with the shop's key, never the truth."""

import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from lxml import etree

from hanro.marketplace.port import Secrets
from hanro.marketplace.types import HttpAnswer, Moment, Notice, NoticeKind, Notices
from hanro_rakuten_ichiba.declared.credential_form import NOTICE_AUTH_KEY

STORED, BAD_VALUES, WRONG_KEY, FAILED = "N-000-000", "E-400-100", "E-400-101", "E-400-900"
"""What is answered. Source: rakuten-ichiba-orders 11 [1]."""
LONGEST = 1024 * 1024
"""Bytes of a body that is read; one with a thousand orders is far shorter."""

_JAPAN = ZoneInfo("Asia/Tokyo")
_ORDER_ROOT, _SYSTEM_ROOT = "orderNotifyModel", "notifyModel"
_MARKUP = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,10}-[0-9]{8}-[0-9]{8,12}", re.ASCII)
_RELEASED = "5000"
# serviceId: rakuten-ichiba-orders 11 [1]. Of 5000 the type tells: ship, cancelled by Rakuten, instruction withdrawn.
_KINDS = {
    "3000": NoticeKind.FILE_DONE,
    "3100": NoticeKind.FILE_DONE,
    "4000": NoticeKind.ORDER_CHANGED,
    "4100": NoticeKind.RESTOCK_ASKED,
    "5100": NoticeKind.CAUTION,
}
_AUTHORISATIONS = {"1": NoticeKind.ORDER_RELEASED, "2": NoticeKind.ORDER_CANCELLED, "3": NoticeKind.ORDER_CHANGED}


def read_notice(body: bytes, secrets: Secrets) -> Notices:
    """Read one body; what is no notice, or has another key, gives none and their error reply.

    Both replies of a refusal are the same. Names that a body defines itself are never read, nothing is fetched.

    Source: rakuten-ichiba-orders 11 [1]; the names of values [?].
    """
    root = _parse(body)
    if root is None:
        return _refused(BAD_VALUES)
    key = secrets.values.get(NOTICE_AUTH_KEY, "")
    sent = (root.findtext("authModel/authKey") or "").strip()
    # In constant time, and no key of ours is no key of theirs.
    if not hmac.compare_digest(sent.encode(), key.encode()) or not key:
        return _refused(WRONG_KEY)
    found = {notice.external_id: notice for notice in _notices(root)}
    return Notices(notices=tuple(found.values()), stored=reply(STORED), failed=reply(FAILED))


def reply(code: str) -> HttpAnswer:
    """Write the answer with a result code; it is one of ours, so that it was sent at no time."""
    return HttpAnswer(
        status=200,
        headers=MappingProxyType({"Content-Type": "text/xml"}),
        body=f"<responseModel><resultCode>{code}</resultCode></responseModel>".encode("ascii"),
        sent_at=datetime.fromtimestamp(0, UTC),
    )


def _refused(code: str) -> Notices:
    return Notices(notices=(), stored=reply(code), failed=reply(code))


def _parse(body: bytes) -> etree._Element | None:
    if len(body) > LONGEST or _MARKUP.search(body):
        return None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    # In another encoding than ASCII's the markup is seen only now.
    if root.getroottree().docinfo.internalDTD is not None or root.tag not in (_ORDER_ROOT, _SYSTEM_ROOT):
        return None
    return root


def _notices(root: etree._Element) -> Iterator[Notice]:
    if root.tag == _ORDER_ROOT:
        for model in root.iterfind("orderInfoNotifyModel"):
            number = _text(model, "orderNumber")
            yield Notice(
                external_id=f"order-{_text(model, 'seqId') or number}",
                kind=NoticeKind.ORDER_PLACED,
                order_ids=(number,) if _NUMBER.fullmatch(number) else (),
                at=_moment(_text(model, "orderDate")),
            )
        return
    for model in root.iterfind("notifyInfoModel"):
        values = _values(model)
        service = _text(model, "serviceId")
        numbers = [found for found in values.values() if _NUMBER.fullmatch(found)]
        times = [at for found in values.values() if (at := _moment(found)) is not None]
        yield Notice(
            external_id=f"system-{_text(model, 'requestId') or '-'.join((service, *numbers[:1]))}",
            kind=_authorisation(values) if service == _RELEASED else _KINDS.get(service, NoticeKind.OTHER),
            order_ids=tuple(numbers[:1]),
            at=times[0] if times else None,
        )


def _authorisation(values: dict[str, str]) -> NoticeKind:
    """Read the type by its name, else by its place behind the order."""
    named = [found for name, found in values.items() if "type" in name.lower()]
    rest = [found for found in values.values() if found in _AUTHORISATIONS]
    return _AUTHORISATIONS.get((named or rest or [""])[0], NoticeKind.ORDER_CHANGED)


def _values(model: etree._Element) -> dict[str, str]:
    """Give value1 to value10 by their names; those without a name by their element."""
    return {
        str(child.get("name") or child.tag): (child.text or "").strip()
        for child in model
        if isinstance(child.tag, str) and child.tag.startswith("value")
    }


def _text(model: etree._Element, tag: str) -> str:
    return (model.findtext(tag) or "").strip()


def _moment(text: str) -> Moment | None:
    """Read yyyy/MM/dd HH:mm:ss of Japan; None where it is none: a hint needs no time."""
    try:
        at = datetime.strptime(text, "%Y/%m/%d %H:%M:%S").replace(tzinfo=_JAPAN)
    except ValueError:
        return None
    return Moment(at=at.astimezone(UTC), local=text)
