"""Turns what the gateway refuses into who must act; the functions' own words are read elsewhere."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Refusal, Retryable
from hanro.marketplace.port import Secrets
from hanro.marketplace.types import HttpAnswer
from hanro_rakuten_ichiba.declared.credential_form import LICENSE_EXPIRES_ON, LICENSE_KEY, SERVICE_SECRET
from hanro_rakuten_ichiba.declared.grants import KEY_MENU, KEY_REMEDY, LIFETIME, REMEDIES, SETTLES_WITHIN
from hanro_rakuten_ichiba.declared.words import FUNCTIONS
from hanro_rakuten_ichiba.functions import Function

JAPAN = ZoneInfo("Asia/Tokyo")
# Source: rakuten-ichiba-orders 1.2; GK: credentials malformed, or a request that is structurally bad [1].
_KEY_CODES = frozenset({"GA0001", "ES01-01", "GK0001", "GK0005", "GK0006"})
_CABINET_REFUSAL = "AuthError"
_NOT_PERMITTED = "ES04-01"
_RATE_WORDS = re.compile(rb"QPSLimit|AccessLimit")
_XML_CODE = re.compile(rb"<message>\s*([A-Za-z]+)")
_OK, _BAD_REQUEST, _UNAUTHORISED, _FORBIDDEN, _TOO_MANY, _SERVER = 200, 400, 401, 403, 429, 500
_LONGEST_MESSAGE = 300
_LONGEST_WAIT = timedelta(days=1)


def judge(
    answer: HttpAnswer, function: Function, secrets: Secrets, now: datetime, *, has_effect: bool
) -> Failure | None:
    """Say who must act on an answer; None: the function itself has spoken, by 200 or by 400 with its messages.

    Throttled: code "throttled". A 5xx to a request with an effect leaves it open whether it was carried out.
    Source: rakuten-ichiba-orders 1.2, 1.3, 2.1.
    """
    if answer.status == _OK:
        return None
    members = members_of(answer.body)
    if answer.status == _BAD_REQUEST and "MessageModelList" in members:
        return None
    code, message = _gateway_words(members) if members else _xml_words(answer.body)
    refusal = Refusal(
        code=code,
        message=without_secrets(message, secrets)[:_LONGEST_MESSAGE],
        # R-Cabinet says 401 also to a shop that never opened it: the status tells nothing of the key (6.5 [2+]).
        http_status=None if code == _CABINET_REFUSAL else answer.status,
        request_id=header(answer, "requestid") or header(answer, "x-request-id"),
    )
    if answer.status == _UNAUTHORISED or code in _KEY_CODES:
        return _key_refused(refusal, function, secrets, now)
    if code == _NOT_PERMITTED:
        return _not_permitted(refusal, function, secrets, now)
    return _not_served(answer, function, refusal, retry_after(answer, now), has_effect=has_effect)


def unreadable(answer: HttpAnswer, function: Function, *, has_effect: bool) -> Failure:
    """Say who must act when an answer of 200 or 400 cannot be read."""
    if has_effect:
        return InDoubt(f"the answer of {function.name} to a write cannot be read", code="answer-unreadable")
    if _is_page(answer):
        # Maintenance may answer with a page for people (rakuten-ichiba-orders 1.2 [?]).
        return Retryable("a page for people came instead of an answer", code="unavailable")
    return ContractBroken(f"the answer of {function.name} cannot be read", code="unreadable")


def without_secrets(text: str, secrets: Secrets) -> str:
    """Take the shop's secrets out of what they say: as they are, in a URL, and as the signature."""
    values = [secret for secret in secrets.values.values() if secret]
    pair = ":".join(secrets.values.get(name, "") for name in (SERVICE_SECRET, LICENSE_KEY))
    signature = base64.b64encode(pair.encode()).decode("ascii")
    # The longest first: one that is part of another must not leave the rest of it.
    for secret in sorted({signature, *values, *map(_quoted, values)}, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def header(answer: HttpAnswer, name: str) -> str | None:
    """Give a header by its name in lower case; None when it is not there."""
    return next((text for key, text in answer.headers.items() if key.lower() == name), None)


def retry_after(answer: HttpAnswer, now: datetime) -> timedelta | None:
    """Read Retry-After, seconds or a date; None when it is not there or makes no sense."""
    text = (header(answer, "retry-after") or "").strip()
    if text.isdecimal() and text.isascii():
        return timedelta(seconds=min(int(text), _LONGEST_WAIT.total_seconds()))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(timedelta(), at - now), _LONGEST_WAIT)


def _not_served(
    answer: HttpAnswer, function: Function, refusal: Refusal, after: timedelta | None, *, has_effect: bool
) -> Failure:
    if answer.status == _TOO_MANY or (answer.status == _FORBIDDEN and _RATE_WORDS.search(answer.body)):
        return Retryable("the marketplace asks to call less often", code="throttled", after=after, refusal=refusal)
    if answer.status >= _SERVER and has_effect:
        return InDoubt("the marketplace failed while it answered a write", code="answer-unreadable", refusal=refusal)
    if answer.status >= _SERVER:
        return Retryable("the marketplace is out of order", code="unavailable", after=after, refusal=refusal)
    return ContractBroken(
        f"{function.name} answered {answer.status}, which is not documented", code="unreadable", refusal=refusal
    )


def _key_refused(refusal: Refusal, function: Function, secrets: Secrets, now: datetime) -> NeedsSeller:
    has_ended = _has_ended(secrets, now)
    return NeedsSeller(
        "the licence key has ended" if has_ended else "the marketplace refuses the licence key",
        code="credential-expired" if has_ended else "credential-refused",
        refusal=refusal,
        field=LICENSE_KEY,
        grant_id=function.grant_id,
        remedy=KEY_REMEDY,
        menu=KEY_MENU,
    )


def _not_permitted(refusal: Refusal, function: Function, secrets: Secrets, now: datetime) -> Failure:
    """Judge ES04-01: function switched off, or a key that is too new; a bad request is not ours to send."""
    settles_in = secrets.stored_at + SETTLES_WITHIN - now
    if settles_in > timedelta():
        return Retryable(
            "the key is new and may not work yet",
            code="key-settling",
            after=settles_in,
            refusal=refusal,
            grant_id=function.grant_id,
            remedy=REMEDIES[2],
            menu=FUNCTIONS,
        )
    return NeedsSeller(
        f"the key may not call {function.name}",
        code="grant-missing",
        refusal=refusal,
        grant_id=function.grant_id,
        remedy=REMEDIES[1],
        menu=FUNCTIONS,
    )


def _has_ended(secrets: Secrets, now: datetime) -> bool:
    """Tell whether the key's life is surely over: by the typed day, or 90 days after it was stored here."""
    typed = secrets.values.get(LICENSE_EXPIRES_ON, "")
    return (bool(typed) and typed < now.astimezone(JAPAN).date().isoformat()) or now > secrets.stored_at + LIFETIME


def members_of(body: bytes) -> Mapping[str, object]:
    """Decode an answer that may be anything; nothing when it is no JSON object."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _gateway_words(members: Mapping[str, object]) -> tuple[str, str]:
    """Give code and message of either gateway; both empty when there are none."""
    errors = members.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else members.get("Results")
    if not isinstance(first, dict):
        return "", ""
    return str(first.get("code") or first.get("errorCode") or ""), str(first.get("message") or "")


def _xml_words(body: bytes) -> tuple[str, str]:
    """Give R-Cabinet's message as code and text. Source: rakuten-ichiba-catalog 6.5 [2+]."""
    found = _XML_CODE.search(body)
    text = found[1].decode("ascii") if found else ""
    return text, text


def _quoted(secret: str) -> str:
    return quote(secret, safe="")


def _is_page(answer: HttpAnswer) -> bool:
    media_type = header(answer, "content-type") or ""
    return "html" in media_type.lower() or answer.body.lstrip()[:1] == b"<"
