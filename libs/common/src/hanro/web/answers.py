"""Holds the answer of a use case until its transaction has committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Be what a caller is told: status, body (a model or plain JSON values; None is empty) and extra headers."""

    status: int = 200
    body: BaseModel | Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON

    def content(self) -> bytes:
        """Give the body's bytes: UTF-8 JSON, empty for None."""
        return b"" if self.body is None else to_json(self.body)

    def response(self) -> Response:
        """Turn it into Starlette's response."""
        media_type = None if self.body is None else self.media_type
        return Response(self.content(), status_code=self.status, headers=dict(self.headers), media_type=media_type)


def accepted(noun: str, operation_id: str, body: BaseModel | Mapping[str, object]) -> Answer:
    """Answer 202 for outward work that is written down and not yet done: `Location` names its operation."""
    return Answer(status=202, body=body, headers={"Location": f"/v1/{noun}/operations/{operation_id}"})
