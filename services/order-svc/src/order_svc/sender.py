"""Accepts orders at their marketplaces: sent is committed before the call, what is in doubt is never sent blindly."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from hanro import failpoints
from hanro.db import is_passing
from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.log import logger
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Capability, Decision, LineKey, OutcomeStatus, Receipt
from hanro.operations import OperationStatus
from hanro.sessions import OpenSession
from hanro.waiting import rest
from order_svc import orders
from order_svc.domain.decisions import Verdict, acceptance, epoch_past, same_for_all, verdicts
from order_svc.orders import Wish
from order_svc.poller.follow_up import fetch_orders
from order_svc.poller.means import Means

LOG = logger(__name__)
LOOK_SECONDS = 0.5
AT_ONCE = 500
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
LOOKED_FOR = timedelta(hours=24)
# Of the lease: what begins in its first third and ends in the others is over before another process takes it over.
BEGIN_WITHIN = 1 / 3
CALL_WITHIN = 2 / 3

Work = Callable[[OpenSession, Sequence[Wish]], Awaitable[None]]
Call = Callable[[Sequence[Decision]], Awaitable[Receipt[LineKey]]]


class Sender:
    """Send the wishes of all accounts, each account apart from the others."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._stop = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; what is being sent then is sent to its end, what has not begun is left to others."""
        self._stop = stop
        while not stop.is_set():
            try:
                count = await self.send_due() + await self.look_again()
            except Exception as error:
                if not (is_passing(error) or _is_lease_lost(error)):
                    raise
                LOG.warning("acceptances cannot be claimed", error_type=type(error).__name__)
                count = 0
            if not count:
                await rest(self._means.clock, LOOK_SECONDS, stop)

    async def send_due(self) -> int:
        """Send what waits, once; give how many wishes that were."""
        asked_at = self._means.clock.monotonic()
        wishes = await orders.claim_wishes(self._means.db, self._means.plugins, limit=AT_ONCE, lease=self._means.lease)
        await self._apart(wishes, self._send, asked_at)
        return len(wishes)

    async def look_again(self) -> int:
        """Look into what was sent without an answer, once; give how many wishes that were."""
        if self._stop.is_set():
            return 0
        asked_at = self._means.clock.monotonic()
        wishes = await orders.claim_unsure(self._means.db, self._means.plugins, limit=AT_ONCE, lease=self._means.lease)
        await self._apart(wishes, self._verify, asked_at)
        return len(wishes)

    async def _apart(self, wishes: Sequence[Wish], work: Work, asked_at: float) -> None:
        begins_until = asked_at + self._means.lease.total_seconds() * BEGIN_WITHIN
        async with asyncio.TaskGroup() as group:
            for account_id in dict.fromkeys(wish.account.id for wish in wishes):
                theirs = [wish for wish in wishes if wish.account.id == account_id]
                group.create_task(self._for_account(theirs, work, begins_until))

    async def _for_account(self, wishes: Sequence[Wish], work: Work, begins_until: float) -> None:
        """Open a session and work in batches; what goes wrong for this account, a bug too, is no other's trouble.

        What there is no time for lapses, and is claimed again.
        """
        account_id = wishes[0].account.id
        try:
            opened = await self._open(wishes)
            if opened is None:
                return
            size = opened.plugin.limits.batches["orders.decide"].size
            for start in range(0, len(wishes), size):
                if self._stop.is_set() or self._means.clock.monotonic() >= begins_until:
                    LOG.info("acceptances are left for later", account_id=account_id, count=len(wishes) - start)
                    return
                await work(opened, wishes[start : start + size])
        except Exception as error:
            # What was sent is looked into once its lease has run out.
            if _is_lease_lost(error):
                LOG.info("another process looks after these acceptances", account_id=account_id)
            elif is_passing(error):
                LOG.warning("the database is away", account_id=account_id, error_type=type(error).__name__)
            else:
                LOG.exception("acceptances are broken", account_id=account_id, error_type=type(error).__name__)

    async def _open(self, wishes: Sequence[Wish]) -> OpenSession | None:
        """Open a session; None where there is none now: what is not sent yet says why it waits."""
        means, account, now = self._means, wishes[0].account, self._means.clock.now()
        try:
            if not account.is_paused(now):
                return await means.open(account.id, heard=account.version, purpose="accept")
            failure: Failure = NeedsSeller("the account's credential was refused", code="credential-refused")
        except (Retryable, NeedsSeller, Rejected, ContractBroken, InDoubt, Unsupported) as refused:
            failure = refused
        LOG.warning("acceptances wait", account_id=account.id, count=len(wishes), code=failure.code)
        unsent = [wish for wish in wishes if wish.operation.status is OperationStatus.ACCEPTED]
        if unsent:
            await self._put_off(
                unsent, same_for_all(_ids(unsent), OutcomeStatus.NOT_SENT, failure), now + _pause(unsent)
            )
        return None

    async def _send(self, opened: OpenSession, wishes: Sequence[Wish]) -> None:
        means = self._means
        # account-svc may be a fact ahead: what an older link wished must not go out under the next one.
        late = [wish for wish in wishes if wish.asked_epoch < opened.account_epoch]
        if late:
            refused = same_for_all(_ids(late), OutcomeStatus.REJECTED, epoch_past())
            await self._put_off(late, refused, means.clock.now())
        wishes = [wish for wish in wishes if wish not in late]
        if not wishes:
            return
        wishes = await orders.mark_sent(means.db, means.plugins, wishes)
        if not wishes:
            return
        failpoints.reach("sender.after_sent")
        found, failure = await self._ask(opened.plugin.orders(opened.session).decide, wishes, is_write=True)
        failpoints.reach("sender.after_answer")
        await self._conclude(opened, wishes, found, failure)

    async def _verify(self, opened: OpenSession, wishes: Sequence[Wish]) -> None:
        """Hold wishes against the orders as they stand, but not before a read can show them."""
        now = self._means.clock.now()
        lag = _read_lag(opened.plugin)
        ripe = [wish for wish in wishes if wish.operation.sent_at is None or wish.operation.sent_at + lag <= now]
        unripe = [wish for wish in wishes if wish not in ripe]
        if unripe:
            await self._put_off(unripe, same_for_all(_ids(unripe), OutcomeStatus.SENT, None), now + lag)
        if ripe:
            found, failure = await self._ask(opened.plugin.orders(opened.session).verify, ripe, is_write=False)
            await self._conclude(opened, ripe, found, failure)

    async def _ask(
        self, call: Call, wishes: Sequence[Wish], *, is_write: bool
    ) -> tuple[dict[str, Verdict], Failure | None]:
        """Call, and turn whatever comes of it into a verdict for each wish, by the law of calls.

        A write that raises has changed nothing. One that does not answer in time may have; a read tells nothing then.
        """
        decisions = [acceptance(wish.operation.id, wish.order) for wish in wishes]
        unknown = OutcomeStatus.NOT_SENT if is_write else OutcomeStatus.IN_DOUBT
        try:
            async with asyncio.timeout(self._means.lease.total_seconds() * CALL_WITHIN):
                return verdicts((await call(decisions)).outcomes), None
        except TimeoutError:
            lost = InDoubt("no answer came in time", code="answer-lost")
            return same_for_all(_ids(wishes), OutcomeStatus.IN_DOUBT, lost), None
        except (Unsupported, Rejected) as failure:
            return same_for_all(_ids(wishes), OutcomeStatus.REJECTED if is_write else unknown, failure), failure
        except (Retryable, NeedsSeller, ContractBroken, InDoubt) as failure:
            return same_for_all(_ids(wishes), unknown, failure), failure

    async def _conclude(
        self, opened: OpenSession, wishes: Sequence[Wish], found: dict[str, Verdict], failure: Failure | None
    ) -> None:
        means = self._means
        now = means.clock.now()
        await self._put_off(wishes, found, now + _pause(wishes))
        refusals = [verdict.failure for verdict in found.values() if isinstance(verdict.failure, NeedsSeller)]
        if isinstance(failure, NeedsSeller) or refusals:
            refused = failure if isinstance(failure, NeedsSeller) else refusals[0]
            await means.stop_for_seller(wishes[0].account.id, refused, opened)
            return
        applied = [wish for wish in wishes if found[wish.operation.id].status is OutcomeStatus.APPLIED]
        if applied:
            await means.note_success(wishes[0].account.id, opened, Capability.ACCEPT)
            await self._read_back(opened, applied)

    async def _put_off(self, wishes: Sequence[Wish], found: dict[str, Verdict], look_again_at: datetime) -> None:
        means = self._means
        oldest = means.clock.now() - LOOKED_FOR
        given_up = {wish.operation.id for wish in wishes if wish.operation.sent_at and wish.operation.sent_at < oldest}
        await orders.conclude(means.db, wishes, found, look_again_at=look_again_at, given_up=given_up)

    async def _read_back(self, opened: OpenSession, applied: Sequence[Wish]) -> None:
        """Read the orders again, so that they show what was done; if that fails the next sweep shows it."""
        means = self._means
        if Capability.FETCH_ORDER.value in applied[0].account.lost_capabilities:
            return
        await means.clock.sleep(_read_lag(opened.plugin).total_seconds())
        try:
            sightings = await fetch_orders(opened, [wish.order for wish in applied])
        except (Retryable, NeedsSeller, ContractBroken) as failure:
            LOG.info("accepted orders were not read back", account_id=applied[0].account.id, code=failure.code)
            return
        await orders.ingest_fetched(
            means.db, means.keyring, sightings, account=applied[0].account, at=means.clock.now()
        )


def _is_lease_lost(error: Exception) -> bool:
    return isinstance(error, Retryable) and error.code == "lease-lost"


def _ids(wishes: Sequence[Wish]) -> list[str]:
    return [wish.operation.id for wish in wishes]


def _read_lag(plugin: Plugin) -> timedelta:
    return plugin.limits.read_lag.get("orders", timedelta())


def _pause(wishes: Sequence[Wish]) -> timedelta:
    attempts = max(wish.operation.attempt_count for wish in wishes)
    return min(FIRST_PAUSE * (1 << min(attempts, 10)), LONGEST_PAUSE)
