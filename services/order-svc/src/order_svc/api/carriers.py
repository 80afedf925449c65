"""Serves the carriers that marketplaces take, and what accounts say of theirs."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from hanro import web
from hanro.db import Database, Transaction
from hanro.web import Answer, Body, FieldFault, Problem, Shown
from order_svc import accounts, carriers
from order_svc.domain.carriers import CarrierChoice
from order_svc.shipments import Desk
from order_svc.store import carriers as store

AccountId = Annotated[str, Path(max_length=64, description="acc_…")]
AccountWanted = Annotated[str | None, Query(max_length=64, description="The carriers of this account's marketplace")]
MarketplaceWanted = Annotated[str | None, Query(max_length=64, description="The carriers of this marketplace")]
CarrierText = Annotated[str, Field(min_length=1, max_length=100)]
MOST_NAMES = 500


class NameShown(Shown):
    """A name in both languages."""

    ja: str
    """Japanese."""
    en: str
    """English."""


class CarrierShown(Shown):
    """A carrier."""

    code: str
    """What shipments name it by."""
    names: NameShown
    """What people call it."""
    aliases: list[str]
    """Other names that shipments may name it by."""
    marketplace_value: str | None
    """What the marketplace calls it; null: its list lacks it, `other_value` goes out."""
    tracking_url: str | None
    """The carrier's page, with {tracking_number} for the number; null: it has none."""
    number_pattern: str | None
    """What its numbers look like, a whole match; null: their form is not public."""
    is_url_required: bool
    """A page must be given with each number."""


class CarriersShown(Shown):
    """The carriers that a marketplace takes."""

    marketplace_id: str
    """Which marketplace."""
    version: str
    """Of the catalogue."""
    other_value: str | None
    """What goes out for any other carrier; null: no other is taken."""
    items: list[CarrierShown]
    """In the marketplace's order."""


class CarrierChoiceBody(Body):
    """What an account says of its carriers."""

    default_carrier: CarrierText | None = Field(examples=["yamato"])
    """Where a shipment names none: by code or name; null: each names its own."""
    names: Annotated[dict[CarrierText, CarrierText], Field(max_length=MOST_NAMES)] = Field(
        examples=[{"宅急便": "yamato"}]
    )
    """The carrier, by code or name, for each name that files and systems have for one."""


class CarrierChoiceShown(Shown):
    """What an account says of its carriers."""

    version: int
    """Grows with each change, 0 before the first; the ETag names it."""
    default_carrier: str | None
    """The code of the one that is used by default; null: none."""
    names: dict[str, str]
    """The carrier's code for each name, in small letters."""


def make_routes(db: Database, desk: Desk) -> APIRouter:
    """Make the routes of carriers."""
    router = web.router(["carriers"])

    @router.get("/v1/carriers", dependencies=[web.require("orders:read")], response_model=CarriersShown)
    async def list_carriers(
        request: Request, account_id: AccountWanted = None, marketplace_id: MarketplaceWanted = None
    ) -> CarriersShown:
        """List the carriers that a marketplace takes, with the forms of their numbers and their pages."""
        if (account_id is None) is (marketplace_id is None):
            fault = FieldFault(code="one-needed", detail="or marketplace_id, one of the two", parameter="account_id")
            raise Problem(
                status=422, code="request-malformed", detail="Name an account or a marketplace.", errors=[fault]
            )
        if account_id is not None:
            async with db.begin() as tx:
                marketplace_id = (await accounts.get_visible(tx, account_id, web.caller(request).shops)).marketplace_id
        catalogue = carriers.catalogue_of(desk.plugins, marketplace_id or "")
        return CarriersShown(
            marketplace_id=marketplace_id or "",
            version=catalogue.version,
            other_value=catalogue.other_value,
            items=[CarrierShown.model_validate(one) for one in catalogue.carriers],
        )

    @router.get(
        "/v1/order/carriers/{account_id}", dependencies=[web.require("orders:read")], response_model=CarrierChoiceShown
    )
    async def get_carrier_choice(request: Request, response: Response, account_id: AccountId) -> CarrierChoiceShown:
        """Show what an account says of its carriers."""
        async with db.begin() as tx:
            await accounts.get_visible(tx, account_id, web.caller(request).shops)
            choice = await store.get_choice(tx, account_id)
        response.headers["ETag"] = web.etag(choice.version)
        return CarrierChoiceShown.model_validate(choice)

    @router.put(
        "/v1/order/carriers/{account_id}", dependencies=[web.require("orders:write")], response_model=CarrierChoiceShown
    )
    async def set_carrier_choice(request: Request, account_id: AccountId, body: CarrierChoiceBody) -> Response:
        """Say which carrier an account uses by default, and what its files call carriers."""

        async def work(tx: Transaction) -> Answer:
            account = await accounts.get_visible(tx, account_id, web.caller(request).shops)
            before = await store.get_choice(tx, account_id, is_locked=True)
            web.require_match(request, before.version)
            wanted = CarrierChoice(version=before.version, default_carrier=body.default_carrier, names=dict(body.names))
            chosen = await carriers.choose(tx, account, wanted, desk.plugins)
            return Answer(body=CarrierChoiceShown.model_validate(chosen), headers={"ETag": web.etag(chosen.version)})

        return (await db.run(work)).response()

    return router
