"""Accepts orders: reads how they stand, confirms whole orders, and tells the outcome of each line."""

from collections.abc import Mapping, Sequence

from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Retryable
from hanro.marketplace.types import Capability, Decision, LineKey, OrderEffect, Outcome, OutcomeStatus, Receipt
from hanro_rakuten_ichiba.client import Client
from hanro_rakuten_ichiba.declared.capabilities import unsupported
from hanro_rakuten_ichiba.declared.limits import ORDERS_PER_CALL
from hanro_rakuten_ichiba.functions import CONFIRM_ORDER
from hanro_rakuten_ichiba.reading import read_orders
from hanro_rakuten_ichiba.verdicts import (
    Verdict,
    capability_of,
    find_message,
    in_doubt,
    is_already_confirmed,
    judge_acceptance,
    judge_read_back,
    judge_standing,
    keys_of,
    may_have_effect,
    outcomes_of,
    read_verdict,
    split_refused,
)

_OK = 200


def check_keys(effects: Sequence[OrderEffect]) -> None:
    """Refuse what is our own bug.

    Raises:
        ValueError: more than 100 orders, a key twice, or a decision that names no line.
    """
    if len({effect.order.external_id for effect in effects}) > ORDERS_PER_CALL:
        raise ValueError(f"at most {ORDERS_PER_CALL} orders at once")
    keys = [key for effect in effects for key in keys_of(effect)]
    if len(set(keys)) < len(keys):
        raise ValueError("a key twice")
    if not all(keys_of(effect) for effect in effects):
        raise ValueError("an effect that names no line")


class Decisions:
    """Accept orders and tell whether they stand accepted."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def decide(self, decisions: Sequence[Decision]) -> Receipt[LineKey]:
        """Confirm whole orders; it cannot be undone there.

        The orders are read first: confirmOrder takes whole orders, so a decision that leaves out a line is REJECTED,
        and one that stands already is APPLIED with `is_repeat`, without a request that could have an effect.

        Raises:
            Retryable, NeedsSeller, ContractBroken: nothing was changed.
            Unsupported: all decisions need what is absent; beside others such a one is REJECTED.
            ValueError: more than 100 orders, a key twice, a decision without a line.

        Source: rakuten-ichiba-orders 4.3, 8.3.
        """
        check_keys(decisions)
        accepted = _supported(decisions)
        read = await read_orders(self._client, _numbers(accepted))
        standing = {keys_of(decision)[0]: judge_standing(decision, read) for decision in accepted}
        numbers = _numbers([decision for decision in accepted if standing[keys_of(decision)[0]] is None])
        confirmed = await self._confirm(numbers)
        outcomes: list[Outcome[LineKey]] = []
        for decision in decisions:
            verdict = _absent(decision) or standing[keys_of(decision)[0]] or confirmed[decision.order.external_id]
            outcomes += outcomes_of(decision, verdict, read.sightings.get(decision.order.external_id))
        return Receipt(outcomes=tuple(outcomes))

    async def verify(self, asked: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Tell of each decision whether its order stands accepted.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
            Unsupported: all effects need what is absent; beside others such a one is REJECTED.
            ValueError: as `decide`.
        """
        check_keys(asked)
        accepted = _supported(asked)
        read = await read_orders(self._client, _numbers(accepted))
        outcomes: list[Outcome[LineKey]] = []
        for effect in asked:
            verdict = _absent(effect) or judge_acceptance(effect.order.external_id, read)
            outcomes += outcomes_of(effect, verdict, read.sightings.get(effect.order.external_id))
        return Receipt(outcomes=tuple(outcomes))

    async def _confirm(self, numbers: Sequence[str]) -> dict[str, Verdict]:
        """Confirm orders; a list refused whole is sent again without those it names, else in halves."""
        verdicts: dict[str, Verdict] = {}
        moved: dict[str, Verdict] = {}
        waiting = [list(numbers)] if numbers else []
        while waiting:
            batch = waiting.pop()
            try:
                reply = await self._client.ask(CONFIRM_ORDER, {"orderNumberList": batch}, has_effect=True)
            except (Retryable, NeedsSeller) as failure:
                if not any(may_have_effect(verdict) for verdict in verdicts.values()):
                    raise
                rest = [*batch, *(number for later in waiting for number in later)]
                verdicts |= dict.fromkeys(rest, Verdict(status=OutcomeStatus.NOT_SENT, failure=failure))
                break
            except (InDoubt, ContractBroken) as failure:
                verdicts |= dict.fromkeys(batch, in_doubt(failure))
                continue
            if reply.status == _OK:
                for number in batch:
                    message = find_message(number, batch, reply)
                    told = moved if is_already_confirmed(message) else verdicts
                    told[number] = read_verdict(message, reply)
            else:
                named, rests = split_refused(batch, reply)
                verdicts |= named
                waiting += rests
        return verdicts | await self._read_back(moved)

    async def _read_back(self, moved: Mapping[str, Verdict]) -> dict[str, Verdict]:
        """Read how orders stand that had left the new state, all at once: who was confirmed before is a repeat."""
        try:
            read = await read_orders(self._client, list(moved))
        except (Retryable, NeedsSeller, ContractBroken) as failure:
            return dict.fromkeys(moved, in_doubt(failure))
        return {number: judge_read_back(number, read, said) for number, said in moved.items()}


def _supported(effects: Sequence[OrderEffect]) -> list[Decision]:
    """Give the decisions that can be carried out.

    Raises:
        Unsupported: there are effects, and none of them can.
    """
    found = [e for e in effects if isinstance(e, Decision) and capability_of(e) is Capability.ACCEPT]
    if effects and not found:
        raise unsupported(capability_of(effects[0]))
    return found


def _absent(effect: OrderEffect) -> Verdict | None:
    capability = capability_of(effect)
    if capability is Capability.ACCEPT:
        return None
    return Verdict(status=OutcomeStatus.REJECTED, failure=unsupported(capability))


def _numbers(effects: Sequence[OrderEffect]) -> list[str]:
    return list(dict.fromkeys(effect.order.external_id for effect in effects))
