"""Reads the orders that a marketplace's notices named, at once."""

from collections.abc import Sequence
from datetime import timedelta

from hanro.due import Lease
from hanro.errors import NeedsSeller, Retryable
from hanro.log import logger
from hanro.marketplace.types import Capability, OrderRef
from hanro.sessions import OpenSession
from order_svc import notices, orders
from order_svc.domain.accounts import Account
from order_svc.domain.reconcile import external_id_of
from order_svc.poller.follow_up import FETCH
from order_svc.poller.means import GRANT_MISSING, Means
from order_svc.store.notices import WaitingNotice

LOG = logger(__name__)
LOOK_AGAIN = timedelta(seconds=30)


async def read_noticed(means: Means, lease: Lease, account: Account, opened: OpenSession) -> str:
    """Read what notices named; one whose orders are not shown yet is looked after again, for an hour.

    Raises:
        Retryable, NeedsSeller, ContractBroken: as `Orders.fetch` says; what was stored stands.
    """
    if Capability.FETCH_ORDER.value in account.lost_capabilities:
        raise NeedsSeller("orders cannot be read by number", code=GRANT_MISSING)
    waiting = await notices.list_waiting(means.db, account.id)
    numbers = list(dict.fromkeys(number for one in waiting for number in one.order_ids))
    shown: set[str] = set()
    size = opened.plugin.limits.batches[FETCH].size
    for start in range(0, len(numbers), size):
        if means.clock.monotonic() > lease.last_call_monotonic:
            raise Retryable("the lease does not last for another call", code="lease-lost")
        refs = await orders.refs_of(means.db, account.id, numbers[start : start + size])
        shown |= await _read(means, lease, account, opened, refs)
    handled = [one.external_id for one in waiting if one.is_old or shown.issuperset(one.order_ids)]
    _tell_unshown([one for one in waiting if one.is_old and not shown.issuperset(one.order_ids)], account)
    await notices.settle(means.db, lease, handled, next_at=means.clock.now() + LOOK_AGAIN)
    return "done"


async def _read(
    means: Means, lease: Lease, account: Account, opened: OpenSession, refs: Sequence[OrderRef]
) -> set[str]:
    asked_at = means.clock.now()
    fetched = await opened.plugin.orders(opened.session).fetch(refs)
    found = await orders.ingest_fetched(
        means.db,
        means.keyring,
        fetched.sightings,
        account=account,
        plugin=opened.plugin,
        at=means.clock.now(),
        lease=lease,
        route=notices.FINDER,
    )
    means.metrics.found(account.marketplace_id, notices.FINDER, found)
    await means.note_success(account.id, opened, Capability.FETCH_ORDER, asked_at=asked_at)
    return {external_id_of(sighting) for sighting in fetched.sightings}


def _tell_unshown(unshown: Sequence[WaitingNotice], account: Account) -> None:
    if unshown:
        LOG.warning("the marketplace told of orders that it does not show", account_id=account.id, count=len(unshown))
