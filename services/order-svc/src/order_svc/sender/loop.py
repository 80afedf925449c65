"""Sends what is wished for orders: sent is committed before the call, what is in doubt is never sent blindly."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from hanro import failpoints
from hanro.db import is_passing
from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.log import logger
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Capability, OutcomeStatus
from hanro.operations import OperationStatus
from hanro.rounds import keep_looking
from hanro.sessions import OpenSession
from order_svc import orders
from order_svc.domain.verdicts import Verdict, after_look, after_write, epoch_past, same_for_all, ticket_of, verdicts
from order_svc.orders import Wish
from order_svc.poller.follow_up import fetch_orders
from order_svc.poller.means import Means
from order_svc.sender.calls import Call, after_poll, age, batches, look_again_at, poll_call, write_call

LOG = logger(__name__)
LOOK_SECONDS = 0.5
AT_ONCE = 500
LOOKED_FOR = timedelta(hours=24)
# Of the lease: what begins in its first third and ends in the others is over before another process takes it over.
BEGIN_WITHIN = 1 / 3
CALL_WITHIN = 2 / 3

Work = Callable[[OpenSession, Sequence[Wish]], Awaitable[None]]


class Sender:
    """Send the wishes of all accounts, each account apart from the others."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._stop = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; what is being sent then is sent to its end, what has not begun is left to others."""
        self._stop = stop
        await keep_looking(
            self._look_round,
            clock=self._means.clock,
            seconds=LOOK_SECONDS,
            stop=stop,
            log=LOG,
            trouble="wishes cannot be claimed",
            is_borne=lambda error: is_passing(error) or _is_lease_lost(error),
        )

    async def _look_round(self) -> int:
        return await self.send_due() + await self.look_again()

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
        await self._apart(wishes, self._look, asked_at)
        return len(wishes)

    async def _apart(self, wishes: Sequence[Wish], work: Work, asked_at: float) -> None:
        begins_until = asked_at + self._means.lease.total_seconds() * BEGIN_WITHIN
        async with asyncio.TaskGroup() as group:
            for account_id, kind in dict.fromkeys((wish.account.id, wish.kind) for wish in wishes):
                theirs = [wish for wish in wishes if (wish.account.id, wish.kind) == (account_id, kind)]
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
            left = len(wishes)
            for batch in batches(wishes, opened.plugin.limits.batches[wishes[0].kind.batch]):
                if self._stop.is_set() or self._means.clock.monotonic() >= begins_until:
                    LOG.info("wishes are left for later", account_id=account_id, count=left)
                    return
                await work(opened, batch)
                left -= len(batch)
        except Exception as error:
            # What was sent is looked into once its lease has run out.
            if _is_lease_lost(error):
                LOG.info("another process looks after these wishes", account_id=account_id)
            elif is_passing(error):
                LOG.warning("the database is away", account_id=account_id, error_type=type(error).__name__)
            else:
                LOG.exception("wishes are broken", account_id=account_id, error_type=type(error).__name__)

    async def _open(self, wishes: Sequence[Wish]) -> OpenSession | None:
        """Open a session; None where there is none now: what is not sent yet says why it waits."""
        means, account, now = self._means, wishes[0].account, self._means.clock.now()
        try:
            if not account.is_paused(now):
                return await means.open(account.id, heard=account, purpose=wishes[0].kind.name)
            failure: Failure = NeedsSeller("the account's credential was refused", code="credential-refused")
        except (Retryable, NeedsSeller, Rejected, ContractBroken, InDoubt, Unsupported) as refused:
            failure = refused
        LOG.warning("wishes wait", account_id=account.id, count=len(wishes), code=failure.code)
        unsent = [wish for wish in wishes if wish.operation.status is OperationStatus.ACCEPTED]
        if unsent:
            refused_all = same_for_all(_ids(unsent), OutcomeStatus.NOT_SENT, failure)
            await self._put_off(unsent, refused_all, lag=timedelta())
        return None

    async def _send(self, opened: OpenSession, wishes: Sequence[Wish]) -> None:
        means = self._means
        # account-svc may be a fact ahead: what an older link wished must not go out under the next one.
        late = [wish for wish in wishes if wish.asked_epoch < opened.account_epoch]
        if late:
            refused = same_for_all(_ids(late), OutcomeStatus.REJECTED, epoch_past())
            await self._put_off(late, refused, lag=timedelta())
        wishes = [wish for wish in wishes if wish not in late]
        if not wishes:
            return
        wishes = await orders.mark_sent(means.db, means.plugins, wishes)
        if not wishes:
            return
        failpoints.reach("sender.after_sent")
        asked_at = means.clock.now()
        found, failure = await self._ask(write_call(opened, wishes[0].kind), wishes, is_write=True)
        failpoints.reach("sender.after_answer")
        await self._conclude(opened, wishes, after_write(wishes[0].kind, found), failure, asked_at=asked_at)

    async def _look(self, opened: OpenSession, wishes: Sequence[Wish]) -> None:
        """Ask for what is decided later, and hold the others against their orders, once a read can show them."""
        now = self._means.clock.now()
        tickets = {wish.operation.id: ticket_of(wish.operation.answer) for wish in wishes}
        polled: list[Wish] = []
        for ticket in dict.fromkeys(one for one in tickets.values() if one is not None and now < one.gives_up_at):
            theirs = [wish for wish in wishes if tickets[wish.operation.id] == ticket]
            polled += theirs
            found, failure = await self._ask(poll_call(opened, ticket), theirs, is_write=False)
            answers = after_poll(
                after_write(theirs[0].kind, found), ticket, is_failed=failure is not None, now=self._means.clock.now()
            )
            await self._conclude(opened, theirs, answers, failure, asked_at=now)
        await self._verify(opened, [wish for wish in wishes if wish not in polled])

    async def _verify(self, opened: OpenSession, wishes: Sequence[Wish]) -> None:
        """Hold wishes against the orders as they stand, but not before a read can show them."""
        now = self._means.clock.now()
        lag = _read_lag(opened.plugin)
        ripe = [wish for wish in wishes if wish.operation.sent_at is None or wish.operation.sent_at + lag <= now]
        unripe = [wish for wish in wishes if wish not in ripe]
        if unripe:
            waiting = {
                wish.operation.id: Verdict(status=OutcomeStatus.SENT, is_answered=wish.is_answered) for wish in unripe
            }
            await self._put_off(unripe, waiting, lag=lag)
        if not ripe:
            return
        found, failure = await self._ask(opened.plugin.orders(opened.session).verify, ripe, is_write=False)
        looked = {
            wish.operation.id: after_look(
                wish.kind,
                found[wish.operation.id],
                was_answered=wish.is_answered,
                is_read=failure is None,
                age=age(wish, now),
            )
            for wish in ripe
        }
        await self._conclude(opened, ripe, looked, failure, asked_at=now)

    async def _ask(
        self, call: Call, wishes: Sequence[Wish], *, is_write: bool
    ) -> tuple[dict[str, Verdict], Failure | None]:
        """Call, and turn whatever comes of it into a verdict for each wish, by the law of calls.

        A write that raises has changed nothing. One that does not answer in time may have; a read tells nothing then.
        """
        unknown = OutcomeStatus.NOT_SENT if is_write else OutcomeStatus.IN_DOUBT
        try:
            async with asyncio.timeout(self._means.lease.total_seconds() * CALL_WITHIN):
                return verdicts(await call([wish.effect for wish in wishes]), _ids(wishes)), None
        except TimeoutError:
            lost = InDoubt("no answer came in time", code="answer-lost")
            return same_for_all(_ids(wishes), OutcomeStatus.IN_DOUBT, lost), None
        except (Unsupported, Rejected) as failure:
            return same_for_all(_ids(wishes), OutcomeStatus.REJECTED if is_write else unknown, failure), failure
        except (Retryable, NeedsSeller, ContractBroken, InDoubt) as failure:
            return same_for_all(_ids(wishes), unknown, failure), failure

    async def _conclude(
        self,
        opened: OpenSession,
        wishes: Sequence[Wish],
        found: dict[str, Verdict],
        failure: Failure | None,
        *,
        asked_at: datetime,
    ) -> None:
        means = self._means
        await self._put_off(wishes, found, lag=_read_lag(opened.plugin), is_answered=failure is None)
        refusals = [verdict.failure for verdict in found.values() if isinstance(verdict.failure, NeedsSeller)]
        if isinstance(failure, NeedsSeller) or refusals:
            refused = failure if isinstance(failure, NeedsSeller) else refusals[0]
            await means.stop_for_seller(wishes[0].account.id, refused, opened)
            return
        applied = [wish for wish in wishes if found[wish.operation.id].status is OutcomeStatus.APPLIED]
        if applied:
            for capability in sorted({wish.capability for wish in applied}):
                await means.note_success(wishes[0].account.id, opened, capability, asked_at=asked_at)
            await self._read_back(opened, applied)

    async def _put_off(
        self, wishes: Sequence[Wish], found: dict[str, Verdict], *, lag: timedelta, is_answered: bool = True
    ) -> None:
        """Write down what became of wishes; a look that failed itself is no reason to leave one to a person."""
        now = self._means.clock.now()
        given_up = {wish.operation.id for wish in wishes if is_answered and age(wish, now) > LOOKED_FOR}
        times = {wish.operation.id: look_again_at(wish, found[wish.operation.id], lag=lag, now=now) for wish in wishes}
        await orders.conclude(self._means.db, wishes, found, look_again_at=times, given_up=given_up)

    async def _read_back(self, opened: OpenSession, applied: Sequence[Wish]) -> None:
        """Read the orders again, so that they show what was done; if that fails the next sweep shows it."""
        means = self._means
        if Capability.FETCH_ORDER.value in applied[0].account.lost_capabilities:
            return
        await means.clock.sleep(_read_lag(opened.plugin).total_seconds())
        try:
            sightings = await fetch_orders(opened, [wish.order for wish in applied])
        except (Retryable, NeedsSeller, ContractBroken) as failure:
            LOG.info("orders were not read back", account_id=applied[0].account.id, code=failure.code)
            return
        await orders.ingest_fetched(
            means.db,
            means.keyring,
            sightings,
            account=applied[0].account,
            plugin=opened.plugin,
            at=means.clock.now(),
        )


def _is_lease_lost(error: Exception) -> bool:
    return isinstance(error, Retryable) and error.code == "lease-lost"


def _ids(wishes: Sequence[Wish]) -> list[str]:
    return [wish.operation.id for wish in wishes]


def _read_lag(plugin: Plugin) -> timedelta:
    return plugin.limits.read_lag.get("orders", timedelta())
