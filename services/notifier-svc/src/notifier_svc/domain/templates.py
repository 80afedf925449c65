"""Says what a template is, and what may be wrong with one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MAX_SUBJECT_CHARACTERS = 500
MAX_BODY_CHARACTERS = 20_000

Place = Literal["subject", "body"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Be one version of a template; versions count from 1 and are all kept."""

    name: str
    version: int
    subject: str
    body: str
    saved_at: datetime
    saved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Say what is wrong with a template and where; lines and columns count from 1."""

    place: Place
    line: int
    column: int
    code: str
    detail: str


class TemplateRefused(Exception):
    """A template cannot be saved; every fault that was found is named."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.place} {fault.line}:{fault.column} {fault.code}" for fault in faults))
        self.faults = faults
