"""Says what an application sheet looks like to callers."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from account_svc.api.bodies import Id, Instant
from account_svc.api.texts import TextShown
from hanro.web.shapes import Body, Shown

SheetValue = Annotated[str, StringConstraints(max_length=2_000)]


class SheetBody(Body):
    """Hold an application sheet by the form's field names; all of them, each time."""

    values: dict[Id, SheetValue] = Field(
        max_length=50,
        repr=False,
        examples=[
            {
                "company": "株式会社見本",
                "shop": "見本店",
                "uses_pay": "あり",
                "shop_url": "https://www.example.invalid/mihon/",
                "contact_mail": "shop@example.invalid",
                "phone": "03-0000-0000",
                "person": "見本 花子",
            }
        ],
    )
    """By the names of the form that `GET` of the same path gives."""


class SheetSentBody(Body):
    """Say that the mail was sent."""

    at: Instant | None = None
    """When, RFC 3339 with an offset; null: now."""


class SheetMailShown(Shown):
    """The mail to send, to be copied as it stands."""

    recipient: str | None
    """Who makes the application; null: the operator has to set it."""
    subject: str
    """Its subject."""
    body: str
    """Its text."""


class SheetShown(Shown):
    """An account's application sheet."""

    account_id: str
    """The account."""
    form: dict[str, Any]
    """JSON Schema 2020-12 of `values`; `x-hanro` in each property holds labels, help and notes."""
    values: dict[str, str]
    """What was typed; empty: nothing yet."""
    version: int
    """Counts its changes; 0: nothing was typed."""
    changed_at: datetime | None
    """When it was changed; null: never."""
    mail: SheetMailShown | None
    """The mail that it makes; null: nothing was typed yet."""
    operator_note: TextShown | None
    """What the operator has to set before the mail can be sent; null: nothing."""
    sent_at: datetime | None
    """When the mail was sent; null: it was not."""
    sent_by: str | None
    """Who said so."""
    is_changed_since: bool
    """Whether the sheet was changed after it was sent."""
