"""Decides which messages an order's state asks for, and why others are not sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hanro.events.orders import OrderFact
from hanro.ids import new_id
from hanro.marketplace.types.enums.rules import Channel, Trigger
from notifier_svc.domain.accounts import Account
from notifier_svc.domain.messages import BUYER_ERASED, PREFIX, SWITCHED_OFF, Message, State

# Source: PRODUCT M4; a shop's staff would be ashamed of older news.
LONGEST_AGE = timedelta(hours=72)

TRIGGERS: Mapping[str, Trigger] = {
    "placed": Trigger.NEW_ORDER,
    "confirmed": Trigger.CONFIRMED,
    "shipped": Trigger.SHIPPED,
    "partly_cancelled": Trigger.PARTLY_CANCELLED,
    "cancelled": Trigger.CANCELLED,
    "delayed": Trigger.DELAYED,
    "completed": Trigger.COMPLETED,
}
"""Milestones of an order's facts that buyers are told of; others pass unseen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Say that a trigger of an account sends a template, since `bound_at`, by a channel."""

    account_id: str
    trigger: Trigger
    template: str
    channel: Channel
    bound_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Be what stands when an order's fact arrives: its account and its bindings, what is written already, the time.

    `written` holds (trigger, occurrence) of every message and every skip of the order.
    """

    account: Account | None
    bindings: Mapping[Trigger, Binding]
    written: frozenset[tuple[Trigger, int]]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Say that a milestone was reached while nothing was bound to it: nothing is sent, and the history can tell why."""

    order_id: str
    account_id: str
    trigger: Trigger
    occurrence: int
    reason_code: str
    milestone_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Be what is to be written for one order: messages, planned or suppressed, and skips.

    `erased_order_id` names it where its buyer was erased: nothing that is planned goes out, and no trace stays.
    """

    messages: tuple[Message, ...] = ()
    skips: tuple[Skip, ...] = ()
    erased_order_id: str | None = None


def decide(known: Known, fact: OrderFact) -> Plan:
    """Plan each milestone that the order has reached and that nothing is written of; the same fact again plans nothing.

    While an order is quarantined nothing is planned: its release restates it.
    """
    erased = fact.id if fact.erased_at is not None else None
    if fact.is_quarantined:
        return Plan(erased_order_id=erased)
    messages: list[Message] = []
    skips: list[Skip] = []
    for name, reached_at in sorted(fact.milestones.items(), key=lambda milestone: (milestone[1], milestone[0])):
        trigger = TRIGGERS.get(name)
        if trigger is None or (trigger, 1) in known.written:
            continue
        binding = known.bindings.get(trigger)
        if known.account is None or binding is None:
            skips.append(_skip(fact, trigger, reached_at))
        else:
            messages.append(_message(fact, known.account, binding, reached_at, known.at))
    return Plan(messages=tuple(messages), skips=tuple(skips), erased_order_id=erased)


def reason_not_to_send(
    fact: OrderFact, account: Account, binding: Binding, reached_at: datetime, at: datetime
) -> str | None:
    """Say why a milestone is not told; None: it is.

    Reasons: buyer-erased, backfilled, test, unlinked, messages-off, before-binding, too-old.
    """
    # Marketplaces state whole seconds: an order of the same second as the binding is not older than it.
    is_before_binding = reached_at < binding.bound_at.replace(microsecond=0)
    reasons = (
        (fact.erased_at is not None, BUYER_ERASED),
        (fact.is_backfilled, "backfilled"),
        (fact.is_test, "test"),
        ((fact.account_epoch or 0) < account.epoch, "unlinked"),
        (not account.switches.messages, SWITCHED_OFF),
        (is_before_binding, "before-binding"),
        (at - reached_at >= LONGEST_AGE, "too-old"),
    )
    return next((reason for is_so, reason in reasons if is_so), None)


def _message(fact: OrderFact, account: Account, binding: Binding, reached_at: datetime, at: datetime) -> Message:
    reason = reason_not_to_send(fact, account, binding, reached_at, at)
    return Message(
        id=new_id(PREFIX),
        account_id=account.id,
        account_epoch=fact.account_epoch or 0,
        marketplace_id=fact.marketplace_id,
        order_id=fact.id,
        order_external_id=fact.external_id,
        trigger=binding.trigger,
        occurrence=1,
        channel=binding.channel,
        template=binding.template,
        state=State.PLANNED if reason is None else State.SUPPRESSED,
        reason_code=reason,
        milestone_at=reached_at,
        planned_at=at,
        expires_at=at + LONGEST_AGE,
        changed_at=at,
        next_at=at if reason is None else None,
        version=0 if reason is None else 1,
    )


def _skip(fact: OrderFact, trigger: Trigger, reached_at: datetime) -> Skip:
    return Skip(
        order_id=fact.id,
        account_id=fact.account_id or "",
        trigger=trigger,
        occurrence=1,
        reason_code="unbound",
        milestone_at=reached_at,
    )
