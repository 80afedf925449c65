"""Accepts orders: reads how they stand, confirms whole orders, and tells the outcome of each line."""

from collections.abc import Mapping, Sequence

from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Retryable
from hanro.marketplace.types import Decision, LineKey, Outcome, OutcomeStatus, Receipt
from hanro_rakuten_ichiba.client import Client
from hanro_rakuten_ichiba.effects import (
    Verdict,
    absent,
    check_keys,
    in_doubt,
    keys_of,
    may_have_effect,
    numbers_of,
    outcomes_of,
    supported,
)
from hanro_rakuten_ichiba.functions import CONFIRM_ORDER
from hanro_rakuten_ichiba.reading import read_orders
from hanro_rakuten_ichiba.verdicts import (
    find_message,
    is_already_confirmed,
    judge_read_back,
    judge_standing,
    read_verdict,
    split_refused,
)

_OK = 200


class Decisions:
    """Accept orders."""

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
        accepted = supported(decisions)
        read = await read_orders(self._client, numbers_of(accepted))
        standing = {keys_of(decision)[0]: judge_standing(decision, read) for decision in accepted}
        numbers = numbers_of([decision for decision in accepted if standing[keys_of(decision)[0]] is None])
        confirmed = await self._confirm(numbers)
        outcomes: list[Outcome[LineKey]] = []
        for decision in decisions:
            verdict = absent(decision) or standing[keys_of(decision)[0]] or confirmed[decision.order.external_id]
            outcomes += outcomes_of(decision, verdict, read.sightings.get(decision.order.external_id))
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
