"""Hears of accounts and orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from catalog_svc import accounts, reservations
from catalog_svc.accounts import AccountChange
from catalog_svc.domain import reservations as holding
from catalog_svc.domain.reservations import Reservation
from catalog_svc.reservations import Change, KnownOrder
from catalog_svc.store import listings as listing_store
from catalog_svc.store.listings import AccountCopy
from hanro.access_reports import AccessLog
from hanro.clock import Clock
from hanro.consume import Subscription
from hanro.db import Transaction
from hanro.errors import Unsupported
from hanro.events.accounts import ACCOUNT_FACTS, AccountFact
from hanro.events.envelope import Received
from hanro.events.fact import Fact
from hanro.events.orders import BY_FILE, ORDER_FACTS, OrderFact
from hanro.marketplace import match_key
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId

Plugins = Mapping[MarketplaceId, Plugin]
Kind = TypeVar("Kind", bound=Fact)


def on_accounts(access: AccessLog) -> Subscription[AccountCopy, AccountChange]:
    """Keep a copy of what the account's keys and shops are."""

    async def load(tx: Transaction, received: Sequence[Received]) -> dict[str, AccountCopy]:
        return await listing_store.lock_accounts(tx, [one.fact.id for one in received])

    def decide(known: AccountCopy | None, received: Received) -> AccountChange:
        fact = _as(AccountFact, received)
        before = known.epoch if known is not None else 0
        account = AccountCopy(
            id=fact.id,
            marketplace_id=fact.marketplace_id,
            state=fact.state,
            # An epoch never goes back: what an older one began must not be taken up again.
            epoch=max(fact.account_epoch or 0, before),
            shop_ids=fact.shop_ids,
            is_enabled=fact.is_enabled,
            switches=fact.switches,
            lost_capabilities=fact.lost_capabilities,
            lost_grants=fact.lost_grants,
        )
        is_new = known is None or known.marketplace_id is None
        return AccountChange(account=account, is_new=is_new, is_past=account.is_let_go and account.epoch > before)

    async def apply(tx: Transaction, changes: Sequence[AccountChange]) -> None:
        await accounts.apply(tx, changes, access=access)

    return Subscription(name="catalog.accounts", facts=ACCOUNT_FACTS, load=load, decide=decide, apply=apply)


def on_orders(plugins: Plugins, clock: Clock) -> Subscription[KnownOrder, Change]:
    """Reserve what the newest fact of each order says is open."""

    async def load(tx: Transaction, received: Sequence[Received]) -> dict[str, KnownOrder]:
        return await reservations.look_up(
            tx, {fact.id: (fact.account_id or "", _keys_of(fact, plugins)) for fact in map(_order, received)}
        )

    def decide(known: KnownOrder | None, received: Received) -> Change:
        fact = _order(received)
        if MarketplaceId(fact.marketplace_id) not in plugins:
            raise Unsupported(f"no plug-in {fact.marketplace_id} is installed", code="absent")
        if known is None:
            raise AssertionError("every order of the batch was looked up")
        # What cannot be read says nothing about lines; a sandbox order moves no real stock. An order that waits for one
        # line's mapping holds stock for its others.
        if fact.is_unreadable or fact.is_test:
            return Change(known=known, asked=())
        if _is_left_to_hand(fact, known):
            return Change(known=known, asked=())
        # A mapping that was deleted by an unlink takes nothing from orders that were mapped by it.
        held = {line.key: line for line in known.lines}
        wanted = [line.reservation(known.skus, held.get(line.line.key)) for line in _lines_of(fact, plugins)]
        if known.is_moved_by_hand:
            # Whoever names an order in a movement has put its units where they belong.
            wanted = [replace(line, returned=0, shipped_before=None) for line in wanted]
        return Change(known=known, asked=tuple(holding.wishes(known.lines, wanted)))

    async def apply(tx: Transaction, changes: Sequence[Change]) -> None:
        await reservations.follow(tx, changes, clock.now())

    return Subscription(name="catalog.orders", facts=ORDER_FACTS, load=load, decide=decide, apply=apply)


def _is_left_to_hand(fact: OrderFact, known: KnownOrder) -> bool:
    """Tell whether an order that a file brought holds no stock: it was not to, or somebody moved its units by hand."""
    if not fact.reserves_stock:
        return True
    return fact.first_seen_by == BY_FILE and known.is_moved_by_hand and not known.lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    key: str | None
    line: Reservation

    def reservation(self, skus: Mapping[str, str], held: Reservation | None) -> Reservation:
        sku = skus.get(self.key) if self.key is not None else None
        if sku is None and held is not None and held.match_key == self.key:
            sku = held.sku
        return self.line if sku is None else holding.mapped(self.line, sku)


def _lines_of(fact: OrderFact, plugins: Plugins) -> list[_Line]:
    plugin = plugins.get(MarketplaceId(fact.marketplace_id))
    found = []
    for line in fact.lines:
        key = match_key(plugin.key_fields, line.keys) if plugin else None
        reservation = Reservation(
            order_id=fact.id,
            line_id=line.id,
            account_id=fact.account_id or "",
            external_id=fact.external_id,
            placed_at=fact.placed_at,
            match_key=key,
            title=line.title,
            sku=None,
            wanted=line.open_quantity,
            reserved=0,
            shipped=line.shipped_quantity,
            returned=line.returned_quantity,
            shipped_before=line.shipped_before,
        )
        found.append(_Line(key=key, line=reservation))
    return found


def _keys_of(fact: OrderFact, plugins: Plugins) -> set[str]:
    return {line.key for line in _lines_of(fact, plugins) if line.key is not None}


def _order(received: Received) -> OrderFact:
    return _as(OrderFact, received)


def _as(kind: type[Kind], received: Received) -> Kind:
    if not isinstance(received.fact, kind):
        raise TypeError(f"{received.type} is no {kind.__name__}")
    return received.fact
