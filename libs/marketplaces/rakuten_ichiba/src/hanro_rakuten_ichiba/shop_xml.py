"""Reads answers of the shop family: XML in, the payload of `result` out."""

import re
from xml.etree import ElementTree as ET

SUCCEEDED, MISSING = "N000", "C008"
_ROOT = "{http://rakuten.co.jp/rms/mall/shop/biz/api/model/resource}shopBizApiResponse"
_MARKUP = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MISSING = re.compile(rb"<resultCode>\s*C008\s*</resultCode>")


def is_missing(body: bytes) -> bool:
    """Tell whether an answer says that there is no such data, which is an answer too (404, C008)."""
    return _MISSING.search(body) is not None


def read_result(body: bytes) -> ET.Element:
    """Give `result` of an answer that succeeded; its children have no namespace.

    Raises:
        ValueError: no XML of this family, one that defines entities, or not N000; nothing of it is quoted.

    Source: rakuten-ichiba-orders 10 [2+]; the prefix of the namespace differs (rakuten-ichiba-catalog 7).
    """
    # A name that is defined inside could grow without end; nobody has seen one.
    if _MARKUP.search(body):
        raise ValueError("the answer defines its own names")
    try:
        root = ET.fromstring(body)  # noqa: S314  it defines no names
    except (ET.ParseError, ValueError, RecursionError):
        raise ValueError("the answer is no XML") from None
    if root.tag != _ROOT or (root.findtext("resultCode") or "").strip() != SUCCEEDED:
        raise ValueError("the answer is none of the shop family that succeeded")
    result = root.find("result")
    if result is None:
        raise ValueError("the answer has no result")
    return result
