"""Reads orders again by number that no route shows any more: silence is no news, least of all a cancellation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hanro.errors import Retryable
from hanro.log import logger
from hanro.marketplace.types import Detail, Fetched, OrderPage, OrderRef, SeenOrder, Sighting, UnreadableOrder, Window
from hanro.sessions import OpenSession
from order_svc import orders
from order_svc.domain.decisions import ref_of
from order_svc.domain.orders import Order
from order_svc.domain.reconcile import external_id_of
from order_svc.domain.windows import RouteCursor
from order_svc.poller.means import Errand, Means

LOG = logger(__name__)
FETCH = "orders.fetch"


class Shown:
    """Remember which orders a window has shown so far, over all leases that this process read it under."""

    def __init__(self) -> None:
        self._by_route: dict[tuple[str, str], tuple[Window, set[str]]] = {}

    def begin(self, cursor: RouteCursor) -> None:
        """Begin to remember; a window that somebody else began is not known, since its first pages are not."""
        key = (cursor.account_id, cursor.route)
        if cursor.window is not None and cursor.position is None:
            self._by_route[key] = (cursor.window, set())
        elif key in self._by_route and self._by_route[key][0] != cursor.window:
            del self._by_route[key]

    def add(self, cursor: RouteCursor, sightings: Sequence[Sighting]) -> None:
        """Remember what a page showed."""
        found = self._by_route.get((cursor.account_id, cursor.route))
        if found is not None:
            found[1].update(external_id_of(sighting) for sighting in sightings)

    def take(self, account_id: str, route: str) -> set[str] | None:
        """Give all that the window showed and forget it; None where not all of it is known."""
        found = self._by_route.pop((account_id, route), None)
        return found[1] if found is not None else None


async def follow_up(means: Means, shown: Shown, errand: Errand, window: Window) -> None:
    """After a whole sweep: read what it should have shown and did not, and what left the house long enough ago.

    Raises:
        Retryable, NeedsSeller, ContractBroken: as `Orders.fetch` says.
    """
    seen = shown.take(errand.account.id, errand.route.name)
    if seen is None:
        return
    wanted = await orders.list_to_read_again(
        means.db,
        errand.account.id,
        open_statuses=sorted(status.value for status in errand.route.shows),
        seen=sorted(seen),
        known_before=window.end,
        older_than=means.pace.follow_every,
        limit=means.pace.follow_count,
    )
    size = errand.opened.plugin.limits.batches[FETCH].size
    for start in range(0, len(wanted), size):
        await _read_again(means, errand, wanted[start : start + size])


@dataclass(frozen=True, slots=True, kw_only=True)
class Detailed:
    """Be orders that were read with details; `bare` are the numbers of those that were read without."""

    fetched: Fetched
    bare: frozenset[str]


async def fetch_detailed(opened: OpenSession, refs: Sequence[OrderRef], details: frozenset[Detail]) -> Detailed:
    """Read orders with details; one that can be read without them alone is read so, and is no bad order.

    Raises:
        Retryable, NeedsSeller, ContractBroken: as `Orders.fetch` says.
    """
    door = opened.plugin.orders(opened.session)
    fetched = await door.fetch(refs, details)
    failures = {external_id_of(one): one.failure for one in fetched.sightings if isinstance(one, UnreadableOrder)}
    again = [ref for ref in refs if ref.external_id in failures] if details else []
    if not again:
        return Detailed(fetched=fetched, bare=frozenset())
    bare = {one.external_id: one for one in (await door.fetch(again)).sightings if isinstance(one, SeenOrder)}
    for external_id in bare:
        failure = failures[external_id]
        LOG.error("details of an order are not as documented", code=failure.code, field=failure.field)
    sightings = tuple(bare.get(external_id_of(one), one) for one in fetched.sightings)
    return Detailed(fetched=replace(fetched, sightings=sightings), bare=frozenset(bare))


async def fetch_claimed(opened: OpenSession, page: OrderPage) -> list[Sighting]:
    """Read the orders that claims of a page speak of: the order itself tells how far the claim is."""
    return await _fetch(opened, list({claim.order.external_id: claim.order for claim in page.claims}.values()))


async def fetch_orders(opened: OpenSession, wanted: Sequence[Order]) -> list[Sighting]:
    """Read orders again by number; what the marketplace does not know any more is left out."""
    return await _fetch(opened, [ref_of(order) for order in wanted])


async def _fetch(opened: OpenSession, refs: Sequence[OrderRef]) -> list[Sighting]:
    size = opened.plugin.limits.batches[FETCH].size
    door = opened.plugin.orders(opened.session)
    found: list[Sighting] = []
    for start in range(0, len(refs), size):
        fetched = await door.fetch(refs[start : start + size])
        found += fetched.sightings
        if fetched.missing:
            # Silence is no cancellation: they stay as they are, and somebody may look.
            LOG.warning("the marketplace does not know orders any more", count=len(fetched.missing))
    return found


async def _read_again(means: Means, errand: Errand, wanted: Sequence[Order]) -> None:
    if means.clock.monotonic() > errand.lease.last_call_monotonic:
        raise Retryable("the lease does not last for another call", code="lease-lost")
    sightings = await fetch_orders(errand.opened, wanted)
    await orders.ingest_fetched(
        means.db,
        means.keyring,
        sightings,
        account=errand.account,
        plugin=errand.opened.plugin,
        at=means.clock.now(),
        lease=errand.lease,
        followed=[order.id for order in wanted],
    )
