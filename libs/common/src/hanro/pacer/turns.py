"""Takes one turn: a place in the queues, the slot, when its request really left, and what the breaker hears of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, runtime_checkable

from hanro import breaker
from hanro.clock import Clock
from hanro.db import Database, Transaction, is_passing
from hanro.errors import Failure, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.ids import new_id
from hanro.log import logger
from hanro.marketplace.port import Turn
from hanro.pacer import rows, slots
from hanro.pacer.slots import Pace, Slot

EXTEND_SECONDS = 0.5
# A turn is given this much before its slot: a request is made and a kept connection found meanwhile.
LEAD_SECONDS = 0.01
DATABASE_PAUSE_SECONDS = 0.2
# A request whose slot passed on waits so long for another: longer, and its kept connection may be gone.
AGAIN_SECONDS = 2.0

log = logger(__name__)


@runtime_checkable
class SlotTurn(Turn, Protocol):
    """Be a turn that wants to be told when its request really leaves."""

    async def leaving(self) -> None:
        """Use the turn for one request: wait for its very moment, with the connection made and the head ready.

        Where the process stood still and its slot passed on, another is waited for, for two seconds at most.

        Raises:
            Retryable: there is no slot meanwhile, no byte may leave; code "lease-lost". Or as a turn is not given.
            ValueError: it was used already: a turn is for one request.
        """

    def left(self) -> None:
        """Say that the request's head has left: the next slot is counted from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """Be locked slots and the server's time, which it read between two moments of our monotonic clock."""

    slots: tuple[Slot, ...]
    now: datetime
    began_at: float
    ended_at: float


class PacedTurn:
    """Be one turn, from its place in the queues to the end of its request."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        account_id: str,
        paces: dict[str, Pace],
        *,
        is_probing: bool,
        is_trial: bool,
    ) -> None:
        self._db = db
        self._clock = clock
        self._account_id = account_id
        self._paces = paces
        self._groups = sorted(paces)
        self._is_probing = is_probing
        self._is_trial = is_trial
        self._token = new_id("trn")
        self._is_troubled = False
        self._is_slow = False
        self._opens_at = float("-inf")
        self._held_until = float("-inf")
        self._left_at: float | None = None
        self._is_anchored = False
        self._is_over = False
        self._has_moved = asyncio.Event()
        self._refusals: list[timedelta | None] = []
        self._holding: asyncio.Task[None] | None = None

    def throttled(self, after: timedelta | None) -> None:
        """See the port."""
        self._refusals.append(after)

    async def leaving(self) -> None:
        """See `SlotTurn`."""
        if self._left_at is not None:
            raise ValueError("a turn is for one request")
        await self._sleep_until(self._opens_at)
        if not self._is_holding():
            # By the server's clock it may still be ours for a moment: who asks anew would wait for itself.
            await self._leave_quietly(self._extend)
        if not self._is_holding():
            await self._wait_again()
        self._left_at = self._clock.monotonic()

    def left(self) -> None:
        """See `SlotTurn`."""
        self._left_at = self._clock.monotonic()
        self._has_moved.set()

    async def __aenter__(self) -> Turn:
        try:
            await self._wait()
        except BaseException:
            # Whoever waits behind would wait for this place to be forgotten.
            await self._leave_quietly(self._give_back)
            raise
        # No task group can span a turn: what the turn's block raises must leave it as it is.
        self._holding = asyncio.create_task(self._hold())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        self._has_moved.set()
        if self._holding is not None:
            await asyncio.wait([self._holding])
            if error is None:
                # A bug in holding the slot is told here, where somebody hears it.
                self._holding.result()
        is_quiet = self._is_anchored and error is None and not self._refusals
        if not is_quiet or self._is_slow or self._is_troubled:
            await self._leave_quietly(lambda tx: self._settle(tx, error))

    def _is_holding(self) -> bool:
        return self._clock.monotonic() < self._held_until

    async def _wait_again(self) -> None:
        """Stand in the queues anew, behind who came meanwhile."""
        try:
            async with asyncio.timeout(AGAIN_SECONDS):
                # An account without rows was dropped: they must not come back.
                await self._wait(is_prepared=True)
                await self._sleep_until(self._opens_at)
        except TimeoutError:
            self._held_until = float("-inf")
        if not self._is_holding():
            raise Retryable("The slot of this request has passed to another.", code="lease-lost")

    async def _wait(self, *, is_prepared: bool = False) -> None:
        try:
            await self._stand_in_queues(is_prepared=is_prepared)
        except Exception as error:
            if is_passing(error):
                raise Retryable("The database that keeps the pace is away.", code="unavailable") from error
            raise

    async def _stand_in_queues(self, *, is_prepared: bool) -> None:
        while True:
            async with self._db.begin() as tx:
                read = await self._read(tx)
                if len(read.slots) < len(self._groups):
                    if is_prepared:
                        raise Retryable("The account was dropped.", code="lease-lost")
                    await rows.prepare(tx, self._account_id, self._groups)
                    is_prepared = True
                    continue
                await self._look_at_breaker(tx)
                answer = slots.ask(read.slots, self._paces, self._token, read.now)
                if answer.not_before is not None and self._is_troubled:
                    await breaker.probe(tx, self._account_id, self._groups)
                await rows.save(tx, self._account_id, answer.slots)
            until = answer.not_before or answer.ask_again_at or read.now
            # Counted from the reading's end, because later is safe; the hold from its begin, because sooner is.
            self._opens_at = read.ended_at + (until - read.now).total_seconds()
            await self._sleep_until(self._opens_at - (LEAD_SECONDS if answer.not_before else 0.0))
            if answer.not_before is not None:
                self._held_until = read.began_at + (answer.not_before - read.now + slots.HOLD).total_seconds()
                self._is_slow = any(slot.slowdown > 1 for slot in answer.slots)
                return

    async def _sleep_until(self, moment: float) -> None:
        while (left := moment - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)

    async def _read(self, tx: Transaction) -> "_Reading":
        began_at = self._clock.monotonic()
        found, now = await rows.lock(tx, self._account_id, self._groups)
        return _Reading(slots=found, now=now, began_at=began_at, ended_at=self._clock.monotonic())

    async def _look_at_breaker(self, tx: Transaction) -> None:
        standing = await breaker.look(tx, self._account_id, self._groups)
        self._is_troubled = standing.is_troubled
        if standing.shut_for is not None and not self._is_probing:
            raise Retryable(
                f"Calls are paused after failures ({standing.reason}).", code="unavailable", after=standing.shut_for
            )

    async def _hold(self) -> None:
        while not self._has_moved.is_set():
            try:
                await asyncio.wait_for(self._has_moved.wait(), EXTEND_SECONDS)
            except TimeoutError:
                await self._leave_quietly(self._extend)
        while self._left_at is not None and not self._is_anchored and not self._is_over:
            if not await self._leave_quietly(self._anchor):
                await self._clock.sleep(DATABASE_PAUSE_SECONDS)

    async def _extend(self, tx: Transaction) -> None:
        read = await self._read(tx)
        extended = slots.extend(read.slots, self._token, read.now)
        if extended is None:
            self._held_until = float("-inf")
            return
        await rows.save(tx, self._account_id, extended)
        self._held_until = read.began_at + slots.HOLD.total_seconds()

    async def _anchor(self, tx: Transaction) -> None:
        await rows.save(tx, self._account_id, (await self._anchored(tx))[0])

    async def _anchored(self, tx: Transaction) -> tuple[tuple[Slot, ...], datetime]:
        read = await self._read(tx)
        if self._is_anchored or self._left_at is None:
            return read.slots, read.now
        # What passed until the reading began is certain; what it took itself only makes the sending later.
        sent_at = read.now - timedelta(seconds=max(0.0, read.began_at - self._left_at))
        tx.after_commit(self._set_anchored)
        return slots.anchor(read.slots, self._paces, self._token, sent_at), read.now

    def _set_anchored(self) -> None:
        self._is_anchored = True

    async def _give_back(self, tx: Transaction) -> None:
        found, _ = await rows.lock(tx, self._account_id, self._groups)
        await rows.save(tx, self._account_id, slots.release(found, self._token))

    async def _settle(self, tx: Transaction, error: BaseException | None) -> None:
        found, now = await self._anchored(tx)
        if self._left_at is None:
            found = slots.release(found, self._token)
        if self._refusals:
            longest = max((after for after in self._refusals if after is not None), default=None)
            found = slots.narrow(found, self._paces, now, longest)
        elif error is None and self._left_at is not None:
            found = slots.widen(found)
        await rows.save(tx, self._account_id, found)
        await self._tell_breaker(tx, error)

    async def _tell_breaker(self, tx: Transaction, error: BaseException | None) -> None:
        if isinstance(error, Failure) and breaker.counts(error) and not self._is_of_trial(error):
            await breaker.failed(tx, self._account_id, self._groups, error)
        elif not self._is_troubled:
            return
        elif self._left_at is not None and not self._refusals and _is_served(error):
            await breaker.served(tx, self._account_id, self._groups)
        else:
            await breaker.give_up_probe(tx, self._account_id, self._groups)

    def _is_of_trial(self, error: Failure) -> bool:
        return self._is_trial and error.code in breaker.REFUSED_CODES

    async def _leave_quietly(self, work: Callable[[Transaction], Awaitable[None]]) -> bool:
        """Do what must not harm the request: when our database is away, the hold runs out and is counted as used."""
        try:
            await self._db.run(work)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("pace.not_kept", account_id=self._account_id, error_type=type(error).__name__)
            return False
        return True


def _is_served(error: BaseException | None) -> bool:
    """Tell whether a turn that ended so had an answer from a marketplace that works."""
    return error is None or isinstance(error, Rejected | Unsupported | NeedsSeller)
