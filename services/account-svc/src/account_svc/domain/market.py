"""Decides what changed in what a seller set up at a marketplace, and what of it can be kept. Values in, values out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hanro.errors import ContractBroken
from hanro.marketplace.types import MarketEntry, MarketInformation, MarketKind

MOST_ENTRIES = 10_000
LONGEST_ID = 200
LONGEST_NAME = 1_000
MOST_DETAILS = 200
LONGEST_DETAIL = 10_000
MOST_NAMES = 50
ADDRESSES = frozenset({MarketKind.COMPANY_ADDRESS, MarketKind.RETURN_ADDRESS, MarketKind.SHIP_FROM})
"""Kinds that are addresses: one that is typed needs its parts."""


class What(StrEnum):
    """Say what became of an entry; FIRST_READ is of a whole kind that was never known before."""

    FIRST_READ = "first_read"
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Be one thing that became different; `fields` name what of it, never how.

    `external_id` None: the whole kind was read for the first time. `name` is the last known one, `old_name` differs
    where it was renamed.
    """

    kind: MarketKind
    what: What
    external_id: str | None
    name: str
    old_name: str | None = None
    fields: tuple[str, ...] = ()


def compare(kind: MarketKind, before: Sequence[MarketEntry] | None, after: Sequence[MarketEntry]) -> tuple[Change, ...]:
    """Tell what of one kind is different: changed and added in their new order, then what went away.

    `before` None: it was never known. The order of entries says nothing.
    """
    if before is None:
        count = len(after)
        return (Change(kind=kind, what=What.FIRST_READ, external_id=None, name=str(count)),) if count else ()
    known = {entry.external_id: entry for entry in before}
    changes = []
    for entry in after:
        old = known.pop(entry.external_id, None)
        if old is None:
            changes.append(Change(kind=kind, what=What.ADDED, external_id=entry.external_id, name=entry.name))
        elif fields := _differing(old, entry):
            changes.append(
                Change(
                    kind=kind,
                    what=What.CHANGED,
                    external_id=entry.external_id,
                    name=entry.name,
                    old_name=old.name if old.name != entry.name else None,
                    fields=fields,
                )
            )
    gone = [
        Change(kind=kind, what=What.REMOVED, external_id=entry.external_id, name=entry.name) for entry in known.values()
    ]
    return (*changes, *gone)


def names_of(changes: Iterable[Change]) -> tuple[str, ...]:
    """Name what changed, as a fact tells it: `shipping_group 1`; the kind alone for a first read, a single address.

    Of a kind in which more than 50 entries changed, the kind alone.
    """
    found = list(changes)
    counts = Counter(change.kind for change in found)
    names = (
        change.kind.value
        if change.external_id is None or change.kind in ADDRESSES - {MarketKind.SHIP_FROM} or _is_many(counts, change)
        else f"{change.kind.value} {change.external_id}"
        for change in found
    )
    return tuple(dict.fromkeys(names))


def keepable(found: MarketInformation) -> MarketInformation:
    """Move kinds that cannot be kept to those that failed: an id twice, too many, too long, no text.

    Nothing of what they hold is quoted.
    """
    by_kind: dict[MarketKind, list[MarketEntry]] = {}
    for entry in found.entries:
        by_kind.setdefault(entry.kind, []).append(entry)
    faults = {kind: fault for kind, entries in by_kind.items() if (fault := _find_fault(entries))}
    failed = {kind: ContractBroken(why, code="unreadable") for kind, why in faults.items()}
    return replace(
        found,
        entries=tuple(entry for entry in found.entries if entry.kind not in failed),
        failed={**failed, **found.failed},
    )


def _differing(old: MarketEntry, new: MarketEntry) -> tuple[str, ...]:
    own = [name for name in ("name", "is_default", "parent_id") if getattr(old, name) != getattr(new, name)]
    details = [
        name for name in dict.fromkeys((*new.details, *old.details)) if old.details.get(name) != new.details.get(name)
    ]
    return (*own, *details)


def _is_many(counts: Mapping[MarketKind, int], change: Change) -> bool:
    return counts[change.kind] > MOST_NAMES


def _find_fault(entries: Sequence[MarketEntry]) -> str | None:
    if len(entries) > MOST_ENTRIES:
        return f"There are more than {MOST_ENTRIES} entries."
    ids = Counter(entry.external_id for entry in entries)
    if any(count > 1 for count in ids.values()):
        return "Two entries have the same id."
    for entry in entries:
        texts = [entry.external_id, entry.name, entry.parent_id or "", *entry.details, *entry.details.values()]
        if not entry.external_id or len(entry.external_id) > LONGEST_ID or len(entry.name) > LONGEST_NAME:
            return "An entry has no id, or an id or a name that is too long."
        if len(entry.details) > MOST_DETAILS or any(len(text) > LONGEST_DETAIL for text in texts):
            return "An entry says too much."
        if not all(_is_text(text) for text in texts):
            return "An entry holds what is no text."
    return None


def _is_text(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
