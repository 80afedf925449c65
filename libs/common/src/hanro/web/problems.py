"""Turns failures into RFC 9457 problems: a stable code, what is wrong, who must act; no internals, no secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """Be what is wrong with one field: `pointer` is a JSON Pointer into the body (RFC 6901), or `name` a parameter."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None


class Problem(Exception):
    """A request is refused at the edge; `code` is stable, `detail` is one sentence for people."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
