"""Says what is wished for an order and what it is in the port's words; loads and checks it as it stands now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hanro.db import Transaction
from hanro.errors import NeedsSeller, Rejected
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Capability, MarketplaceId, OrderEffect
from hanro.operations import Operation, OperationStatus
from order_svc.domain import answers, cancellations, shipments
from order_svc.domain.accounts import Account
from order_svc.domain.cancellations import Cancellation
from order_svc.domain.effects import CANCEL, DECISIONS, KINDS, SHIP, Kind
from order_svc.domain.orders import Order
from order_svc.domain.permits import Ability, obstacle
from order_svc.domain.shipments import Shipment
from order_svc.domain.verdicts import ANSWERED, LEFT, epoch_past
from order_svc.store import accounts as accounts_store
from order_svc.store import cancellations as cancellations_store
from order_svc.store import decisions as decisions_store
from order_svc.store import orders as store
from order_svc.store import shipments as shipments_store

Plugins = Mapping[MarketplaceId, Plugin]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Be an operation that is claimed, with its order as it stands, its account, and all that is asked of the order."""

    operation: Operation
    order: Order
    account: Account
    shipments: Sequence[Shipment] = ()
    cancellations: Sequence[Cancellation] = ()
    note: str | None = field(default=None, repr=False)

    @property
    def kind(self) -> Kind:
        """Give what kind of effect it is."""
        return KINDS[self.operation.kind]

    @property
    def capability(self) -> Capability:
        """Give what its marketplace must be able to do."""
        return Capability(str(self.operation.asked.get("capability", Capability.ACCEPT.value)))

    @property
    def asked_epoch(self) -> int:
        """Give the link of the account that it was wished under."""
        epoch = self.operation.asked.get("account_epoch", 0)
        return epoch if isinstance(epoch, int) else 0

    @property
    def is_answered(self) -> bool:
        """Tell whether the marketplace said yes to it, so that it must never be sent again."""
        return bool((self.operation.answer or {}).get(ANSWERED))

    @property
    def shipment(self) -> Shipment:
        """Give the parcel that it is to register."""
        return next(one for one in self.shipments if one.operation_id == self.operation.id)

    @property
    def cancellation(self) -> Cancellation:
        """Give the cancellation that it is to make."""
        return next(one for one in self.cancellations if one.operation_id == self.operation.id)

    @property
    def effect(self) -> OrderEffect:
        """Give it as the port takes it."""
        match self.operation.kind:
            case "ship":
                return shipments.asked(self.shipment, self.order)
            case "cancel":
                return cancellations.asked(self.cancellation, self.order, self.left)
            case _:
                operation = self.operation
                return answers.decision(operation.id, self.order, operation.kind, operation.asked, self.note)

    @property
    def left(self) -> Mapping[str, Mapping[str, object]]:
        """Give what must be left of its order: as it was kept when it was sent, before then as the order stands."""
        kept = (self.operation.answer or {}).get(LEFT)
        if isinstance(kept, Mapping):
            return kept
        is_to_come = self.operation.kind == CANCEL and self.operation.status is OperationStatus.ACCEPTED
        return cancellations.left_by(self.cancellation, self.order) if is_to_come else {}

    def refused(self) -> Rejected | None:
        """Say why it is not sent any more; None: send it."""
        if self.asked_epoch < self.account.epoch:
            return epoch_past()
        match self.operation.kind:
            case "ship":
                return shipments.still_shippable(self.order, self.shipment, self.shipments, self.cancellations)
            case "cancel":
                return cancellations.still_cancellable(self.order, self.cancellation)
            case _:
                return answers.still_wanted(self.order, self.operation.kind, self.operation.asked)

    def hindered(self, plugins: Plugins, capability: Capability | None = None) -> NeedsSeller | None:
        """Say what is in the way of it now, or of another capability for it."""
        return obstacle(self.account, ability_of(plugins, self.account), capability or self.capability)


def ability_of(plugins: Plugins, account: Account) -> Ability | None:
    """Give what an account's marketplace can do; None where it is not installed."""
    plugin = plugins.get(MarketplaceId(account.marketplace_id))
    return None if plugin is None else Ability(supports=plugin.capabilities, grants=plugin.grants)


async def load(tx: Transaction, claimed: Sequence[Operation]) -> list[Wish]:
    """Give operations with all that they are about, as it stands; nothing is locked."""
    orders = await store.get_orders(tx, [operation.subject_id for operation in claimed])
    accounts = {
        account_id: await accounts_store.find_account(tx, account_id)
        for account_id in sorted({order.account_id for order in orders.values()})
    }
    wishes = []
    for operation in claimed:
        order = orders[operation.subject_id]
        account = accounts[order.account_id]
        if account is None:
            raise AssertionError(f"unreachable: an order was stored for {order.account_id}, which is not known")
        wishes.append(Wish(operation=operation, order=order, account=account))
    return await _with_asked(tx, wishes)


async def load_locked(tx: Transaction, wishes: Sequence[Wish]) -> list[Wish]:
    """Give wishes as all that they are about stands now; nothing of that changes before this commits."""
    accounts = await accounts_store.share_accounts(tx, sorted({wish.account.id for wish in wishes}))
    orders = await store.lock_orders_by_id(tx, sorted({wish.order.id for wish in wishes}))
    fresh = [replace(wish, account=accounts[wish.account.id], order=orders[wish.order.id]) for wish in wishes]
    return await _with_asked(tx, fresh)


async def _with_asked(tx: Transaction, wishes: Sequence[Wish]) -> list[Wish]:
    deciding = [wish.operation.id for wish in wishes if wish.operation.kind in DECISIONS]
    if deciding:
        notes = await decisions_store.find_notes(tx, deciding)
        wishes = [replace(wish, note=notes.get(wish.operation.id)) for wish in wishes]
    beyond = sorted({wish.order.id for wish in wishes if wish.operation.kind in {SHIP, CANCEL}})
    if not beyond:
        return list(wishes)
    parcels = await shipments_store.list_of_orders(tx, beyond)
    undone = await cancellations_store.list_of_orders(tx, beyond)
    return [
        replace(wish, shipments=parcels.get(wish.order.id, ()), cancellations=undone.get(wish.order.id, ()))
        for wish in wishes
    ]
