"""Makes a class a value: frozen, without a dictionary, built by keywords alone."""

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from functools import wraps
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
    if _is_plain(made):
        made.__init__ = _quick_init(made)  # type: ignore[method-assign]
    return made


def hidden(self: object) -> str:
    """Show the class alone: the `__repr__` of values that hold secrets or a buyer's data."""
    return f"{type(self).__name__}(…)"


def _is_plain(made: type) -> bool:
    """Tell whether a value is made of its arguments alone; the few others keep the `__init__` that they have."""
    is_alone = made.__bases__ == (object,) and not hasattr(made, "__post_init__")
    return is_alone and all(one.init and one.default_factory is MISSING for one in fields(made))


def _quick_init(made: type) -> Callable[..., None]:
    """Write an `__init__` that assigns, while the value is of a twin class with the same slots that is not frozen.

    That of a frozen dataclass has each field set by its name, at three times the cost; an order has two hundred.
    """
    found = fields(made)
    space: dict[str, Any] = {f"default_{one.name}": one.default for one in found if one.default is not MISSING}
    space |= {
        "frozen_": made,
        "open_": type(made.__name__, (), {"__slots__": tuple(one.name for one in found)}),
        "become_": vars(object)["__class__"].__set__,
    }
    asked = [one.name if one.default is MISSING else f"{one.name}=default_{one.name}" for one in found]
    steps = ["become_(self, open_)", *(f"self.{one.name} = {one.name}" for one in found), "self.__class__ = frozen_"]
    exec(f"def init(self, {', '.join(['*', *asked]) if asked else ''}):\n " + "\n ".join(steps), space)  # noqa: S102  names of fields alone
    return wraps(made.__init__)(space["init"])  # type: ignore[misc]


def _refuse_to_set(self: object, name: str, _to: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r} of {type(self).__name__}")


def _refuse_to_delete(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r} of {type(self).__name__}")
