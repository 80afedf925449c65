"""Decides which orders wait for a mapping, and says what mends an order that is held back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hanro.errors import LocalizedText
from hanro.events.orders import UNMAPPED_LINE, OrderChanged, OrderFact, OrderLine, OrderReleased
from hanro.marketplace import match_key
from hanro.marketplace.types.limits import KeyField
from order_svc.domain.orders import Order, restate

MOST_NAMED = 5
_HALF = re.compile("[\ud800-\udfff]")

REMEDIES: Mapping[str, LocalizedText] = {
    UNMAPPED_LINE: LocalizedText(
        ja="この明細の商品を SKU に対応づけてください(POST /v1/listings:adopt)。対応づけると自動的に解除されます。",
        en="Map the offer of that line to a SKU (POST /v1/listings:adopt); the order is then released by itself.",
    ),
}
_UNREADABLE = LocalizedText(
    ja="内容を読み取れません。マーケットプレイスの管理画面で確認してください。読み取れるようになると自動的に解除されます。",
    en="It cannot be read. Look at it in the marketplace's own screens; once it can be read it is released by itself.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Be what is mapped of an account that uses the catalogue: the keys, of those looked up, that have a SKU."""

    key_fields: tuple[KeyField, ...]
    mapped: frozenset[str]


def keys_of(key_fields: tuple[KeyField, ...], lines: Sequence[Mapping[str, str]]) -> set[str]:
    """Give the match keys of lines, by the seller's keys of each; lines without one are left out."""
    found = {key for keys in lines if (key := match_key(key_fields, keys)) is not None}
    # Half a surrogate is stored nowhere; its order is quarantined for it.
    return {key for key in found if not _HALF.search(key)}


def find_unmapped(
    lines: Sequence[OrderLine], catalogue: Catalogue | None, known: Order | None
) -> dict[str, str | None]:
    """Give the open lines that no SKU is mapped to, by the marketplace's line id, with the key that is missing.

    None as key: the line has none that a mapping could name. An account without any mapping (`catalogue` None) uses no
    catalogue here. What went through once is not held back later: who maps a first offer
    keeps the open orders.
    """
    if catalogue is None:
        return {}
    passed = {line.external_id: line.keys for line in known.lines} if known and not known.is_quarantined else {}
    found = {}
    for line in lines:
        if line.open_quantity and passed.get(line.external_id) != line.keys:
            key = match_key(catalogue.key_fields, line.keys)
            if key is None or key not in catalogue.mapped:
                found[line.external_id] = key
    return found


def why_unmapped(unmapped: Mapping[str, str | None]) -> str:
    """Name the lines that wait for a mapping, at most five."""
    named = [f"{line_id} ({key or 'it has no key'})" for line_id, key in list(unmapped.items())[:MOST_NAMED]]
    more = len(unmapped) - len(named)
    return f"No SKU is mapped to line {', '.join(named)}{f' and {more} more' if more else ''}."


def quarantined(order: Order, unmapped: Mapping[str, str | None]) -> Order:
    """Hold a readable order back for its unmapped lines, or let it go where there is none."""
    return replace(
        order,
        is_quarantined=bool(unmapped),
        quarantine_code=UNMAPPED_LINE if unmapped else None,
        quarantine_why=why_unmapped(unmapped) if unmapped else None,
        unmapped=dict(unmapped),
    )


def release(order: Order, mapped: frozenset[str], at: datetime) -> tuple[Order, OrderFact] | None:
    """Take from an order the lines whose keys are mapped now; None: none of them is."""
    left = {line_id: key for line_id, key in order.unmapped.items() if key is None or key not in mapped}
    if left == order.unmapped:
        return None
    changed = quarantined(replace(order, version=order.version + 1), left)
    return changed, restate(OrderChanged if left else OrderReleased, changed, at)


def remedy_of(code: str) -> LocalizedText:
    """Say what mends an order that is quarantined with that code."""
    return REMEDIES.get(code, _UNREADABLE)
