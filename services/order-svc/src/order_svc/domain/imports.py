"""Decides what a file's order changes: it sets the order in progress, and what the marketplace showed stands."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from hanro.errors import LocalizedText
from hanro.events.orders import BY_FILE, OrderChanged
from hanro.marketplace.types import SeenOrder
from order_svc.domain.accounts import Account
from order_svc.domain.merging import Terms
from order_svc.domain.orders import Order, WorkState, restate
from order_svc.domain.reconcile import Change, reconcile_or_quarantine

STOCK_NOT_MOVED = LocalizedText(
    ja="この取込では在庫は動きません。在庫は手動で調整してください。",
    en="This import moves no stock: adjust it by hand.",
)
NOTHING_STORED = LocalizedText(
    ja="確認のみの実行です。何も登録されません。", en="This is a dry run: nothing is stored."
)

ROUTE: Final = BY_FILE


def decider(terms: Terms) -> Callable[..., Change | None]:
    """Give what stands for `reconcile_or_quarantine` where a file is taken in on these terms."""

    def decide(
        known: Order | None, sighting: SeenOrder, *, account: Account, route: str, at: datetime, **more: Any
    ) -> Change | None:
        if known is not None and not known.is_from_file:
            return _worked(known, terms, account, at)
        change = reconcile_or_quarantine(known, sighting, account=account, route=route, at=at, **more)
        if change is None:
            return None if known is None else _worked(known, terms, account, at)
        order = replace(
            change.order,
            work_state=_begun(change.order.work_state),
            reserves_stock=terms.reserves_stock or (known is not None and known.reserves_stock),
            is_from_file=True,
            is_backfilled=True,
        )
        fact = restate(type(change.fact), order, at)
        return replace(change, order=order, fact=fact)

    return decide


def _worked(known: Order, terms: Terms, account: Account, at: datetime) -> Change | None:
    """Set an order in progress whose contents a file does not change; nobody knows how old the file is."""
    order = replace(
        known,
        work_state=_begun(known.work_state),
        reserves_stock=known.reserves_stock or terms.reserves_stock,
    )
    if order == known:
        return None
    order = replace(order, version=known.version + 1, account_epoch=account.epoch)
    return Change(order=order, fact=restate(OrderChanged, order, at), personal=None, raw=None, found_by=frozenset())


def _begun(state: WorkState) -> WorkState:
    return "in_progress" if state == "new" else state
