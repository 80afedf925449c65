"""Loads what a simulator assumes where no source says: defaults in a frozen dataclass, changes in a file."""

import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

Assumed = TypeVar("Assumed")


class AssumptionsRefused(ValueError):
    """Say which fields of an assumptions file cannot be taken, and why."""


def _read(file: Path) -> object:
    try:
        text = file.read_text(encoding="utf-8")
        return tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise AssumptionsRefused(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise AssumptionsRefused(f"{file}: {error}") from error


def load(kind: type[Assumed], file: Path | None) -> Assumed:
    """Make a `kind` (a dataclass with a default for every field) with the fields of `file` (.toml, else JSON) changed.

    Types are strict: a number in quotes is refused, and so is what an annotated bound excludes. None gives the
    defaults.

    Raises:
        AssumptionsRefused: unreadable file, unknown field, or a value that its type excludes; all named at once.
    """
    if not dataclasses.is_dataclass(kind):
        raise TypeError(f"{kind.__name__} is no dataclass")
    if file is None:
        return kind()
    changes = _read(file)
    if not isinstance(changes, dict):
        raise AssumptionsRefused(f"{file}: must hold an object of fields")
    hints = get_type_hints(kind, include_extras=True)
    known = {field.name for field in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    refusals: list[str] = []
    for name, value in changes.items():
        if name not in known:
            refusals.append(f"{name}: unknown, known are {', '.join(sorted(known))}")
            continue
        try:
            # Through JSON: lists become tuples and texts enum members, and nothing else is bent.
            values[name] = TypeAdapter(hints[name]).validate_json(json.dumps(value, default=str), strict=True)
        except ValidationError as error:
            refusals.append(f"{name}: {'; '.join(str(found['msg']) for found in error.errors())}")
    if refusals:
        raise AssumptionsRefused(f"{file}: " + " | ".join(refusals))
    return kind(**values)
