"""Turns failures into RFC 9457 problems: a stable code, what is wrong, who must act; no internals, no secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from math import ceil

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hanro.db import is_away, is_conflict
from hanro.errors import (
    AgainstPolicy,
    ContractBroken,
    Failure,
    InDoubt,
    LocalizedText,
    MenuPath,
    NeedsSeller,
    NotNow,
    Rejected,
    Retryable,
    Unsupported,
)
from hanro.web.answers import Answer

MEDIA_TYPE = "application/problem+json"
TYPE_ROOT = "urn:hanro:problem:"
DEFAULT_WAIT = timedelta(seconds=5)
LONGEST_POINTER = 200
MOST_FAULTS = 20

_TIME = "2026-01-31T09:00:00+09:00"
# Pydantic speaks to who wrote the model; these are for who wrote the request. Nothing sent is quoted.
_WORDS = {
    "missing": "it is needed",
    "extra_forbidden": "it is not known here; is it misspelt?",
    "union_tag_invalid": "this kind is not known here",
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "model_attributes_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "list_type": "must be a JSON array",
    "string_type": "must be a text",
    "timezone_aware": f"needs an offset, such as {_TIME}",
    "datetime_parsing": f"must be a time of RFC 3339, such as {_TIME}",
    "datetime_type": f"must be a time of RFC 3339, such as {_TIME}",
    "datetime_from_date_parsing": f"must be a time of RFC 3339, such as {_TIME}",
}
_OF_VALIDATOR = "Value error, "
_DETAILS = {404: "There is no such path; /v1/<service>/docs lists them.", 405: "This path takes only"}
_CODES = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 415: "media-type-unsupported"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """Be what is wrong with one field: `pointer` is a JSON Pointer into the body (RFC 6901), or `parameter` a name."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None


class Problem(HTTPException):
    """A request is refused at the edge: `code` is stable, `detail` is for people.

    `menu` is where it is mended, `remedy` how.
    """

    def __init__(
        self,
        *,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
        is_retryable: bool = False,
        menu: MenuPath | None = None,
        remedy: LocalizedText | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        self.errors = tuple(errors)
        self.is_retryable = is_retryable
        self.menu = menu
        self.remedy = remedy


def answer_of(error: BaseException, *, instance: str | None = None) -> Answer | None:
    """Give the problem that a failure is; None where it is a bug of ours, which `internal` answers.

    `instance` names the request, so that the answer can be found in the logs.
    """
    match error:
        case Retryable() | NeedsSeller() | Rejected() | ContractBroken() | InDoubt() | Unsupported():
            return of_failure(error, instance=instance)
        case RequestValidationError():
            return _of_validation(error, instance)
        case HTTPException():
            return _of_status(error, instance)
    return _of_database(error, instance)


def internal(instance: str) -> Answer:
    """Answer for a bug of ours: nothing but where to find it in the logs."""
    return _answer(
        500,
        "internal",
        "Something is broken on our side; the operators find it by this instance.",
        {"kind": "internal"},
        instance,
    )


def of_failure(failure: Failure, *, instance: str | None = None) -> Answer:
    """Give the problem of one of the six errors; `kind` says who must act, `code` what is the matter."""
    status, kind = _who_acts(failure)
    headers: dict[str, str] = {}
    members: dict[str, object] = {"kind": kind}
    if isinstance(failure, Retryable):
        headers["Retry-After"] = str(max(1, ceil((failure.after or DEFAULT_WAIT).total_seconds())))
    if failure.field:
        members["errors"] = [{"code": failure.code, "detail": failure.why, "pointer": _field_pointer(failure.field)}]
    if failure.grant_id:
        members["grant_id"] = failure.grant_id
    if failure.refusal:
        members["marketplace"] = {
            "code": failure.refusal.code,
            "message": failure.refusal.message,
            "request_id": failure.refusal.request_id,
        }
    if isinstance(failure, NotNow):
        members |= {"state": failure.state, "possible": list(failure.possible)}
    if isinstance(failure, AgainstPolicy):
        members["rule"] = {"id": failure.rule_id, "source": failure.source}
    if failure.remedy:
        members["remedy"] = {"ja": failure.remedy.ja, "en": failure.remedy.en}
    if failure.menu:
        members["menu"] = _menu(failure.menu)
    return _answer(status, failure.code, failure.why, members, instance, headers=headers)


def _who_acts(failure: Failure) -> tuple[int, str]:
    match failure:
        case Retryable():
            return 503, "retryable"
        case NeedsSeller():
            return 409, "needs-seller"
        case Rejected():
            return (404 if failure.code == "not-found" else 409), "rejected"
        case ContractBroken():
            return 502, "contract-broken"
        case InDoubt():
            return 202, "in-doubt"
        case Unsupported():
            return 501, "unsupported"


def _of_validation(error: RequestValidationError, instance: str | None) -> Answer:
    faults = [_fault(dict(found)) for found in error.errors()[:MOST_FAULTS]]
    detail = "The request is malformed: " + "; ".join(
        f"{fault.parameter if fault.pointer is None else fault.pointer or 'the body'}: {fault.detail}"
        for fault in faults[:3]
    )
    return _answer(422, "request-malformed", detail, {"kind": "request", "errors": _rows(faults)}, instance)


def _fault(found: Mapping[str, object]) -> FieldFault:
    kind = str(found["type"])
    detail = _words(kind, found)
    where = found["loc"]
    first, *rest = where if isinstance(where, tuple) and where else ("body",)
    code = kind.replace("_", "-").replace(".", "-")
    if first != "body":
        return FieldFault(code=code, detail=detail, parameter=".".join(map(str, rest))[:LONGEST_POINTER])
    # A body that is no JSON has a character's position where others have a path.
    return FieldFault(code=code, detail=detail, pointer="" if kind == "json_invalid" else _pointer(rest))


def _words(kind: str, found: Mapping[str, object]) -> str:
    sent, context = found.get("input"), found.get("ctx")
    if kind == "string_pattern_mismatch" and isinstance(sent, str) and sent != sent.strip():
        return "has blanks before or behind it"
    if kind == "string_pattern_mismatch" and isinstance(context, Mapping):
        return f"must have the form {context.get('pattern')}"
    return _WORDS.get(kind, str(found["msg"]).removeprefix(_OF_VALIDATOR))


def _of_database(error: BaseException, instance: str | None) -> Answer | None:
    if is_away(error):
        return of_failure(Retryable("The database cannot be reached.", code="unavailable"), instance=instance)
    if is_conflict(error):
        return of_failure(Retryable("Others change the same thing.", code="busy"), instance=instance)
    return None


def _of_problem(error: Problem, instance: str | None) -> Answer:
    members: dict[str, object] = {"kind": "request", "retryable": error.is_retryable}
    if error.errors:
        members["errors"] = _rows(error.errors)
    if error.menu:
        members["menu"] = _menu(error.menu)
    if error.remedy:
        members["remedy"] = {"ja": error.remedy.ja, "en": error.remedy.en}
    return _answer(error.status_code, error.code, error.detail, members, instance, headers=error.headers)


def _of_status(error: HTTPException, instance: str | None) -> Answer:
    if isinstance(error, Problem):
        return _of_problem(error, instance)
    status = HTTPStatus(error.status_code)
    code = _CODES.get(error.status_code, status.phrase.lower().replace(" ", "-"))
    detail = _DETAILS.get(error.status_code, f"{status.description or status.phrase}.")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{detail} {(error.headers or {}).get('Allow', 'other methods')}."
    return _answer(
        error.status_code,
        code,
        detail,
        {"kind": "request"},
        instance,
        headers=error.headers,
    )


def _answer(
    status: int,
    code: str,
    detail: str,
    members: Mapping[str, object],
    instance: str | None,
    *,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    body: dict[str, object] = {
        "type": f"{TYPE_ROOT}{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "retryable": members.get("kind") == "retryable",
        **members,
    }
    if instance:
        body["instance"] = f"urn:hanro:request:{instance}"
    return Answer(status=status, body=body, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def _rows(faults: Sequence[FieldFault]) -> list[dict[str, str]]:
    return [
        {"code": fault.code, "detail": fault.detail}
        | ({"pointer": fault.pointer} if fault.pointer is not None else {})
        | ({"parameter": fault.parameter} if fault.parameter is not None else {})
        for fault in faults
    ]


def _field_pointer(field: str) -> str:
    return field if field.startswith("/") else _pointer(field.split("."))


def _pointer(steps: Sequence[object]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)[:LONGEST_POINTER]


def _menu(menu: MenuPath) -> dict[str, object]:
    return {"steps": list(menu.steps), "url": menu.url, "is_login_needed": menu.is_login_needed}
