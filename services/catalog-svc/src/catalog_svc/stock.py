"""Counts and moves units in the house, one transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog_svc import ledger
from catalog_svc.domain.reservations import Allotment
from catalog_svc.domain.stock import Cause, Stock, counted, moved
from catalog_svc.store import stock as store
from hanro.db import Transaction
from hanro.errors import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Be what somebody counted; `safety_buffer` None keeps what stands, `if_version` None asks for no version."""

    sku: str
    on_hand: int
    safety_buffer: int | None = None
    if_version: int | None = None


async def lock(tx: Transaction, sku: str) -> Stock:
    """Lock the stock of a SKU.

    Raises:
        Rejected: no product has that SKU; code "not-found".
    """
    found = await store.lock_stock(tx, [sku])
    if sku not in found:
        raise unknown(sku)
    return found[sku]


async def count(tx: Transaction, before: Stock, wanted: Count, *, at: datetime, by: str) -> Stock:
    """Set the units in the house of a locked SKU, and hold them for orders that lack some; unchanged: no new version.

    Raises:
        Rejected: fewer units than open orders hold; code "refused".
    """
    return (await _keep(tx, [(before, _counted(before, wanted))], at=at, by=by, cause="set"))[before.sku]


async def move(
    tx: Transaction,
    before: Stock,
    delta: int,
    *,
    cause: str,
    note: str | None,
    order_id: str | None,
    at: datetime,
    by: str,
) -> Stock:
    """Let units come or leave, and write the movement down.

    Raises:
        Rejected: units that open orders hold cannot leave; code "refused".
    """
    after = moved(before, delta)
    await store.save_movements(tx, [(after, delta)], cause=cause, by=by, note=note, order_id=order_id)
    return (await _keep(tx, [(before, after)], at=at, by=by, cause="movement"))[before.sku]


async def count_all(tx: Transaction, wanted: Sequence[Count], *, at: datetime, by: str) -> list[Stock | Rejected]:
    """Set many SKUs at once, in the order asked; what cannot be set is answered with its reason, the others stand."""
    found = await store.lock_stock(tx, {one.sku for one in wanted})
    seen: set[str] = set()
    outcomes: list[Stock | Rejected] = []
    for one in wanted:
        outcomes.append(_outcome(found.get(one.sku), one, is_repeated=one.sku in seen))
        seen.add(one.sku)
    changes = [(found[outcome.sku], outcome) for outcome in outcomes if isinstance(outcome, Stock)]
    kept = await _keep(tx, changes, at=at, by=by, cause="set") if changes else {}
    return [kept[outcome.sku] if isinstance(outcome, Stock) else outcome for outcome in outcomes]


def unknown(sku: str, *, field: str | None = None) -> Rejected:
    """Say that no product has a SKU; `field` is where it stands in the body, None: in the path."""
    return Rejected(f"No product has SKU {sku}: put its product first.", code="not-found", field=field)


def _outcome(before: Stock | None, wanted: Count, *, is_repeated: bool) -> Stock | Rejected:
    if before is None:
        return unknown(wanted.sku, field="sku")
    if is_repeated:
        return Rejected(f"SKU {wanted.sku} stands twice in this request", code="already-exists", field="sku")
    if wanted.if_version is not None and wanted.if_version != before.version:
        return Rejected(
            f"the version is {before.version}, not {wanted.if_version}", code="version-changed", field="if_version"
        )
    try:
        return _counted(before, wanted)
    except Rejected as refusal:
        return refusal


def _counted(before: Stock, wanted: Count) -> Stock:
    buffer = before.safety_buffer if wanted.safety_buffer is None else wanted.safety_buffer
    return counted(before, on_hand=wanted.on_hand, safety_buffer=buffer)


async def _keep(
    tx: Transaction, changes: Sequence[tuple[Stock, Stock]], *, at: datetime, by: str, cause: Cause
) -> dict[str, Stock]:
    differing = [(before, after) for before, after in changes if before != after]
    counts = [(after, after.on_hand - before.on_hand) for before, after in differing]
    if cause == "set" and (told := [(after, delta) for after, delta in counts if delta]):
        await store.save_movements(tx, told, cause="set", by=by)
    before_by_sku = {before.sku: before for before, _ in changes}
    allotment = Allotment(stocks={after.sku: after for _, after in changes})
    return await ledger.keep(tx, before_by_sku, allotment, known={}, at=at, cause=cause, by=by, order_ids={})
