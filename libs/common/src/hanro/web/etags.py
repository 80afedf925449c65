"""Guards changes by version: a reader's ETag must still be true when it writes."""

import re
from collections.abc import Sequence

from starlette.requests import Request

from hanro.web.problems import Problem

_FORM = re.compile(r'\*|"v[0-9]+"')


def etag(version: int) -> str:
    """Give the strong entity tag of an aggregate's version: `"v7"`, with the quotes that the header needs."""
    return f'"v{version}"'


def require_match(request: Request, version: int | None) -> None:
    """Let a change pass only where `If-Match` names the version that is stored now (None: nothing is stored).

    `*` matches anything that is stored. Call it inside the transaction, after the row is locked.

    Raises:
        Problem: 428 `precondition-required` without the header, 412 `precondition-failed` where the version is another.
    """
    given = request.headers.get("if-match")
    if given is None:
        raise Problem(
            status=428,
            code="precondition-required",
            detail="Say which version you change: send the ETag that you were given as If-Match.",
        )
    tags = [tag.strip() for tag in given.split(",")]
    if version is None or ("*" not in tags and etag(version) not in tags):
        raise Problem(status=412, code="precondition-failed", detail=_why(tags, version))


def _why(tags: Sequence[str], version: int | None) -> str:
    if version is None:
        return "Nothing is stored that could be changed: send no If-Match to make it."
    if not all(_FORM.fullmatch(tag) for tag in tags):
        return f"If-Match is no ETag that was given here: they look like {etag(version)}, quotes included."
    return f"It has changed since you read it: the version is {etag(version)}. Read it again."
