"""Guards changes by version: a reader's ETag must still be true when it writes."""

from starlette.requests import Request

from hanro.web.problems import Problem


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
            status=428, code="precondition-required", detail="say which version you change: If-Match with its ETag"
        )
    tags = [tag.strip() for tag in given.split(",")]
    if version is None or ("*" not in tags and etag(version) not in tags):
        now = "nothing is stored" if version is None else f"the version is {etag(version)}"
        raise Problem(status=412, code="precondition-failed", detail=f"it has changed since you read it: {now}")
