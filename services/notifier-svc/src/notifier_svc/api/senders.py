"""Serves tests of senders: a mail from the account's sender address to the shop itself, and when it was last proven."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints

from hanro import web
from hanro.credentials import Vending
from hanro.db import Database, Transaction
from hanro.errors import (
    ContractBroken,
    Failure,
    InDoubt,
    LocalizedText,
    NeedsSeller,
    Rejected,
    Retryable,
    Unsupported,
)
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import Grant, MarketplaceId
from hanro.web import Answer, Idempotency, Problem
from hanro.web.shapes import Body, Shown
from notifier_svc import bindings
from notifier_svc.api.shapes import MessageShown, show_message
from notifier_svc.domain.accounts import Account, relay_grant
from notifier_svc.domain.tests_of_senders import check_account, find_own_recipient
from notifier_svc.messages import testing
from notifier_svc.messages.testing import TooSoon
from notifier_svc.store.accounts import lock_accounts
from notifier_svc.store.messages import last_tests

PURPOSE = "test"
Plugins = Mapping[MarketplaceId, Plugin]


class SenderTestBody(Body):
    """Ask for a test mail."""

    account_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        examples=["acc_01K0000000000000000000000A"]
    )
    """The account whose sender is tested."""
    to: Annotated[str, StringConstraints(max_length=254)] | None = Field(default=None, repr=False, examples=[None])
    """The shop's own masked address; null: the one among the credentials. No other is taken."""


class SenderShown(Shown):
    """What is known of an account's sender."""

    account_id: str
    """The account."""
    proven_at: datetime | None
    """When its relay last took a test mail; null: never."""
    last_test: MessageShown | None
    """The last test, whatever became of it; null: none was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Hold what the routes of senders work with; `wake` is called when something is to be sent."""

    db: Database
    idempotency: Idempotency
    plugins: Plugins
    vending: Vending
    wake: Callable[[], None]


def make_routes(desk: Desk) -> APIRouter:
    """Make the routes of senders."""
    router = web.router(["messages"])

    @router.post(
        "/v1/messages:test",
        dependencies=[web.require("messages:write"), web.key_needed()],
        status_code=202,
        response_model=MessageShown,
    )
    async def test_sender(body: SenderTestBody, request: Request) -> Response:
        """Send a test mail from the account's sender address to the shop's own masked address, and to no other.

        The answer is a message, marked as a test: watch it until the relay has taken it (`handed_over`), it is refused
        with the relay's words, or nobody knows (`in_doubt`). One test a minute and account.
        """
        shop_ids = web.visible_shops(request)
        failure = await _look_ahead(desk, body, shop_ids)

        async def work(tx: Transaction) -> Answer:
            await lock_accounts(tx, [body.account_id])
            account = await bindings.get_account(tx, body.account_id, shop_ids)
            check_account(account, _relay_grant(desk.plugins, account))
            if failure is not None:
                raise failure
            try:
                message = await testing.ask(tx, account, wake=desk.wake)
            except TooSoon as soon:
                raise _too_soon(soon) from None
            return Answer(status=202, body=show_message(message), headers={"Location": f"/v1/messages/{message.id}"})

        return await desk.idempotency.once(request, work)

    @router.get("/v1/notifier/senders/{account_id}", dependencies=[web.require("messages:read")])
    async def get_sender(
        account_id: Annotated[str, Path(max_length=64, description="The account")], request: Request
    ) -> SenderShown:
        """Show when an account's sender was last proven, and what became of the last test."""
        async with desk.db.begin() as tx:
            account = await bindings.get_account(tx, account_id, web.visible_shops(request))
            last, proven = await last_tests(tx, account.id)
        return SenderShown(
            account_id=account.id,
            proven_at=proven.handed_over_at if proven else None,
            last_test=show_message(last) if last else None,
        )

    return router


async def _look_ahead(desk: Desk, body: SenderTestBody, shop_ids: list[str] | None) -> Failure | None:
    """Find out whether the relay's login, sender and recipient will do; asking account-svc is no part of a transaction.

    What is in the way of the account itself counts too, even if it is gone by the time the transaction looks: nothing
    was looked at behind it.
    """
    try:
        async with desk.db.begin() as tx:
            account = await bindings.get_account(tx, body.account_id, shop_ids)
        check_account(account, _relay_grant(desk.plugins, account))
    except (Rejected, NeedsSeller) as failure:
        return failure
    plugin = desk.plugins.get(MarketplaceId(account.marketplace_id))
    try:
        vended = await desk.vending.secrets(account.id, heard=account, purpose=PURPOSE)
        relay = None if plugin is None else plugin.mail_relay(vended.secrets)
        if relay is None:
            return Unsupported(_NO_RELAY.en, code="absent", remedy=_NO_RELAY)
        find_own_recipient(relay, body.to)
    except (Retryable, NeedsSeller, Rejected, ContractBroken, InDoubt, Unsupported) as failure:
        return failure
    return None


def _relay_grant(plugins: Plugins, account: Account) -> Grant | None:
    plugin = plugins.get(MarketplaceId(account.marketplace_id))
    return relay_grant(plugin.grants) if plugin else None


def _too_soon(soon: TooSoon) -> Problem:
    seconds = ceil(soon.after.total_seconds())
    return Problem(
        status=429,
        code="too-many-tests",
        detail=f"The last test was asked for a moment ago; ask again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
        is_retryable=True,
    )


_NO_RELAY = LocalizedText(
    ja="このマーケットプレイスにはメールの中継サーバがありません。", en="This marketplace has no mail relay."
)
