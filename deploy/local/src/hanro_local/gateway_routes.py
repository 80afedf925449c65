"""Reads the gateway's routes file and decides which target a path belongs to, by the Ingress's rules.

A route's prefix matches whole segments, case counts, the longest one wins.
Source: Kubernetes Ingress API, path type Prefix.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import unquote, unquote_to_bytes

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

# What stands on a service's internal port; the gateway never shows it, whatever the routes file says.
INTERNAL_SEGMENTS = frozenset({"internal", "livez", "readyz", "metrics"})
ISSUER_PREFIXES = ("/token", "/jwks", "/.well-known")

# Nobody encodes that often in good faith, and each round costs the length of the path.
DEEPEST_ENCODING = 4

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


def _base_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^/?#@\s]+/?", url):
        raise ValueError("must be http://HOST:PORT without a path")
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_base_url)]


class RoutedPrefix(BaseModel):
    """All below `prefix` belongs to `target`."""

    model_config = ConfigDict(frozen=True)

    prefix: Annotated[str, Field(pattern=r"^/[^?#]*$")]
    target: BaseUrl


class Simulator(BaseModel):
    """A simulator that the start page links to."""

    model_config = ConfigDict(frozen=True)

    name: str
    url: str


class RunningService(BaseModel):
    """A service that the start page shows: its readiness is `ready`, else `<url>/readyz`; `docs` is a gateway path."""

    model_config = ConfigDict(frozen=True)

    name: str
    url: BaseUrl
    docs: str | None = None
    ready: str | None = None


class RoutesFile(BaseModel):
    """The routes file. `token` is the start page's JWT, or the path of a file that holds it."""

    model_config = ConfigDict(frozen=True)

    routes: tuple[RoutedPrefix, ...] = ()
    issuer: BaseUrl | None = None
    inbox: BaseUrl | None = None
    simulators: tuple[Simulator, ...] = ()
    services: tuple[RunningService, ...] = ()
    token: SecretStr | None = None

    def target_of(self, raw_path: bytes) -> str | None:
        """Find the base URL that serves a path as it was sent; None for what is unknown or never shown."""
        segments = readable_segments(raw_path)
        if segments is None:
            return None
        own = [RoutedPrefix(prefix=prefix, target=self.issuer) for prefix in ISSUER_PREFIXES] if self.issuer else []
        fitting: list[tuple[int, str]] = []
        for route in (*self.routes, *own):
            wanted = [segment for segment in route.prefix.split("/") if segment]
            if segments[: len(wanted)] == wanted:
                fitting.append((len(wanted), route.target))
        return max(fitting, key=lambda fit: fit[0])[1] if fitting else None


def readable_segments(raw_path: bytes) -> list[str] | None:
    """Split a path as it was sent into decoded segments; None for a path that two readers may read differently.

    Such are empty segments, dot segments and control characters behind any number of percent-encodings; None also for
    what stands on the internal port. An encoded slash inside a segment is fine: seller keys hold them.
    """
    sent = raw_path.decode("latin-1").removeprefix("/").split("/")
    if not raw_path.startswith(b"/") or any(not segment for segment in sent[:-1]):
        return None
    decoded = _fully_decoded("/".join(sent))
    if decoded is None or _CONTROL_CHARACTERS.search(decoded):
        return None
    plain = [part.partition(";")[0] for part in re.split(r"[/\\]", decoded) if part]
    if any(part in {".", ".."} for part in plain) or (plain and plain[0].casefold() in INTERNAL_SEGMENTS):
        return None
    # Undecodable bytes match no prefix, but may stand behind one: the service refuses them itself.
    return [unquote_to_bytes(segment).decode(errors="replace") for segment in sent]


def _fully_decoded(text: str) -> str | None:
    for _ in range(DEEPEST_ENCODING):
        once = unquote(text, errors="replace")
        if once == text:
            return text
        text = once
    return None


@dataclass
class RoutesFileReader:
    """Keeps the newest readable content of a routes file that others rewrite while the gateway runs.

    A file that is absent is an empty one until it comes. One that cannot be read leaves the former content standing
    and says so in `complaint`.
    """

    file: Path
    content: RoutesFile
    signature: tuple[int, int, int] | None = None
    complaint: str | None = None

    @classmethod
    def open(cls, file: Path) -> Self:
        """Read `file` for the first time."""
        reader = cls(file=file, content=RoutesFile())
        reader.refresh()
        return reader

    def refresh(self) -> RoutesFile:
        """Read the file again when it changed since."""
        try:
            state = self.file.stat()
            signature = (state.st_mtime_ns, state.st_size, state.st_ino)
            if signature == self.signature:
                return self.content
            text = self.file.read_bytes()
        except FileNotFoundError:
            return self.content
        self.signature = signature
        try:
            self.content = RoutesFile.model_validate_json(text)
            self.complaint = None
        except ValidationError as broken:
            # Only the places: the input holds a token.
            places = ", ".join(".".join(map(str, error["loc"])) or "the file" for error in broken.errors())
            self.complaint = f"{self.file.name} cannot be read at: {places}; the former routes stand"
            print(f"gateway: {self.complaint}", flush=True)
        return self.content
