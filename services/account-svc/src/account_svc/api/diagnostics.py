"""Serves diagnostics bundles: what support needs to see of an account, and nothing else."""

from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from account_svc.accounts import checklist
from account_svc.accounts.reading import AccountPicture, pictures
from account_svc.api.accounts import Desk
from account_svc.api.diagnostics_shapes import (
    AccountTold,
    DeedTold,
    DiagnosticsShown,
    ExpiryTold,
    ItemTold,
    OperationTold,
    PreflightTold,
    RefusalTold,
    RowTold,
    SoftwareTold,
    UseTold,
)
from account_svc.api.permissions import check_account
from account_svc.api.switch_shapes import show_switches
from account_svc.domain.checklist import Item
from account_svc.domain.transitions import possible
from account_svc.store import accounts as store
from account_svc.store import audit as audit_rows
from account_svc.store import preflights as preflight_rows
from account_svc.store.preflights import Preflight
from hanro import operations, web
from hanro.errors import Refusal
from hanro.marketplace.types import MarketplaceId
from hanro.operations import Operation

DISTRIBUTION = "hanro"
MOST_PREFLIGHTS = 3
MOST_USES = 100
MOST = 50


def make_routes(desk: Desk, support_contact: str | None) -> APIRouter:
    """Make the route of diagnostics; `support_contact` is where bundles go."""
    router = web.router(["accounts"])

    @router.get("/v1/accounts/{account_id}/diagnostics", dependencies=[web.require("accounts:read")])
    async def get_diagnostics(
        request: Request, response: Response, account_id: Annotated[str, Path(max_length=64, description="acc_…")]
    ) -> DiagnosticsShown:
        """Give what support needs to see of an account, as a file: what was tried and refused.

        No credential, no name, no address and no text that anybody typed is in it.
        """
        async with desk.db.begin() as tx:
            account = check_account(request, await store.get_account(tx, account_id))
            (picture,) = await pictures(tx, [account])
            preflights = await preflight_rows.list_preflights(tx, account.id, limit=MOST_PREFLIGHTS, before=None)
            uses = (await preflight_rows.list_uses(tx, [account.id])).get(account.id, {})
            asked = await operations.list_(tx, limit=MOST, account_ids=[account.id])
            tried = await audit_rows.list_entries(tx, shop_ids=None, account_id=account.id, before=None, limit=MOST)
            plugin = desk.plugins.get(MarketplaceId(account.marketplace_id))
            registration = await checklist.registration_of(tx, account)
            items = await checklist.items_of(tx, account, plugin, registration, desk.clock.now()) if plugin else []
        response.headers["Content-Disposition"] = f'attachment; filename="{account.id}-diagnostics.json"'
        return DiagnosticsShown(
            made_at=desk.clock.now(),
            support_contact=support_contact,
            software=SoftwareTold(
                hanro=version(DISTRIBUTION),
                marketplaces=sorted(desk.plugins),
                guide_version=plugin.guide.version if plugin else None,
                policy_version=plugin.policy.version if plugin else None,
            ),
            account=_account(picture),
            registration=registration,
            checklist=[_item(one) for one in items],
            preflights=[_preflight(one) for one in preflights],
            uses=[
                UseTold.model_validate(one, from_attributes=True)
                for one in sorted(uses.values(), key=lambda use: (use.refused_at is None, use.service, use.grant_id))
            ][:MOST_USES],
            operations=[_operation(one) for one in asked],
            tried=[
                DeedTold(at=one.at, action=one.action, changed=list(one.changed), correlation_id=one.correlation_id)
                for one in tried
            ],
        )

    return router


def _account(picture: AccountPicture) -> AccountTold:
    account, stored = picture.account, picture.credentials
    return AccountTold(
        id=account.id,
        marketplace_id=account.marketplace_id,
        state=account.state.value,
        is_enabled=account.is_enabled,
        is_working=account.is_working,
        reason_code=account.reason.code if account.reason else None,
        reason_grant_id=account.reason.grant_id if account.reason else None,
        possible=[deed.value for deed in possible(account)],
        lost_capabilities=list(account.lost_capabilities),
        switches=show_switches(account.switches),
        credential_version=account.credential_version,
        credential_fields=list(stored.field_names) if stored else [],
        expiries=[
            ExpiryTold(
                field=one.expiry.field,
                source=one.expiry.source.value,
                expires_at=one.expiry.expires.at if one.expiry.expires else None,
            )
            for one in picture.expiries
        ],
        expiry_failure_code=picture.expiry_failure.code if picture.expiry_failure else None,
        epoch=account.epoch,
        version=account.version,
        created_at=account.created_at,
        changed_at=account.changed_at,
    )


def _item(item: Item) -> ItemTold:
    reached = {tick.state: tick.at for tick in item.reached}
    return ItemTold(
        id=item.prerequisite.id,
        state=item.state,
        is_done=item.is_done,
        unproven_grant_ids=list(item.proving),
        reached_at=reached.get(item.state),
        start_day=item.start_day,
        effective_at=item.effective_at,
    )


def _preflight(preflight: Preflight) -> PreflightTold:
    return PreflightTold(
        id=preflight.id,
        credential_version=preflight.credential_version,
        standing=preflight.standing.value if preflight.standing else None,
        finished_at=preflight.finished_at,
        rows=[
            RowTold(grant_id=row.grant_id, state=row.state.value, refusal=_refusal(row.refusal))
            for row in preflight.rows
        ],
    )


def _refusal(refusal: Refusal | None) -> RefusalTold | None:
    if refusal is None:
        return None
    return RefusalTold(code=refusal.code, http_status=refusal.http_status, request_id=refusal.request_id)


def _operation(operation: Operation) -> OperationTold:
    code = (operation.failure or {}).get("code")
    return OperationTold(
        id=operation.id,
        kind=operation.kind,
        status=operation.status.value,
        failure_code=None if code is None else str(code),
        accepted_at=operation.accepted_at,
        changed_at=operation.changed_at,
    )
