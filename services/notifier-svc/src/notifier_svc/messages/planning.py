"""Writes down which messages orders ask for, a batch of facts at a time; nothing leaves here."""

from collections.abc import Callable, Mapping, Sequence

from hanro import outbox
from hanro.db import Transaction
from hanro.events.envelope import Received
from hanro.events.orders import OrderFact
from notifier_svc.domain.messages import BUYER_ERASED, State, restate, restate_all
from notifier_svc.domain.planning import Known, Plan, decide
from notifier_svc.store import claims
from notifier_svc.store.accounts import share_accounts
from notifier_svc.store.bindings import list_bindings
from notifier_svc.store.messages import insert_messages, insert_skips, list_written


async def load(tx: Transaction, batch: Sequence[Received]) -> Mapping[str, Known]:
    """Give what stands for each order of a batch, by order id.

    No order is locked: the ledger's unique (order, trigger, occurrence) decides between twins.
    """
    facts = [order_fact(received) for received in batch]
    account_ids = sorted({fact.account_id for fact in facts if fact.account_id is not None})
    # An unlink waits until what is planned here stands, and then ends it too.
    accounts = await share_accounts(tx, account_ids)
    bindings = await list_bindings(tx, account_ids)
    written = await list_written(tx, [fact.id for fact in facts])
    at = await tx.now()
    return {
        fact.id: Known(
            account=accounts.get(fact.account_id or ""),
            bindings=bindings.get(fact.account_id or "", {}),
            written=written.get(fact.id, frozenset()),
            at=at,
        )
        for fact in facts
    }


def plan(known: Known | None, received: Received) -> Plan:
    """Decide what one fact asks for.

    Raises:
        ValueError: a fact that `load` did not see, or that is none of an order: our bug.
    """
    if known is None:
        raise ValueError(f"nothing was loaded for order {received.fact.id}")
    return decide(known, order_fact(received))


async def apply(tx: Transaction, plans: Sequence[Plan], *, wake: Callable[[], None]) -> None:
    """Store what was decided, record what is suppressed, and wake the sender after the commit.

    Of orders whose buyer was erased all that is planned ends here, and what relays said of their mails goes.
    """
    messages = sorted(
        (message for each in plans for message in each.messages),
        key=lambda message: (message.order_id or "", message.trigger),
    )
    new = await insert_messages(tx, messages)
    await insert_skips(
        tx, sorted((skip for each in plans for skip in each.skips), key=lambda skip: (skip.order_id, skip.trigger))
    )
    stored = [message for message in messages if message.id in new]
    await outbox.record(tx, *(restate(message) for message in stored if message.state is State.SUPPRESSED))
    erased = sorted(each.erased_order_id for each in plans if each.erased_order_id is not None)
    if erased:
        ended = await claims.suppress_erased(tx, erased, reason_code=BUYER_ERASED)
        await outbox.record(tx, *restate_all(ended))
    if any(message.state is State.PLANNED for message in stored):
        tx.after_commit(wake)


def order_fact(received: Received) -> OrderFact:
    """Give the fact as one of an order; ValueError where it is none."""
    if not isinstance(received.fact, OrderFact):
        raise ValueError(f"{received.type} is no fact of an order")  # noqa: TRY004  it is the record that is wrong
    return received.fact
