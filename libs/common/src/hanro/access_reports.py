"""Tells account-svc how calls for an account fare: at once on a refusal or a change, else at most every 5 minutes."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from hanro import outbox
from hanro.clock import Clock
from hanro.db import Database, Transaction
from hanro.errors import NeedsSeller
from hanro.events.access import AccessReported, GrantUsed

Service = Literal["account-svc", "catalog-svc", "order-svc", "notifier-svc"]
Count = Callable[[Transaction, str], Awaitable[Mapping[str, int]]]
"""Tells how much of an account a service holds, by what it is."""

REPORT_EVERY = timedelta(minutes=5)
# One that repeats its refusal says nothing new; account-svc was told in the first second.
REFUSE_EVERY = timedelta(minutes=1)
UNNAMED_GRANT = "credential"

DDL_1: tuple[str, ...] = (
    """
    create table "{schema}".access_reports (
        account_id text primary key,
        version bigint not null,
        account_epoch integer not null,
        credential_version integer not null,
        grants jsonb not null,
        released_epoch integer
    )
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Be what a service last reported of an account; `version` 0: nothing yet."""

    version: int
    account_epoch: int
    credential_version: int
    grants: Mapping[str, GrantUsed]
    released_epoch: int | None


class AccessLog:
    """Note successes and refusals per grant, and record AccessReported facts; one a process.

    `count` tells with each report how much of the account is held here; None: nothing is counted.
    """

    def __init__(self, db: Database, clock: Clock, *, service: Service, count: Count | None = None) -> None:
        self._db = db
        self._clock = clock
        self._count = count
        self._service: Service = service
        # What this process knows to be reported, so that a success costs no statement: (account, grant) → (key, until).
        self._reported: dict[tuple[str, str], tuple[int, float]] = {}

    async def succeeded(
        self,
        account_id: str,
        grant_ids: Iterable[str],
        *,
        asked_at: datetime,
        credential_version: int,
        account_epoch: int,
    ) -> None:
        """Note that calls which need these grants were served; no statement while that was reported lately.

        `asked_at` is when the call began, UTC: what was asked for before a refusal says nothing of the time after it,
        however long it took to be answered and stored.
        """
        now = self._clock.monotonic()
        fresh = [
            grant_id
            for grant_id in sorted(set(grant_ids))
            if (known := self._reported.get((account_id, grant_id))) is None
            or known[0] != credential_version
            or known[1] <= now
        ]
        if not fresh:
            return
        at = self._clock.now()

        async def note(tx: Transaction) -> Report | None:
            report = await _lock(tx, account_id)
            if report.credential_version > credential_version or report.account_epoch > account_epoch:
                return None
            changed = with_successes(report, fresh, credential_version, asked_at)
            if changed is not None:
                await self._record(tx, account_id, replace(changed, account_epoch=account_epoch), at)
            return changed or report

        told = await self._db.run(note)
        until = now + REPORT_EVERY.total_seconds()
        for grant_id in fresh:
            # Of one that was refused meanwhile the next success is news.
            if told is None or not _is_refused(told.grants[grant_id]):
                self._reported[account_id, grant_id] = (credential_version, until)

    async def refused(
        self, account_id: str, failure: NeedsSeller, *, credential_version: int, account_epoch: int
    ) -> None:
        """Note that a call was refused for want of a grant or of the credential; recorded at once.

        A refusal of an older credential than the newest that was used here says nothing and is not recorded.
        """
        at = self._clock.now()

        async def note(tx: Transaction) -> None:
            report = await _lock(tx, account_id)
            if report.credential_version > credential_version or report.account_epoch > account_epoch:
                return
            changed = with_refusal(report, failure, credential_version, at)
            if changed is not None:
                await self._record(tx, account_id, replace(changed, account_epoch=account_epoch), at)

        await self._db.run(note)
        self._forget(account_id)

    async def held(self, tx: Transaction, account_id: str, *, account_epoch: int) -> None:
        """Record, in the transaction that changed it, how much of an account is held here now."""
        report = await _lock(tx, account_id)
        await self._record(tx, account_id, replace(report, account_epoch=account_epoch), self._clock.now())

    async def released(self, tx: Transaction, account_id: str, *, account_epoch: int) -> None:
        """Record, in the transaction that deleted the last of it, that all before an epoch has stopped and is gone.

        What was served or refused before says nothing any more; the same again records nothing.
        """
        report = await _lock(tx, account_id)
        released = account_epoch - 1
        if report.released_epoch is None or report.released_epoch < released:
            fresh = replace(report, released_epoch=released, account_epoch=account_epoch, grants={})
            await self._record(tx, account_id, fresh, self._clock.now())
        tx.after_commit(lambda: self._forget(account_id))

    def _forget(self, account_id: str) -> None:
        self._reported = {key: known for key, known in self._reported.items() if key[0] != account_id}

    async def _record(self, tx: Transaction, account_id: str, report: Report, at: datetime) -> None:
        version = report.version + 1
        grants = tuple(report.grants[grant_id] for grant_id in sorted(report.grants))
        await tx.execute(
            """
            update access_reports set version = $2, account_epoch = $3, credential_version = $4,
                grants = $5::text::jsonb, released_epoch = $6
            where account_id = $1
            """,
            account_id,
            version,
            report.account_epoch,
            report.credential_version,
            json.dumps([grant.model_dump(mode="json") for grant in grants]),
            report.released_epoch,
        )
        await outbox.record(
            tx,
            AccessReported(
                id=f"{account_id}:{self._service}",
                version=version,
                at=at,
                account_id=account_id,
                account_epoch=report.account_epoch,
                service=self._service,
                credential_version=report.credential_version,
                grants=grants,
                released_epoch=report.released_epoch,
                holdings=dict(await self._count(tx, account_id)) if self._count else None,
            ),
        )


def with_successes(report: Report, grant_ids: Iterable[str], credential_version: int, at: datetime) -> Report | None:
    """Give the report with grants served; None when it says nothing new: all were served lately, none refused since.

    A refusal that came after `at` stands: the call was served before it.
    """
    grants = _known(report, credential_version)
    is_news = report.credential_version != credential_version
    for grant_id in grant_ids:
        known = grants.get(grant_id, GrantUsed(grant_id=grant_id))
        if known.succeeded_at is not None and known.succeeded_at >= at:
            continue
        is_news |= _is_refused(known) or known.succeeded_at is None or at - known.succeeded_at >= REPORT_EVERY
        grants[grant_id] = known.model_copy(update={"succeeded_at": at})
    return replace(report, grants=grants, credential_version=credential_version) if is_news else None


def with_refusal(report: Report, failure: NeedsSeller, credential_version: int, at: datetime) -> Report | None:
    """Give the report with one grant refused; None when the same refusal of the same credential was just reported."""
    grants = _known(report, credential_version)
    grant_id = failure.grant_id or UNNAMED_GRANT
    known = grants.get(grant_id, GrantUsed(grant_id=grant_id))
    is_repeated = (
        _is_refused(known)
        and known.refusal_code == failure.code
        and known.refused_at is not None
        and at - known.refused_at < REFUSE_EVERY
    )
    if is_repeated:
        return None
    refused = known.model_copy(
        update={
            "refused_at": at,
            "refusal_code": failure.code,
            "refusal_text": failure.refusal.code if failure.refusal else None,
        }
    )
    return replace(report, grants={**grants, grant_id: refused}, credential_version=credential_version)


def _known(report: Report, credential_version: int) -> dict[str, GrantUsed]:
    """Give what is known of grants with these credentials: how others fared says nothing of them."""
    return dict(report.grants) if report.credential_version == credential_version else {}


def _is_refused(known: GrantUsed) -> bool:
    return known.refused_at is not None and (known.succeeded_at is None or known.succeeded_at <= known.refused_at)


async def _lock(tx: Transaction, account_id: str) -> Report:
    await tx.execute(
        """
        insert into access_reports (account_id, version, account_epoch, credential_version, grants)
        values ($1, 0, 0, 0, '[]') on conflict do nothing
        """,
        account_id,
    )
    rows = await tx.fetch(
        """
        select version, account_epoch, credential_version, grants::text, released_epoch
        from access_reports where account_id = $1 for update
        """,
        account_id,
    )
    found = [GrantUsed.model_validate(grant) for grant in json.loads(rows[0]["grants"])]
    return Report(
        version=rows[0]["version"],
        account_epoch=rows[0]["account_epoch"],
        credential_version=rows[0]["credential_version"],
        grants={grant.grant_id: grant for grant in found},
        released_epoch=rows[0]["released_epoch"],
    )
