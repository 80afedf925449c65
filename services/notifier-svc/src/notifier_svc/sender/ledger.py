"""Writes into the ledger what becomes of attempts; keeps on while the database is away, as long as the lease lasts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from hanro import outbox
from hanro.clock import Clock
from hanro.db import Database, Transaction, is_passing
from hanro.errors import Failure
from hanro.waiting import Backoff
from notifier_svc.domain.accounts import Account
from notifier_svc.domain.messages import Message, State, restate_all
from notifier_svc.domain.outcomes import judge, pause_after
from notifier_svc.sender.metrics import SenderMetrics
from notifier_svc.store import accounts, claims

Result = TypeVar("Result")


class Ledger:
    """Claim, mark and settle messages; each call is one transaction."""

    def __init__(self, db: Database, clock: Clock, metrics: SenderMetrics, *, lease: timedelta) -> None:
        self._db = db
        self._clock = clock
        self._metrics = metrics
        self.lease = lease

    async def take_over(self, *, limit: int) -> None:
        """Put in doubt what a sender began and did not settle in time."""

        async def work(tx: Transaction) -> list[Message]:
            lapsed = await claims.take_over(tx, limit=limit)
            await outbox.record(tx, *restate_all(lapsed))
            return lapsed

        for message in await self._db.run(work):
            self._metrics.attempted(State.IN_DOUBT.value, message.reason_code)

    async def claim(self, *, account_limit: int, limit_each: int, busy: Sequence[str]) -> list[Message]:
        """Take what is due; see `claims.claim_messages`."""

        async def work(tx: Transaction) -> list[Message]:
            return await claims.claim_messages(
                tx, account_limit=account_limit, limit_each=limit_each, lease=self.lease, busy=busy
            )

        return await self._db.run(work)

    async def mark_sending(self, message: Message) -> bool:
        """Commit that the mail may leave from now on; False: it must not, the claim has lapsed.

        Raises:
            Exception: the database is away (`is_passing`), and nobody knows whether the mark stands: give the message
                back, it has surely not left.
        """
        return await self._db.run(lambda tx: claims.mark_sending(tx, message, lease=self.lease))

    async def settle(
        self,
        message: Message,
        state: State,
        *,
        reason_code: str | None = None,
        answer: str | None = None,
        plan: Mapping[str, str] | None = None,
    ) -> None:
        """Store a message's fate and record its fact; nothing where a newer claim was faster."""

        async def work(tx: Transaction) -> None:
            settled = await claims.settle_message(tx, message, state, reason_code=reason_code, answer=answer, plan=plan)
            if settled is not None:
                await outbox.record(tx, *restate_all([settled]))

        await self._insist(work)
        self._metrics.attempted(state.value, reason_code)

    async def fail(self, message: Message, failure: Failure) -> None:
        """Store what a failed attempt means: refused, in doubt, or planned anew for later."""
        verdict = judge(failure, failure_count=message.failure_count, at=await self._now())
        refusal = failure.refusal
        answer = None if refusal is None else f"{refusal.code} {refusal.message}"
        if verdict.next_at is None:
            await self.settle(message, verdict.state, reason_code=verdict.reason_code, answer=answer)
            return
        next_at: datetime = verdict.next_at

        async def work(tx: Transaction) -> None:
            await claims.put_off(tx, message, next_at=next_at, reason_code=verdict.reason_code, answer=answer)

        await self._insist(work)
        self._metrics.attempted("put_off", verdict.reason_code)

    async def refuse(self, message: Message, failure: Failure) -> None:
        """Settle a message as refused for good, whatever the failure says of later tries."""
        refusal = failure.refusal
        answer = None if refusal is None else f"{refusal.code} {refusal.message}"
        await self.settle(message, State.REFUSED, reason_code=failure.code, answer=answer)

    async def give_back(self, messages: Sequence[Message]) -> None:
        """Let others take messages that have surely not left."""
        if messages:
            await self._insist(lambda tx: claims.give_back(tx, messages))

    async def pause(
        self, account: Account, failure: Failure, messages: Sequence[Message], *, is_own: bool = False
    ) -> None:
        """Send nothing for an account for a while, and give its messages back; `is_own` as `pause_after` says."""
        until = pause_after(failure, pause_count=account.pause_count, at=await self._now(), is_own=is_own)

        async def work(tx: Transaction) -> None:
            await accounts.pause_account(tx, account, until=until, code=failure.code)
            await claims.give_back(tx, messages)

        await self._insist(work)
        self._metrics.paused(failure.code)

    async def unpause(self, account: Account) -> None:
        """Forget an account's pauses: a message went out."""
        if account.pause_count:
            await self._insist(lambda tx: accounts.clear_pause(tx, account.id))

    async def _now(self) -> datetime:
        return await self._insist(Transaction.now)

    async def _insist(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Do it, again while the database is away, as long as the claim lasts; each of them may be repeated."""
        until = self._clock.monotonic() + self.lease.total_seconds()
        backoff = Backoff()
        while True:
            try:
                return await self._db.run(work)
            except Exception as error:
                if not is_passing(error) or self._clock.monotonic() >= until:
                    raise
                await self._clock.sleep(backoff.pause())
