"""Looks at a refusal as RFC 9457 and our own rules want it: what it must say, and what it must not give away."""

import re

import httpx

from hanro.testing.documents import CANARY

MEMBERS = {"type", "title", "status", "code", "detail", "retryable", "kind"}
INTERNALS = re.compile(
    r"traceback|asyncpg|sqlalchemy|pydantic|starlette|site-packages|\.py\b|\bselect\b.*\bfrom\b|\binsert into\b"
    r"|postgresql://|relation \"|line \d+, in",
    re.IGNORECASE | re.DOTALL,
)


def faults_of(answer: httpx.Response, status: int, code: str | None = None) -> list[str]:
    """List what is wrong with a refusal: status, code, the problem's form, what it gives away."""
    shown = answer.text[:300]
    if answer.status_code != status:
        return [f"{answer.status_code} in place of {status}: {shown}"]
    if answer.headers.get("content-type") != "application/problem+json":
        return [f"{status} as {answer.headers.get('content-type')}: {shown}"]
    problem = answer.json()
    faults = [f"lacks {sorted(MEMBERS - problem.keys())}"] if not problem.keys() >= MEMBERS else []
    if problem.get("status") != status or problem.get("type") != f"urn:hanro:problem:{problem.get('code')}":
        faults.append(f"contradicts itself: {shown}")
    if code is not None and problem.get("code") != code:
        faults.append(f"code {problem.get('code')} in place of {code}: {shown}")
    if found := INTERNALS.search(answer.text):
        faults.append(f"shows its inside ({found.group()[:60]}): {shown}")
    if CANARY in answer.text or CANARY in str(answer.headers):
        faults.append(f"repeats what was sent: {shown}")
    return faults
