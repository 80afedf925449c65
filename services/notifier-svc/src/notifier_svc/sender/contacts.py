"""Asks order-svc whom a message goes to, at the moment of sending; what it answers is kept nowhere."""

import json
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from hanro.errors import ContractBroken, InDoubt, Rejected, Retryable
from hanro.events.orders import StatedAmount
from hanro.http import ServiceHttp
from hanro.marketplace.types import HttpAnswer, HttpRequest
from hanro.tokens import TokenSource
from notifier_svc.domain.contacts import Contact, ContactLine, ContactParcel

PURPOSE = "message"
# Codes of order-svc's refusals.
UNLINKED = "epoch-past"
NO_CONTACT = "no-contact"


class Contacts(Protocol):
    """Tell whom to write to about an order."""

    async def contact(self, order_id: str, *, account_epoch: int) -> Contact:
        """Give an order's contact.

        Raises:
            Retryable: order-svc cannot be asked (unavailable), or knows nobody to write to now (no-contact).
            Rejected: no such order (not-found), or its account was unlinked since (unlinked).
            ContractBroken: order-svc answered something else (unreadable).
        """


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")

    title: str
    quantity: int
    status: str = ""
    unit_price: StatedAmount | None = None


class _Parcel(BaseModel):
    model_config = ConfigDict(extra="ignore")

    carrier: str
    number: str | None = None
    url: str | None = None


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    name: str | None = Field(repr=False)
    email: str | None = Field(repr=False)
    is_email_masked: bool
    external_id: str
    placed_at: AwareDatetime
    lines: tuple[_Line, ...]
    totals: dict[str, StatedAmount]
    # An order-svc of the version before tells none.
    parcels: tuple[_Parcel, ...] = ()


class OrderService:
    """Ask order-svc's internal contact route; `http` reaches its internal base URL."""

    def __init__(self, http: ServiceHttp, tokens: TokenSource) -> None:
        self._http = http
        self._tokens = tokens

    async def contact(self, order_id: str, *, account_epoch: int) -> Contact:
        """Give an order's contact; see `Contacts.contact`."""
        request = HttpRequest(
            method="POST",
            path=f"/internal/v1/orders/{quote(order_id, safe='')}/contact",
            headers={
                "authorization": f"Bearer {await self._tokens.token()}",
                "content-type": "application/json",
                "accept": "application/json",
            },
            body=json.dumps({"purpose": PURPOSE, "account_epoch": account_epoch}).encode(),
            # It only leaves a line in the audit: asking twice does no harm.
            has_effect=False,
        )
        try:
            answer = await self._http.send(request)
        except InDoubt as error:
            raise Retryable("order-svc did not answer.", code="unavailable") from error
        if answer.status == HTTPStatus.OK:
            return _read(answer)
        raise _failure(answer)


def _read(answer: HttpAnswer) -> Contact:
    try:
        told = _Told.model_validate_json(answer.body)
    except ValidationError as error:
        where = "; ".join("/".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)[:5])
        raise ContractBroken(f"order-svc's contact cannot be read: {where}", code="unreadable") from None
    return Contact(
        name=told.name,
        email=told.email,
        is_email_masked=told.is_email_masked,
        external_id=told.external_id,
        placed_at=told.placed_at,
        lines=tuple(
            ContactLine(title=line.title, quantity=line.quantity, unit_price=line.unit_price)
            for line in told.lines
            if line.status != "cancelled"
        ),
        totals=told.totals,
        parcels=tuple(ContactParcel(carrier=one.carrier, number=one.number, url=one.url) for one in told.parcels),
    )


def _failure(answer: HttpAnswer) -> Retryable | Rejected | ContractBroken:
    code = _code(answer)
    match answer.status:
        case HTTPStatus.NOT_FOUND:
            return Rejected("order-svc knows no such order.", code="not-found")
        case HTTPStatus.CONFLICT | HTTPStatus.GONE if code == UNLINKED:
            return Rejected("The account was unlinked since.", code="unlinked")
        case HTTPStatus.CONFLICT | HTTPStatus.GONE if code == NO_CONTACT:
            # A quarantined order is read again one day; one that is erased meanwhile grows too old.
            return Retryable("Nobody is known to write to.", code=NO_CONTACT)
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
            return Retryable(f"order-svc answers {status}.", code="unavailable")
        case status:
            return ContractBroken(f"order-svc answers {status} ({code}).", code="unreadable")


# A token that just expired, a scope that is being granted, too many requests: all mended by others.
_LATER = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})


def _code(answer: HttpAnswer) -> str:
    try:
        told = json.loads(answer.body)
    except ValueError:
        return "no problem document"
    return str(told.get("code", "")) if isinstance(told, dict) else "no problem document"
