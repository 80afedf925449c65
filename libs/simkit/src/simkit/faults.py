"""Keeps the fault dials: what goes wrong, for whom, how often."""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

HttpKind = Literal[
    "status",
    "slow",
    "silence",
    "cut-body",
    "html",
    "wrong-charset",
    "reset-before",
    "reset-after",
    "throttle",
    "garbage",
]
MailKind = Literal["mail-answer", "mail-cut", "mail-slow", "mail-refuse", "mail-tls-name", "mail-tls-broken"]
Kind = Literal[HttpKind, MailKind]
Stage = Literal["connect", "ehlo", "auth", "mail", "rcpt", "data", "body", "dot"]

# What HTTP can carry (RFC 9110 5.1, 5.5): anything else would break the answer, not the client.
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
HeaderValue = Annotated[
    str, Field(pattern=r"^([\x21-\x7E\u0080-\u00FF]([\t\x20-\x7E\u0080-\u00FF]*[\x21-\x7E\u0080-\u00FF])?)?$")
]

_NEEDS_SECONDS = frozenset({"slow", "silence", "mail-slow"})
_NEEDS_STAGE = frozenset({"mail-answer", "mail-cut", "mail-slow"})
_ALWAYS_APPLIED = frozenset({"slow", "cut-body", "wrong-charset", "reset-after"})


class Match(BaseModel):
    """Say whom a fault hits; what is left out matches all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | None = Field(default=None, description="A path's beginning (\"/es/2.0/\") or a function's name.")
    shop: str | None = Field(default=None, description="The shop's id in the simulator.")
    method: str | None = Field(default=None, description="GET, POST …")
    recipient: str | None = Field(default=None, description="Mail only, at rcpt or later: one envelope recipient.")


class Fault(BaseModel):
    """Describe one dial.

    `seconds` are real seconds. `after` lets the first n matching requests through, `count` ends the dial after n hits.
    `applied` (status, silence, html, garbage, throttle) carries the request out although its answer is spoilt.
    Mail: `stage` is the moment (`body`: after 354, before the final dot; `dot`: after it), `stored` says whether the
    mail was kept when the fault hits at `dot`. `mail-refuse` closes the listening socket until the dial is deleted or
    `seconds` are over; it is not counted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    match: Match = Match()
    status: int | None = Field(default=None, ge=200, le=599, description="HTTP status, or SMTP code for mail-answer.")
    body: str | None = None
    headers: dict[HeaderName, HeaderValue] = {}
    seconds: float | None = Field(default=None, gt=0, le=86_400)
    count: int | None = Field(default=None, ge=1)
    after: int = Field(default=0, ge=0)
    probability: float = Field(default=1.0, gt=0, le=1)
    applied: bool | None = None
    stage: Stage | None = None
    stored: bool = False

    @model_validator(mode="after")
    def _check_fields_of_kind(self) -> "Fault":
        if self.kind in _NEEDS_SECONDS and self.seconds is None:
            raise ValueError(f"seconds: a fault of kind {self.kind} needs it")
        if self.kind in _NEEDS_STAGE and self.stage is None:
            raise ValueError(f"stage: a fault of kind {self.kind} needs it")
        if self.kind in {"status", "mail-answer"} and self.status is None:
            raise ValueError(f"status: a fault of kind {self.kind} needs it")
        if self.kind == "mail-answer" and self.stage == "body":
            raise ValueError("stage: nothing can be answered between 354 and the final dot")
        if self.applied is False and self.kind in _ALWAYS_APPLIED:
            raise ValueError(f"applied: a fault of kind {self.kind} always carries the request out")
        return self

    @property
    def is_mail(self) -> bool:
        """Tell whether the fault belongs to the mail relay."""
        return self.kind.startswith("mail-")

    @property
    def is_applied(self) -> bool:
        """Tell whether the request takes effect under this fault."""
        return self.kind in _ALWAYS_APPLIED or bool(self.applied)


@dataclass
class Dial:
    """Count what one fault met: `seen` matching requests, `hits` spoilt ones."""

    id: int
    fault: Fault
    seen: int = 0
    hits: int = 0


class FaultBook:
    """Hold the dials in the order in which they were added; the first that applies wins."""

    def __init__(self, random_source: random.Random) -> None:
        self._random = random_source
        self._dials: dict[int, Dial] = {}
        self._ids = itertools.count(1)
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever a dial was added or removed."""
        self._listeners.append(listener)

    def add(self, fault: Fault) -> Dial:
        """Turn a dial on."""
        dial = Dial(id=next(self._ids), fault=fault)
        self._dials[dial.id] = dial
        self._tell()
        return dial

    def list(self) -> tuple[Dial, ...]:
        """Give all dials, used up ones included, oldest first."""
        return tuple(self._dials.values())

    def remove(self, dial_id: int) -> bool:
        """Turn one dial off; False when there is none of that id."""
        removed = self._dials.pop(dial_id, None) is not None
        if removed:
            self._tell()
        return removed

    def clear(self) -> None:
        """Turn all dials off."""
        self._dials.clear()
        self._tell()

    def take_http(self, path: str, method: str, function: str | None, shop: str | None) -> Fault | None:
        """Find what spoils this request and count the hit; None lets it through."""

        def matches(fault: Fault) -> bool:
            match = fault.match
            if fault.is_mail or (match.shop is not None and match.shop != shop):
                return False
            if match.method is not None and match.method.upper() != method.upper():
                return False
            if match.path is None:
                return True
            return path.startswith(match.path) if match.path.startswith("/") else match.path == function

        return self._take(matches)

    def take_mail(
        self, stage: Stage, shop: str | None, recipients: tuple[str, ...] = (), *, kinds: frozenset[str] | None = None
    ) -> Fault | None:
        """Find what spoils this stage of an SMTP conversation and count the hit; None lets it through."""

        def matches(fault: Fault) -> bool:
            match = fault.match
            if not fault.is_mail or fault.stage != stage or (kinds is not None and fault.kind not in kinds):
                return False
            if match.shop is not None and match.shop != shop:
                return False
            return match.recipient is None or match.recipient in recipients

        return self._take(matches)

    def take_tls(self) -> Fault | None:
        """Find what spoils a STARTTLS handshake and count the hit; None lets it through."""
        return self._take(lambda fault: fault.kind in {"mail-tls-name", "mail-tls-broken"})

    def refusals(self) -> tuple[Dial, ...]:
        """Give the dials that keep the mail relay from listening."""
        return tuple(dial for dial in self._dials.values() if dial.fault.kind == "mail-refuse")

    def _take(self, matches: Callable[[Fault], bool]) -> Fault | None:
        for dial in self._dials.values():
            fault = dial.fault
            if not matches(fault):
                continue
            dial.seen += 1
            if dial.seen <= fault.after or (fault.count is not None and dial.hits >= fault.count):
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            dial.hits += 1
            return fault
        return None

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()
