"""Serves what accounts leave to hanro: whether it accepts their orders by itself."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from hanro import web
from hanro.db import Database, Transaction
from hanro.web import Answer, Body, Shown
from order_svc import accounts, policies
from order_svc.domain.policies import IRREVERSIBLE, Acceptance, Policy
from order_svc.policies import Abilities
from order_svc.store import policies as store

AccountId = Annotated[str, Path(max_length=64, description="acc_…")]


class PolicyBody(Body):
    """What an account leaves to hanro."""

    accept: Acceptance = Field(examples=["manual"])
    """`manual`: an order is accepted when somebody asks for it. `automatic`: new orders are accepted by themselves,
    which cannot be undone at the marketplace.
    """


class NoticeShown(Shown):
    """A word to whoever chooses, in both languages."""

    ja: str
    """Japanese."""
    en: str
    """English."""


class PolicyShown(Shown):
    """What an account leaves to hanro."""

    version: int
    """Grows with each change, 0 before the first; the ETag names it."""
    accept: Acceptance
    """`manual` until something else is said."""
    notice: NoticeShown
    """What `automatic` does that cannot be undone."""


def make_routes(db: Database, abilities: Abilities) -> APIRouter:
    """Make the routes; `abilities` say by marketplace whether orders can be accepted there."""
    routes = web.router(["orders"])

    @routes.get(
        "/v1/order/policies/{account_id}", dependencies=[web.require("orders:read")], response_model=PolicyShown
    )
    async def get_order_policy(request: Request, response: Response, account_id: AccountId) -> PolicyShown:
        """Show whether an account's orders are accepted by themselves."""
        async with db.begin() as tx:
            await accounts.get_visible(tx, account_id, web.caller(request).shops)
            policy = await store.get_policy(tx, account_id)
        response.headers["ETag"] = web.etag(policy.version)
        return _show(policy)

    @routes.put(
        "/v1/order/policies/{account_id}", dependencies=[web.require("orders:write")], response_model=PolicyShown
    )
    async def set_order_policy(request: Request, account_id: AccountId, body: PolicyBody) -> Response:
        """Say whether an account's orders are accepted by themselves; accepting cannot be undone at the marketplace.

        With `automatic` each new order that nothing holds is accepted once, as `:accept` would, and so are those that
        wait now. Never accepted by themselves are held and quarantined orders while they are so, and orders from before
        the account was linked, from a backfill or from a file. What was refused there is not asked again.
        """

        async def work(tx: Transaction) -> Answer:
            account = await accounts.get_visible(tx, account_id, web.caller(request).shops)
            before = await policies.lock_policy(tx, account_id)
            web.require_match(request, before.version)
            chosen = await policies.choose(tx, account, before, body.accept, abilities=abilities)
            return Answer(body=_show(chosen), headers={"ETag": web.etag(chosen.version)})

        return (await db.run(work)).response()

    return routes


def _show(policy: Policy) -> PolicyShown:
    return PolicyShown(
        version=policy.version, accept=policy.accept, notice=NoticeShown(ja=IRREVERSIBLE.ja, en=IRREVERSIBLE.en)
    )
