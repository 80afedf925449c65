"""Turns what the sandbox refuses as a whole into who must act."""

import json
from datetime import datetime, timedelta
from typing import Any

from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Refusal, Rejected, Retryable
from hanro.marketplace.port import Secrets
from hanro.marketplace.types import HttpAnswer
from hanro_sandbox.declared.credential_form import API_KEY
from hanro_sandbox.declared.grants import GRANT_MENU, KEY_MENU, KEY_REMEDY, SETTLES_WITHIN, SWITCH_ON, WAIT
from hanro_sandbox.functions import Function

_OK = frozenset({200, 202})
_REFUSED = frozenset({400, 422})
_UNAUTHORISED, _FORBIDDEN, _TOO_MANY, _SERVER = 401, 403, 429, 500
_LONGEST_MESSAGE = 300


def judge(
    answer: HttpAnswer, function: Function, secrets: Secrets, now: datetime, *, has_effect: bool
) -> Failure | None:
    """Say who must act on an answer; None: the function has answered. A list refused as a whole is Rejected.

    Source: README, Refusals.
    """
    if answer.status in _OK:
        return None
    refusal = read_refusal(answer, secrets)
    if answer.status == _UNAUTHORISED:
        return _key_refused(refusal, function)
    if answer.status == _FORBIDDEN and refusal.code == "key_not_active":
        return _not_active(refusal, function, secrets, now)
    if answer.status == _FORBIDDEN and refusal.code == "grant_off":
        return NeedsSeller(
            f"{function.name} is switched off",
            code="grant-missing",
            refusal=refusal,
            grant_id=function.grant_id,
            remedy=SWITCH_ON,
            menu=GRANT_MENU,
        )
    if answer.status in _REFUSED and refusal.code:
        return Rejected("the sandbox refused the request", code="refused", refusal=refusal)
    return _not_served(answer, function, refusal, has_effect=has_effect)


def read_refusal(answer: HttpAnswer, secrets: Secrets) -> Refusal:
    """Read code and message, verbatim, secrets out; both are empty where there are none."""
    error = members_of(answer.body).get("error")
    error = error if isinstance(error, dict) else {}
    texts = [without_secrets(str(error.get(name) or ""), secrets)[:_LONGEST_MESSAGE] for name in ("code", "message")]
    named = error.get("order") or error.get("field")
    field = named if isinstance(named, str) else None
    return Refusal(code=texts[0], message=texts[1], http_status=answer.status, field=field)


def members_of(body: bytes) -> dict[str, Any]:
    """Decode an answer that may be anything; nothing when it is no JSON object."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def unreadable(answer: HttpAnswer, function: Function, *, has_effect: bool) -> Failure:
    """Say who must act when an answer of 200 cannot be read."""
    if has_effect:
        return InDoubt(f"the answer of {function.name} cannot be read", code="answer-unreadable")
    if "html" in (header(answer, "content-type") or ""):
        return Retryable("a page for people came instead of an answer", code="unavailable")
    return ContractBroken(f"the answer of {function.name} cannot be read", code="unreadable")


def without_secrets(text: str, secrets: Secrets) -> str:
    """Take the shop's secrets out of what they say."""
    for secret in sorted(filter(None, secrets.values.values()), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def header(answer: HttpAnswer, name: str) -> str | None:
    """Give a header by its name in lower case; None when it is not there."""
    return next((text for key, text in answer.headers.items() if key.lower() == name), None)


def _not_served(answer: HttpAnswer, function: Function, refusal: Refusal, *, has_effect: bool) -> Failure:
    text = header(answer, "retry-after") or ""
    after = timedelta(seconds=min(int(text), 86_400)) if text.isdecimal() and text.isascii() else None
    if answer.status == _TOO_MANY:
        return Retryable("the sandbox asks to call less often", code="throttled", after=after, refusal=refusal)
    if answer.status >= _SERVER and has_effect:
        return InDoubt("the sandbox failed while it answered a write", code="answer-unreadable", refusal=refusal)
    if answer.status >= _SERVER:
        return Retryable("the sandbox is out of order", code="unavailable", after=after, refusal=refusal)
    what = f"{function.name} answered {answer.status}, which is not documented"
    return ContractBroken(what, code="unreadable", refusal=refusal)


def _key_refused(refusal: Refusal, function: Function) -> NeedsSeller:
    has_ended = refusal.code == "key_expired"
    return NeedsSeller(
        "the key has ended" if has_ended else "the sandbox refuses the key",
        code="credential-expired" if has_ended else "credential-refused",
        refusal=refusal,
        field=API_KEY,
        grant_id=function.grant_id,
        remedy=KEY_REMEDY,
        menu=KEY_MENU,
    )


def _not_active(refusal: Refusal, function: Function, secrets: Secrets, now: datetime) -> Failure:
    settles_in = secrets.stored_at + SETTLES_WITHIN - now
    if settles_in <= timedelta():
        return _key_refused(refusal, function)
    return Retryable(
        "the key is new and does not work yet",
        code="key-settling",
        after=settles_in,
        refusal=refusal,
        grant_id=function.grant_id,
        remedy=WAIT,
        menu=KEY_MENU,
    )
