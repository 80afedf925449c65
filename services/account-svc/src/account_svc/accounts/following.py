"""Follows what other services report of their calls: has an account checked whose credential was refused."""

from collections.abc import Mapping, Sequence

from account_svc.accounts import jobs
from account_svc.domain.reports import Heard, Response, Use
from account_svc.store import accounts as account_rows
from account_svc.store import holdings as holding_rows
from account_svc.store import preflights as store
from account_svc.store import spares
from hanro import due
from hanro.db import Transaction
from hanro.events.access import AccessReported


async def load_heard(tx: Transaction, reports: Sequence[AccessReported]) -> Mapping[str, Heard]:
    """Lock the accounts that reports are about, and give what is known, by the report's aggregate."""
    account_ids = [report.account_id for report in reports if report.account_id is not None]
    accounts = await account_rows.lock_accounts(tx, account_ids)
    uses = await store.list_uses(tx, sorted(accounts))
    return {
        report.id: Heard(
            account=accounts[report.account_id],
            uses=_of_service(uses.get(report.account_id, {}), report.service),
        )
        for report in reports
        if report.account_id in accounts
    }


async def apply_responses(tx: Transaction, responses: Sequence[Response]) -> None:
    """Keep reports, and make due what they ask for: preflights, the next step of unlinks; delete dead credentials."""
    await store.save_uses(tx, [use for response in responses for use in response.uses])
    await holding_rows.save_holdings(tx, [response.holding for response in responses if response.holding])
    for account_id in sorted({one.released_account_id for one in responses if one.released_account_id}):
        await due.plan(tx, account_id, jobs.UNLINK)
    for account_id in sorted({one.checked_account_id for one in responses if one.checked_account_id}):
        await due.plan(tx, account_id, jobs.PREFLIGHT)
    if dead := [one.dead for one in responses if one.dead is not None]:
        await spares.delete_retired(tx, [account_id for account_id, _ in dead], [version for _, version in dead])


def _of_service(uses: Mapping[tuple[str, str], Use], service: str) -> dict[str, Use]:
    return {use.grant_id: use for use in uses.values() if use.service == service}
