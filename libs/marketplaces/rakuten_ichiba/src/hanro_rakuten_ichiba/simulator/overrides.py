"""Puts values into an order's tree against all rules, so that tests have orders that no client can read."""

from collections.abc import Mapping, Sequence


def apply(tree: dict[str, object], raw: Mapping[str, object], removed: Sequence[str]) -> None:
    """Set what `raw` holds and drop the members at the pointers `removed`.

    A key of `raw` that begins with "/" is a JSON Pointer to one value (`/PackageModelList/0/SenderModel/city`). Objects
    are merged member by member, known members keep their place; anything else, lists too, replaces what was there.

    Raises:
        ValueError: a pointer leads nowhere.
    """
    for key, value in raw.items():
        if key.startswith("/"):
            _set(tree, key, value)
        else:
            _merge(tree, key, value)
    for pointer in removed:
        _remove(tree, pointer)


def _merge(holder: dict[str, object], key: str, value: object) -> None:
    known = holder.get(key)
    if isinstance(value, dict) and isinstance(known, dict):
        for name, inner in value.items():
            _merge(known, name, inner)
    else:
        holder[key] = value


def _walk(tree: dict[str, object], pointer: str) -> tuple[object, str]:
    """Give what holds the value at a pointer, and the last name."""
    names = [name.replace("~1", "/").replace("~0", "~") for name in pointer.removeprefix("/").split("/")]
    holder: object = tree
    for name in names[:-1]:
        holder = _step(holder, name, pointer)
    return holder, names[-1]


def _step(holder: object, name: str, pointer: str) -> object:
    if isinstance(holder, dict) and name in holder:
        return holder[name]
    if isinstance(holder, list) and name.isdecimal() and int(name) < len(holder):
        return holder[int(name)]
    raise ValueError(f"{pointer} leads nowhere")


def _set(tree: dict[str, object], pointer: str, value: object) -> None:
    holder, name = _walk(tree, pointer)
    if isinstance(holder, dict):
        holder[name] = value
    elif isinstance(holder, list) and name.isdecimal() and int(name) < len(holder):
        holder[int(name)] = value
    elif isinstance(holder, list) and name == "-":
        holder.append(value)
    else:
        raise ValueError(f"{pointer} leads nowhere")


def _remove(tree: dict[str, object], pointer: str) -> None:
    holder, name = _walk(tree, pointer)
    _step(holder, name, pointer)
    if isinstance(holder, dict):
        del holder[name]
    elif isinstance(holder, list):
        del holder[int(name)]
