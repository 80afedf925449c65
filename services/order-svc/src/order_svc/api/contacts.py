"""Serves buyers' contacts to other services, on the internal port alone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request

from hanro.clock import Clock
from hanro.crypto import Keyring
from hanro.db import Database
from hanro.events.orders import OrderLine, StatedAmount
from hanro.web import caller, require, router
from hanro.web.shapes import Body, Shown
from order_svc import buyers

CarrierNames = Mapping[tuple[str, str], str]


class ContactAsked(Body):
    """What the contact is for, and under which link of the account it was asked for."""

    purpose: str = Field(min_length=1, max_length=200)
    account_epoch: int = Field(ge=0)


class ParcelShown(Shown):
    """A parcel that is registered; `carrier` is what people call it there."""

    carrier: str
    number: str | None
    url: str | None


class ContactShown(Shown):
    """A buyer's contact and what a message may speak of; `email` null: the marketplace gives none. Not to be kept."""

    name: str | None
    email: str | None
    is_email_masked: bool
    external_id: str
    placed_at: datetime
    placed_local: str
    lines: tuple[OrderLine, ...]
    totals: dict[str, StatedAmount]
    parcels: tuple[ParcelShown, ...]


def make_routes(db: Database, keyring: Keyring, clock: Clock, carriers: CarrierNames) -> APIRouter:
    """Make the routes; `carriers` are the names of carriers by marketplace and code."""
    routes = router(["contacts"])

    @routes.post(
        "/internal/v1/orders/{order_id}/contact",
        dependencies=[require("internal:contact")],
        response_model=ContactShown,
    )
    async def tell_contact(
        request: Request, order_id: Annotated[str, Path(max_length=200)], asked: ContactAsked
    ) -> ContactShown:
        """Tell whom to write to about an order; each use is written down."""
        async with db.begin() as tx:
            contact = await buyers.contact(
                tx,
                keyring,
                order_id,
                subject=caller(request).subject,
                purpose=asked.purpose,
                account_epoch=asked.account_epoch,
                at=clock.now(),
            )
        return ContactShown(
            name=contact.name,
            email=contact.email,
            is_email_masked=contact.is_email_masked,
            external_id=contact.external_id,
            placed_at=contact.placed_at,
            placed_local=contact.placed_local,
            lines=contact.lines,
            totals=dict(contact.totals),
            parcels=tuple(
                ParcelShown(
                    carrier=carriers.get((contact.marketplace_id, one.carrier_code), one.carrier_code),
                    number=one.tracking_number,
                    url=one.tracking_url,
                )
                for one in contact.parcels
            ),
        )

    return routes
