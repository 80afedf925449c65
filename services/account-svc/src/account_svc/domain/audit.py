"""Says what is kept of who did what, and names what a change touched: names alone, never values."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime

from account_svc.domain.accounts import Account

# What follows from a change by itself.
_DERIVED = frozenset({"version", "changed_at", "reason", "state", "shop_key"})
_NAMES = {"credential_version": "credentials", "is_enabled": "enabled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Be one changing deed: who did it, what it was, to which account of which shops, and what it changed, by name.

    `position` counts all entries; `correlation_id` is the request's. `account_id` None: it was about a shop.
    """

    position: int
    at: datetime
    subject: str
    action: str
    account_id: str | None
    shop_ids: tuple[str, ...]
    changed: tuple[str, ...]
    correlation_id: str | None


def changed_names(before: Account, after: Account) -> tuple[str, ...]:
    """Name the fields of an account that differ, those of its parts behind a dot, in the account's order."""
    return tuple(_differing(before, after, ""))


def _differing(before: object, after: object, prefix: str) -> Sequence[str]:
    found: list[str] = []
    for one in fields(after):  # type: ignore[arg-type]  # both are dataclasses of one kind
        old, new = getattr(before, one.name), getattr(after, one.name)
        if old == new or one.name in _DERIVED:
            continue
        name = prefix + _NAMES.get(one.name, one.name)
        if is_dataclass(old) and is_dataclass(new):
            found += _differing(old, new, f"{name}.")
        else:
            found.append(name)
    return found
