"""Tells whether an answer to a probe is the function's own word: then it may be called, whatever it says."""

import re
from collections.abc import Mapping

from hanro.marketplace.types import HttpAnswer
from hanro.value import value
from hanro_rakuten_ichiba.functions import Family, Function
from hanro_rakuten_ichiba.refusals import members_of

_OK, _BAD_REQUEST, _MOVED = 200, 400, 301
_CREATED, _NO_CONTENT = 201, 204
_SHOP_CODE = re.compile(rb"shopBizApiResponse[\s\S]*?<resultCode>\s*([A-Z])(\d{3})\s*</resultCode>")
_CABINET_STATUS = re.compile(rb"<systemStatus>\s*(OK|NG)\s*</systemStatus>")
_CABINET_CODE = re.compile(rb"<resultCode>\s*(\d+)\s*</resultCode>")
_CABINET_REFUSALS = (b"ParameterError", b"Request data is wrong format")
# GE0007 and GE0012 are ours to mend, GE0019 and X0000 theirs: none says that the function may be called.
_ITEM_WORD = re.compile("IE\\d{4}|CE\\d{4}|GE0011|GE0014|GE0017|GE0020")
_NAVIGATION_WORD = re.compile("(?:invalid|required|not)[A-Z]\\w*")


@value
class Word:
    """Be what a function said: that it did, or could do, what was asked, or that it refuses."""

    is_refusal: bool


def word_of(function: Function, answer: HttpAnswer) -> Word | None:
    """Give the function's own word; None: it did not speak, somebody before it did, or nobody can read it.

    Source: rakuten-ichiba-orders 2.1 [2+], 4.6, 9, 10 [2+]; rakuten-ichiba-catalog 2.12, 3.4, 4.5, 6.4, 6.5 [2+].
    """
    match function.family:
        case Family.ORDER:
            return _order_word(answer)
        case Family.SHOP:
            found = _SHOP_CODE.search(answer.body)
            # S: out of service, E: failed. Whether the key may call is not said.
            return Word(is_refusal=found[1] != b"N") if found and found[1] in (b"N", b"C") else None
        case Family.CABINET:
            return _cabinet_word(answer)
        case Family.LICENSE:
            return _shown(function, answer)
        case Family.ITEMS:
            return _refused(answer, _ITEM_WORD) or _shown(function, answer)
        case Family.NAVIGATION:
            return _refused(answer, _NAVIGATION_WORD) or _shown(function, answer)


def _order_word(answer: HttpAnswer) -> Word | None:
    if answer.status not in (_OK, _BAD_REQUEST):
        return None
    members = members_of(answer.body)
    results = members.get("ResultShippingModelList")
    holders = [members, *(results if isinstance(results, list) else [])]
    entries = [entry for holder in holders if isinstance(holder, dict) for entry in _list(holder, "MessageModelList")]
    types = [str(entry.get("messageType") or "") for entry in entries if isinstance(entry, dict)]
    return Word(is_refusal="ERROR" in types) if any(types) else None


def _cabinet_word(answer: HttpAnswer) -> Word | None:
    status, code = _CABINET_STATUS.search(answer.body), _CABINET_CODE.search(answer.body)
    if status is None:
        return None
    if status[1] == b"OK":
        return Word(is_refusal=False) if code and int(code[1]) == 0 else None
    is_theirs = code is not None and code[1].startswith(b"3")
    is_named = answer.status == _BAD_REQUEST and any(text in answer.body for text in _CABINET_REFUSALS)
    return Word(is_refusal=True) if is_theirs or is_named else None


def _refused(answer: HttpAnswer, word: re.Pattern[str]) -> Word | None:
    errors = _list(members_of(answer.body), "errors")
    codes = [str(entry.get("code") or "") for entry in errors if isinstance(entry, dict)]
    return Word(is_refusal=True) if codes and all(word.fullmatch(code) for code in codes) else None


def _shown(function: Function, answer: HttpAnswer) -> Word | None:
    # Carried out: the one thing that a probe of a write must never see (2.1, 3.1 [2+]).
    if function.is_write and answer.status in (_CREATED, _NO_CONTENT):
        return Word(is_refusal=False)
    # A merged genre answers 301 with the whole body of its heir (4.5 [1]).
    is_read = answer.status == _OK or (answer.status == _MOVED and function.family is Family.NAVIGATION)
    return (
        Word(is_refusal=False)
        if is_read and any(members_of(answer.body).get(name) is not None for name in function.question.shows)
        else None
    )


def _list(members: Mapping[str, object], name: str) -> list[object]:
    found = members.get(name)
    return found if isinstance(found, list) else []
