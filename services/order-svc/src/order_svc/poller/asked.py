"""Reads what somebody asked for: orders again by number, or all of a stretch of time, piece by piece."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from hanro.db import is_passing
from hanro.errors import ContractBroken, Failure, InDoubt, NeedsSeller, Rejected, Retryable, Unsupported
from hanro.log import logger
from hanro.marketplace.types import Capability, Detail, OrderPage, Sighting, UnreadableOrder
from hanro.operations import Operation, OperationStatus
from hanro.rounds import keep_looking
from hanro.sessions import OpenSession
from order_svc import accounts, orders
from order_svc.domain.accounts import Account
from order_svc.domain.asking import BACKFILL, CURSOR, FETCH, OF_DETAILS, details_of, needed_of, reason_of
from order_svc.domain.payments import tells_payments
from order_svc.domain.permits import obstacle
from order_svc.domain.reconcile import external_id_of
from order_svc.domain.verdicts import epoch_past
from order_svc.domain.windows import RouteCursor
from order_svc.orders import Page
from order_svc.orders.wishes import ability_of
from order_svc.poller.counting import Counted, counted
from order_svc.poller.follow_up import FETCH as FETCH_BATCH
from order_svc.poller.follow_up import Detailed, fetch_claimed, fetch_detailed
from order_svc.poller.means import Means

LOG = logger(__name__)
AT_ONCE = 8
LOOK_SECONDS = 0.5
PAUSE = timedelta(seconds=15)
TRIED_FOR = timedelta(hours=24)
# Of the lease: what begins in its first third and takes no longer than another is over before somebody takes it over.
PIECE = 1 / 3
EACH_ASKED_FOR = 5
"""Orders at once of which each takes a request of its own: a few seconds, in which a sweep may show them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Be a piece of what was asked for, under way until `ends_at` on the monotonic clock."""

    operation: Operation
    account: Account
    opened: OpenSession
    requests: Counted
    stop: asyncio.Event
    ends_at: float


class Reader:
    """Do what was asked for of all accounts; a read that failed is tried again for a day."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; what is being read then is broken off between two calls, and goes on elsewhere."""
        await keep_looking(
            partial(self.read_due, stop),
            clock=self._means.clock,
            seconds=LOOK_SECONDS,
            stop=stop,
            log=LOG,
            trouble="nothing asked for can be claimed",
        )

    async def read_due(self, stop: asyncio.Event) -> int:
        """Do a piece of what waits, once; give how many operations that were."""
        claimed = await orders.claim_asked(self._means.db, limit=AT_ONCE, lease=self._means.lease)
        async with asyncio.TaskGroup() as group:
            for operation in claimed:
                group.create_task(self._apart(operation, stop))
        return len(claimed)

    async def _apart(self, operation: Operation, stop: asyncio.Event) -> None:
        """Do a piece; what goes wrong is written down and is no other's trouble, a bug too."""
        try:
            await self._do(operation, stop)
        except Retryable as lost:
            if lost.code != "lease-lost":
                raise
            LOG.info("another process reads this", operation_id=operation.id)
        except Exception as error:
            if is_passing(error):
                LOG.warning("the database is away", operation_id=operation.id, error_type=type(error).__name__)
                return
            LOG.exception("reading what was asked for is broken", operation_id=operation.id)
            broken = ContractBroken("the work is broken", code="internal-error")
            await orders.settle_asked(self._means.db, operation, OperationStatus.REJECTED, failure=broken)

    async def _do(self, operation: Operation, stop: asyncio.Event) -> None:
        means, account_id = self._means, operation.account_id or ""
        account = await accounts.find(means.db, account_id)
        epoch = operation.asked.get("account_epoch")
        if account is None or account.epoch != epoch:
            await orders.settle_asked(means.db, operation, OperationStatus.REJECTED, failure=epoch_past())
            return
        opened: OpenSession | None = None
        try:
            self._check(account, operation)
            async with asyncio.timeout(means.lease.total_seconds() * 2 * PIECE):
                opened, requests = counted(await means.open(account.id, heard=account, purpose=operation.kind))
                if opened.account_epoch != epoch:
                    raise epoch_past()
                piece = _Piece(
                    operation=operation,
                    account=account,
                    opened=opened,
                    requests=requests,
                    stop=stop,
                    ends_at=means.clock.monotonic() + means.lease.total_seconds() * PIECE,
                )
                await (self._fetch(piece) if operation.kind == FETCH else self._backfill(piece))
        except TimeoutError:
            await self._put_off(operation, Retryable("no answer came in time", code="unavailable"))
        except NeedsSeller as failure:
            if opened is not None:
                await means.stop_for_seller(account.id, failure, opened)
            await self._put_off(operation, failure)
        except (Retryable, Rejected, ContractBroken, InDoubt, Unsupported) as failure:
            if isinstance(failure, Retryable) and failure.code == "lease-lost":
                raise
            await self._put_off(operation, failure)

    def _check(self, account: Account, operation: Operation) -> None:
        ability = ability_of(self._means.plugins, account)
        if not account.is_working:
            raise NeedsSeller("the account is not active, so nothing is read for it", code=reason_of(account))
        if account.is_paused(self._means.clock.now()):
            raise NeedsSeller("the account's credential was refused", code="credential-refused")
        for capability in needed_of(operation.kind, details_of(operation.asked)):
            if hindered := obstacle(account, ability, capability):
                raise hindered

    async def _put_off(self, operation: Operation, failure: Failure) -> None:
        """Try again later what may work then; what was refused for good is over, and so is what a day did not mend."""
        means, now = self._means, self._means.clock.now()
        may_work = isinstance(failure, (Retryable, NeedsSeller)) and now < operation.accepted_at + TRIED_FOR
        after = max(failure.after or PAUSE, PAUSE) if isinstance(failure, Retryable) else means.pace.refused_pause
        await orders.settle_asked(
            means.db,
            operation,
            OperationStatus.ACCEPTED if may_work else OperationStatus.REJECTED,
            failure=failure,
            next_at=now + after if may_work else None,
        )

    async def _fetch(self, piece: _Piece) -> None:
        """Read orders by number, and tell for each what came of it."""
        means, account, opened = self._means, piece.account, piece.opened
        outcomes = _outcomes(piece.operation)
        wanted = [one for one in _texts(piece.operation.asked["external_ids"]) if one not in outcomes]
        details = details_of(piece.operation.asked)
        size = opened.plugin.limits.batches[FETCH_BATCH].size
        size = min(size, EACH_ASKED_FOR) if details else size
        for start in range(0, len(wanted), size):
            if self._is_over(piece):
                await self._go_on(piece, {"outcomes": list(outcomes.values())})
                return
            batch = wanted[start : start + size]
            refs = await orders.refs_of(means.db, account.id, batch)
            asked_at = means.clock.now()
            detailed = await fetch_detailed(opened, refs, details)
            sightings = detailed.fetched.sightings
            found = await orders.ingest_fetched(
                means.db,
                means.keyring,
                sightings,
                account=account,
                plugin=opened.plugin,
                at=means.clock.now(),
                details=details,
            )
            means.metrics.found(account.marketplace_id, FETCH, found)
            await self._note_success(piece, details, sightings, asked_at)
            ids = await orders.ids_of(means.db, account.id, batch)
            outcomes |= {
                one: {"external_id": one, "status": _status(one, detailed), "order_id": ids.get(one)} for one in batch
            }
        is_any = any(one["status"] != "missing" for one in outcomes.values())
        await orders.settle_asked(
            means.db,
            piece.operation,
            OperationStatus.APPLIED if is_any else OperationStatus.REJECTED,
            failure=None if is_any else Rejected("the marketplace knows no such order", code="unknown-there"),
            answer={"outcomes": list(outcomes.values())},
        )

    async def _note_success(
        self, piece: _Piece, details: frozenset[Detail], sightings: Sequence[Sighting], asked_at: datetime
    ) -> None:
        served = [Capability.FETCH_ORDER]
        if any(tells_payments(one) for one in sightings):
            served += [OF_DETAILS[detail] for detail in sorted(details)]
        for capability in served:
            await self._means.note_success(piece.account.id, piece.opened, capability, asked_at=asked_at)

    async def _backfill(self, piece: _Piece) -> None:
        """Read what is left of the stretch, route by route, page by page."""
        means, account, opened = self._means, piece.account, piece.opened
        total = _total(piece.operation)
        may_fetch = Capability.FETCH_ORDER.value not in account.lost_capabilities
        for cursor in await orders.list_stretches(means.db, account.id):
            moved, asked_at = cursor, means.clock.now()
            async with aclosing(_pages(opened, cursor)) as pages:
                async for page in pages:
                    claimed = await fetch_claimed(opened, page) if page.claims and may_fetch else []
                    shown = Page(
                        sightings=[*page.sightings, *claimed],
                        position=page.cursor,
                        request_count=piece.requests.take(),
                    )
                    moved = await self._store(piece, moved, shown, total)
                    if moved.window is None:
                        break
                    if self._is_over(piece):
                        await self._go_on(piece, total)
                        return
            if moved.window is not None:
                # Nothing was shown, or the last page did not say that it was the last.
                nothing = Page(sightings=(), position=None, request_count=piece.requests.take())
                await self._store(piece, moved, nothing, total)
            await means.note_success(account.id, opened, Capability.FIND_ORDERS, asked_at=asked_at)
        await orders.settle_asked(means.db, piece.operation, OperationStatus.APPLIED, answer=total)

    async def _store(self, piece: _Piece, cursor: RouteCursor, page: Page, total: dict[str, object]) -> RouteCursor:
        means, account = self._means, piece.account
        taken = await orders.ingest_stretch(
            means.db,
            means.keyring,
            cursor,
            page,
            account=account,
            plugin=piece.opened.plugin,
            at=means.clock.now(),
        )
        means.metrics.found(account.marketplace_id, BACKFILL, taken.found_count)
        total["found_count"] = _number(total["found_count"]) + taken.found_count
        total["request_count"] = _number(total["request_count"]) + page.request_count
        return taken.cursor

    def _is_over(self, piece: _Piece) -> bool:
        return piece.stop.is_set() or self._means.clock.monotonic() >= piece.ends_at

    async def _go_on(self, piece: _Piece, answer: Mapping[str, object]) -> None:
        """Give it back with how far it is: whoever claims it goes on from there."""
        await orders.settle_asked(self._means.db, piece.operation, OperationStatus.ACCEPTED, answer=answer)


def _pages(opened: OpenSession, cursor: RouteCursor) -> AsyncGenerator[OrderPage, None]:
    if cursor.window is None:
        raise ValueError(f"no stretch of route {cursor.route} was asked for")
    route = cursor.route.removeprefix(CURSOR)
    pages = opened.plugin.orders(opened.session).pages(route, cursor.window, cursor.position)
    return cast("AsyncGenerator[OrderPage, None]", pages)


def _status(external_id: str, detailed: Detailed) -> str:
    """Say what became of one number: read, maybe without its details, quarantined, or missing at the marketplace."""
    shown = next((one for one in detailed.fetched.sightings if external_id_of(one) == external_id), None)
    if shown is None:
        return "missing"
    if isinstance(shown, UnreadableOrder):
        return "quarantined"
    return "without_details" if external_id in detailed.bare else "read"


def _outcomes(operation: Operation) -> dict[str, dict[str, object]]:
    """Give what was told already, by number."""
    told = (operation.answer or {}).get("outcomes")
    return {str(one["external_id"]): one for one in told} if isinstance(told, list) else {}


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _total(operation: Operation) -> dict[str, object]:
    answer = operation.answer or {}
    return {name: _number(answer.get(name)) for name in ("found_count", "request_count")}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
