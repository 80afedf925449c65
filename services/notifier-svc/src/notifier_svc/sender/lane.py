"""Sends the messages of one account, one after the other, over its kept connection."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from hanro import failpoints
from hanro.access_reports import AccessLog
from hanro.clock import Clock
from hanro.credentials import Vending
from hanro.db import Database, is_passing
from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.log import logger
from hanro.marketplace.permits import lost_grant
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import MarketplaceId
from notifier_svc.domain.accounts import Account, relay_grant
from notifier_svc.domain.messages import OBSERVED, SWITCHED_OFF, Message, State
from notifier_svc.domain.templates import Template
from notifier_svc.mailer.connection import Connection
from notifier_svc.mailer.relays import Relays
from notifier_svc.sender.ledger import Ledger
from notifier_svc.sender.writing import Post, Writer, Written
from notifier_svc.store.accounts import find_account
from notifier_svc.store.templates import get_templates

# Contacts are asked for side by side, and only shortly before they are used.
WRITTEN_AHEAD = 4
PURPOSE = "mail"
# Of the lease: past it nothing new is begun.
BEGIN_WITHIN = 2 / 3
UNAVAILABLE = "unavailable"

FAILURES = (Retryable, NeedsSeller, Rejected, ContractBroken, InDoubt, Unsupported)

log = logger(__name__)


class AccountStopped(Exception):
    """Nothing can be sent for the account now, whatever the message; `is_own`: for want of a service of hanro."""

    def __init__(self, failure: Failure, *, is_own: bool = False) -> None:
        super().__init__(failure.code)
        self.failure = failure
        self.is_own = is_own


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Be what all lanes of a process share. `deadline` bounds the wait for the answer to a mail."""

    db: Database
    clock: Clock
    ledger: Ledger
    vending: Vending
    relays: Relays
    writer: Writer
    access: AccessLog
    plugins: Mapping[MarketplaceId, Plugin]
    deadline: timedelta


class Lane:
    """Send what was claimed of one account at one time; no message may fail another."""

    def __init__(self, desk: Desk, messages: Sequence[Message], stop: asyncio.Event, *, claimed_at: float) -> None:
        self._desk = desk
        self._waiting = deque(messages)
        self._stop = stop
        # What is claimed is ours for the lease; with two thirds gone nothing new is begun.
        self._begins_until = claimed_at + desk.ledger.lease.total_seconds() * BEGIN_WITHIN
        self._is_proven = False

    async def run(self, account_id: str) -> None:
        """Send all, or give back what cannot be sent now; a database that is away, or a bug, leaves them to lapse."""
        try:
            account, templates = await self._look_up(account_id)
            try:
                if not account.switches.messages:
                    await self._suppress_all()
                await self._send_all(await self._post(account, templates))
            except AccountStopped as stopped:
                await self._refuse_tests(stopped.failure)
                log.warning("sender.paused", account_id=account_id, code=stopped.failure.code, why=stopped.failure.why)
                waiting = tuple(self._waiting)
                await self._desk.ledger.pause(account, stopped.failure, waiting, is_own=stopped.is_own)
            else:
                await self._desk.ledger.give_back(tuple(self._waiting))
        except Exception as error:
            if is_passing(error):
                log.warning("sender.database_away", account_id=account_id, error_type=type(error).__name__)
            else:
                log.exception("sender.broken", account_id=account_id, error_type=type(error).__name__)

    async def _look_up(self, account_id: str) -> tuple[Account, Mapping[str, Template]]:
        names = sorted({message.template for message in self._waiting})
        async with self._desk.db.begin() as tx:
            account = await find_account(tx, account_id)
            templates = await get_templates(tx, names)
        if account is None:
            raise AssertionError("a claim needs the account's row")
        return account, templates

    async def _post(self, account: Account, templates: Mapping[str, Template]) -> Post:
        """Ask for the relay's login.

        Raises:
            AccountStopped: it cannot be had now, or there is none.
        """
        known = self._desk.plugins.get(MarketplaceId(account.marketplace_id))
        grant = None if known is None else relay_grant(known.grants)
        if grant is not None and grant.id in account.lost_grants:
            raise AccountStopped(lost_grant(grant, "no mail can be sent"))
        try:
            vended = await self._desk.vending.secrets(account.id, heard=account, purpose=PURPOSE)
            plugin = self._desk.plugins.get(vended.marketplace_id)
            relay = None if plugin is None else plugin.mail_relay(vended.secrets)
        except FAILURES as failure:
            raise AccountStopped(failure, is_own=True) from None
        if plugin is None or relay is None:
            raise AccountStopped(Unsupported("The marketplace has no mail relay here.", code="absent"))
        return Post(
            account=account,
            plugin=plugin,
            relay=relay,
            account_epoch=vended.account_epoch,
            credential_version=vended.secrets.version,
            templates=templates,
        )

    async def _send_all(self, post: Post) -> None:
        while self._may_begin():
            ahead = tuple(islice(self._waiting, WRITTEN_AHEAD))
            for message, written in zip(
                ahead, await asyncio.gather(*(self._write(message, post) for message in ahead)), strict=True
            ):
                if not self._may_begin():
                    return
                await self._finish(message, written, post)
                self._waiting.popleft()

    async def _suppress_all(self) -> None:
        """Let nothing leave of an account whose messages are switched off; what failed since comes here too."""
        while self._waiting:
            await self._desk.ledger.settle(self._waiting[0], State.SUPPRESSED, reason_code=SWITCHED_OFF)
            self._waiting.popleft()

    async def _refuse_tests(self, failure: Failure) -> None:
        """Say at once why a test cannot be sent: somebody waits for it, and asks for another one later."""
        if isinstance(failure, Retryable):
            return
        for message in [one for one in self._waiting if one.is_test]:
            await self._desk.ledger.refuse(message, failure)
            self._waiting.remove(message)

    async def _write(self, message: Message, post: Post) -> Written | Failure:
        try:
            return await self._desk.writer.write(message, post)
        except FAILURES as failure:
            return failure
        # A bug in writing one mail must not keep those of other sellers from leaving.
        except Exception:
            log.exception("sender.bug", message_id=message.id, account_id=message.account_id)
            return ContractBroken("The mail could not be written.", code="internal-error")

    async def _finish(self, message: Message, written: Written | Failure, post: Post) -> None:
        ledger = self._desk.ledger
        if message.expires_at <= self._desk.clock.now():
            await ledger.settle(message, State.SUPPRESSED, reason_code="too-old")
        elif isinstance(written, Written) and post.account.switches.is_observing:
            plan = {"recipient": written.recipient, "subject": written.subject}
            await ledger.settle(message, State.SUPPRESSED, reason_code=OBSERVED, plan=plan)
        elif isinstance(written, Written):
            asked_at = self._desk.clock.now()
            try:
                async with self._desk.relays.connection(post.relay) as connection:
                    await self._hand_over(connection, written)
            except FAILURES as failure:
                raise AccountStopped(await self._blamed(failure, post)) from None
            await self._prove(post, asked_at)
        elif written.code == UNAVAILABLE:
            raise AccountStopped(written, is_own=True)
        else:
            log.warning("sender.not_written", message_id=message.id, code=written.code, why=written.why)
            await ledger.fail(message, written)

    async def _hand_over(self, connection: Connection, written: Written) -> None:
        """Take one mail through all steps; until `begin` is answered it has surely not left."""
        message, letter, ledger = written.message, written.letter, self._desk.ledger
        try:
            await connection.address(letter)
        except FAILURES as failure:
            await self._failed(message, failure)
            return
        if not await self._mark(message, connection):
            return
        failpoints.reach("sender.sending")
        try:
            await connection.begin()
            answer = await connection.deliver(letter, timeout_seconds=self._desk.deadline.total_seconds())
        except FAILURES as failure:
            await self._failed(message, failure)
            return
        failpoints.reach("sender.handed_over")
        await ledger.settle(message, State.HANDED_OVER, answer=answer)

    async def _mark(self, message: Message, connection: Connection) -> bool:
        """Commit `sending`; False: the mail must not leave, and the relay has forgotten it."""
        asked_at = self._desk.clock.monotonic()
        try:
            is_ours = await self._desk.ledger.mark_sending(message)
        except Exception as error:
            if not is_passing(error):
                raise
            # The answer to a COMMIT may be lost: it stands or not, but the mail has surely not left.
            connection.close()
            await self._desk.ledger.give_back([message])
            return False
        failpoints.reach("sender.marked")
        if is_ours and self._desk.clock.monotonic() < asked_at + self._desk.ledger.lease.total_seconds() * BEGIN_WITHIN:
            return True
        connection.close()
        if is_ours:
            # This process was stopped for so long that others may have put the message in doubt: then it stays so.
            await self._desk.ledger.give_back([message])
        return False

    async def _failed(self, message: Message, failure: Failure) -> None:
        log.warning("sender.failed", message_id=message.id, code=failure.code, why=failure.why)
        await self._desk.ledger.fail(message, failure)

    async def _blamed(self, failure: Failure, post: Post) -> Failure:
        """Report a refused login, and name the grant with its remedy; other failures pass as they are."""
        grant = relay_grant(post.plugin.grants)
        if not isinstance(failure, NeedsSeller) or grant is None:
            return failure
        named = NeedsSeller(
            failure.why,
            code=failure.code,
            refusal=failure.refusal,
            grant_id=grant.id,
            remedy=grant.remedies[0] if grant.remedies else None,
            menu=grant.menu,
        )
        self._desk.vending.forget(post.account.id)
        await self._desk.access.refused(
            post.account.id, named, credential_version=post.credential_version, account_epoch=post.account_epoch
        )
        return named

    async def _prove(self, post: Post, asked_at: datetime) -> None:
        """Report, once a lane, that the login serves."""
        if self._is_proven:
            return
        self._is_proven = True
        await self._desk.ledger.unpause(post.account)
        grant = relay_grant(post.plugin.grants)
        if grant is not None:
            await self._desk.access.succeeded(
                post.account.id,
                [grant.id],
                asked_at=asked_at,
                credential_version=post.credential_version,
                account_epoch=post.account_epoch,
            )

    def _may_begin(self) -> bool:
        is_time_left = self._desk.clock.monotonic() < self._begins_until
        return bool(self._waiting) and is_time_left and not self._stop.is_set()
