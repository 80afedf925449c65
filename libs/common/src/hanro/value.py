"""Makes a class a value: frozen, without a dictionary, built by keywords alone."""

from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass with slots and keyword-only fields.

    Mappings inside stay as they were given: nobody changes one that a value holds.
    """
    made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    # The generated refusal asks for the class as it was before it got slots; `Outcome[str](…)` breaks on that in 3.11.
    made.__setattr__ = _refuse_to_set  # type: ignore[method-assign]
    made.__delattr__ = _refuse_to_delete  # type: ignore[method-assign]
    return made


def hidden(self: object) -> str:
    """Show the class alone: the `__repr__` of values that hold secrets or a buyer's data."""
    return f"{type(self).__name__}(…)"


def _refuse_to_set(self: object, name: str, _to: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r} of {type(self).__name__}")


def _refuse_to_delete(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r} of {type(self).__name__}")
