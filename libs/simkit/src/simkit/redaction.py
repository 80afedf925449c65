"""Decides what of a request the journal may keep."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

HIDDEN = "REDACTED"
KEPT_HEADERS = ("accept", "accept-encoding", "content-length", "content-type", "user-agent")
# Kept by no declaration whatever: they are the credentials themselves.
_NEVER_KEPT = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True)
class Redaction:
    """Declare what is secret at one marketplace.

    `secret_names` are names of query and form fields, whatever their letter case. Group 1 of each pattern is hidden in
    paths (keys that stand in the path) and in bodies.
    """

    secret_names: frozenset[str] = frozenset()
    path_patterns: Sequence[re.Pattern[str]] = ()
    body_patterns: Sequence[re.Pattern[bytes]] = ()
    kept_headers: Sequence[str] = KEPT_HEADERS

    def path(self, path: str) -> str:
        """Give a raw path without its secrets."""
        for pattern in self.path_patterns:
            path = pattern.sub(_hide_group, path)
        return path

    def query(self, query: str) -> str:
        """Give a raw query or form without the values of secret names; everything else keeps its spelling."""
        secret = {name.casefold() for name in self.secret_names}
        pairs = query.split("&") if query else []
        for index, pair in enumerate(pairs):
            name, separator, _ = pair.partition("=")
            if separator and unquote_plus(name).casefold() in secret:
                pairs[index] = f"{name}={quote(HIDDEN)}"
        return "&".join(pairs)

    def body(self, body: bytes, content_type: str) -> bytes:
        """Give a body without its secrets; its size may differ."""
        if content_type.lower().startswith("application/x-www-form-urlencoded"):
            body = self.query(body.decode("latin-1")).encode("latin-1")
        for pattern in self.body_patterns:
            body = pattern.sub(_hide_group_bytes, body)
        return body

    def headers(self, headers: Sequence[tuple[str, str]]) -> dict[str, str]:
        """Give the headers of interest by lower-case name."""
        kept = {name.lower() for name in self.kept_headers} - _NEVER_KEPT
        return {name.lower(): value for name, value in headers if name.lower() in kept}


def _hide_group(match: re.Match[str]) -> str:
    start, end = match.start(1) - match.start(), match.end(1) - match.start()
    return match[0][:start] + HIDDEN + match[0][end:]


def _hide_group_bytes(match: re.Match[bytes]) -> bytes:
    start, end = match.start(1) - match.start(), match.end(1) - match.start()
    return match[0][:start] + HIDDEN.encode() + match[0][end:]
