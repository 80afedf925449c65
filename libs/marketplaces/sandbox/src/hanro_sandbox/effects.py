"""Carries out what is asked of orders, and tells what became of each line: decisions, parcels, cancellations."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hanro.clock import Clock
from hanro.errors import ContractBroken, InDoubt, NeedsSeller, Refusal, Rejected, Retryable
from hanro.marketplace.types import LineKey, OrderEffect, OutcomeStatus, Receipt, SeenOrder, Sighting, Ticket
from hanro_sandbox.client import Client, Reply
from hanro_sandbox.declared.limits import MOST
from hanro_sandbox.entries import Entry, Way, blocked, check_keys, keys_of
from hanro_sandbox.functions import GET_JOBS, GET_ORDERS
from hanro_sandbox.mapping import map_order
from hanro_sandbox.verdicts import (
    SENT,
    Verdict,
    in_doubt,
    judge_read_back,
    judge_standing,
    judge_unread,
    may_have_effect,
    not_sent,
    read_verdict,
    rejected,
)

POLL_AFTER = timedelta(seconds=2)
GIVES_UP_AFTER = timedelta(minutes=30)
"""A job is forgotten half an hour after it began. Source: README, Jobs."""


class Effects:
    """Write to orders and read back what stands."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._jobs: list[str] = []

    async def carry_out(self, way: Way, effects: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Send effects of one kind, each of which stands for itself.

        Their orders are read first: what stands already needs no request that could have an effect, and an outage is
        told by a read, which may be asked again.

        Raises:
            Retryable, NeedsSeller, ContractBroken: nothing was changed.
            ValueError: more than 100 lines, a key twice, an effect that names nothing.

        Source: README, Answers, Parcels, Cancellations.
        """
        check_keys(effects)
        entries = way.write(effects)
        verdicts: dict[LineKey, Verdict] = {}
        for entry in entries:
            refused = blocked(entry.effect)
            if refused is not None:
                verdict = Verdict(status=OutcomeStatus.REJECTED, failure=refused)
                verdicts |= dict.fromkeys(entry.keys, verdict)
        sendable = [entry for entry in entries if entry.keys[0] not in verdicts]
        read = await self.read([entry.order_id for entry in sendable])
        for entry in sendable:
            sighting = read.get(entry.order_id)
            standing = judge_unread(sighting)
            if isinstance(sighting, SeenOrder):
                standing = judge_standing(entry.effect, entry.keys[0], sighting)
            if standing is not None:
                verdicts |= dict.fromkeys(entry.keys, standing)
        await self._send(way, [entry for entry in sendable if entry.keys[0] not in verdicts], verdicts)
        return self._receipt(effects, verdicts, way.function.name)

    async def verify(self, effects: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Tell of each line whether what was asked stands.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
            ValueError: as `carry_out`.
        """
        check_keys(effects)
        read = await self.read([effect.order.external_id for effect in effects])
        outcomes = [
            judge_read_back(effect, key, read.get(effect.order.external_id)).outcome(key)
            for effect in effects
            for key in keys_of(effect)
        ]
        return Receipt(outcomes=tuple(outcomes))

    async def poll(self, ticket: Ticket, effects: Sequence[OrderEffect]) -> Receipt[LineKey]:
        """Ask what became of jobs; those that are unknown may yet be found until the ticket gives up.

        Raises:
            Retryable, NeedsSeller, ContractBroken: as a read.
        """
        check_keys(effects)
        reply = await self._client.read(GET_JOBS, {"ids": ticket.external_id.split(",")})
        results: dict[object, dict[str, object]] = {}
        for job in _listed(reply, "jobs"):
            found = job.get("results")
            results |= {one.get("reference"): one for one in (found if isinstance(found, list) else [])}
        now = self._clock.now()
        is_over = now >= ticket.gives_up_at
        lost = in_doubt(InDoubt("nobody knows what became of the job", code="ticket-lost"))
        verdicts: dict[LineKey, Verdict] = {}
        for effect in effects:
            result = results.get(effect.id)
            verdict = lost if is_over else SENT
            if result is not None:
                verdict = read_verdict(result, reply.refusal_of(result))
            verdicts |= dict.fromkeys(keys_of(effect), verdict)
        outcomes = tuple(verdicts[key].outcome(key) for effect in effects for key in keys_of(effect))
        is_waiting = any(one.status is OutcomeStatus.SENT for one in outcomes)
        return Receipt(outcomes=outcomes, ticket=_later(ticket, now) if is_waiting else None)

    async def read(self, numbers: Sequence[str]) -> dict[str, Sighting]:
        """Read orders by number; unknown ones are left out."""
        wanted = list(dict.fromkeys(numbers))
        if not wanted:
            return {}
        reply = await self._client.read(GET_ORDERS, {"ids": wanted[:MOST]})
        sightings = [map_order(fragment, reply.sent_at) for fragment in reply.orders]
        return {one.external_id: one for one in sightings if one.external_id is not None}

    async def _send(self, way: Way, entries: list[Entry], verdicts: dict[LineKey, Verdict]) -> None:
        """Send a list; one refused whole is sent again without the order that it names, else in halves."""
        waiting = [entries] if entries else []
        while waiting:
            batch = waiting.pop()
            try:
                body = {way.list_name: [entry.body for entry in batch]}
                reply = await self._client.ask(way.function, body, has_effect=True)
            except (Retryable, NeedsSeller) as failure:
                if not any(map(may_have_effect, verdicts.values())):
                    raise
                for entry in [*batch, *(entry for rest in waiting for entry in rest)]:
                    verdicts |= dict.fromkeys(entry.keys, not_sent(failure))
                return
            except (InDoubt, ContractBroken) as failure:
                for entry in batch:
                    verdicts |= dict.fromkeys(entry.keys, in_doubt(failure))
            except Rejected as failure:
                named, rest = _split(batch, failure.refusal)
                for entry in named:
                    verdict = rejected("the sandbox refused it", "refused", failure.refusal)
                    verdicts |= dict.fromkeys(entry.keys, verdict)
                waiting += rest
            else:
                self._take(batch, reply, verdicts)

    def _take(self, batch: Sequence[Entry], reply: Reply, verdicts: dict[LineKey, Verdict]) -> None:
        """Take the results of a list, in its order; a job has none yet."""
        job = reply.members.get("job")
        if isinstance(job, str):
            self._jobs.append(job)
            verdicts |= {key: SENT for entry in batch for key in entry.keys}
            return
        results = _listed(reply, "results")
        for place, entry in enumerate(batch):
            result = results[place] if len(results) == len(batch) else {}
            verdicts |= dict.fromkeys(entry.keys, read_verdict(result, reply.refusal_of(result)))

    def _receipt(
        self, effects: Sequence[OrderEffect], verdicts: Mapping[LineKey, Verdict], method: str
    ) -> Receipt[LineKey]:
        outcomes = tuple(verdicts[key].outcome(key) for effect in effects for key in keys_of(effect))
        if not self._jobs:
            return Receipt(outcomes=outcomes)
        now = self._clock.now()
        ticket = Ticket(
            method=method,
            external_id=",".join(self._jobs),
            sent_at=now,
            poll_at=now + POLL_AFTER,
            gives_up_at=now + GIVES_UP_AFTER,
        )
        self._jobs.clear()
        return Receipt(outcomes=outcomes, ticket=ticket)


def _split(batch: list[Entry], refusal: Refusal | None) -> tuple[list[Entry], list[list[Entry]]]:
    """Split a list that was refused whole: what is named, or alone, is refused; the rest is sent again."""
    named = [entry for entry in batch if refusal is not None and entry.order_id == refusal.field]
    if named or len(batch) == 1:
        named = named or batch
        rest = [entry for entry in batch if entry not in named]
        return named, [rest] if rest else []
    middle = len(batch) // 2
    # The last one is taken first.
    return [], [batch[middle:], batch[:middle]]


def _listed(reply: Reply, name: str) -> list[dict[str, object]]:
    found = reply.members.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _later(ticket: Ticket, now: datetime) -> Ticket:
    return Ticket(
        method=ticket.method,
        external_id=ticket.external_id,
        sent_at=ticket.sent_at,
        poll_at=now + POLL_AFTER,
        gives_up_at=ticket.gives_up_at,
        cursor=ticket.cursor,
    )
