"""Holds what goes over the wire and into files: requests, messages, notices, CSV layouts, plans."""

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime

from hanro.errors import LocalizedText, MenuPath
from hanro.marketplace.types.catalogue import ImageFile, ListingChange, StockTarget
from hanro.marketplace.types.effects import OrderEffect
from hanro.marketplace.types.enums.orders import Party
from hanro.marketplace.types.enums.rules import NoticeKind, Trigger
from hanro.marketplace.types.orders import OrderRef, SeenOrder
from hanro.marketplace.types.plain import Moment, TextRule
from hanro.value import hidden, value


@value
class HttpRequest:
    """Hold one request; `path` is below the configured base URL. Keys may stand in all but method and path."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    has_effect: bool


@value
class HttpAnswer:
    """Hold one answer; `sent_at` is when its request really left."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    sent_at: datetime


@value
class MessageRequest:
    """Ask to hand a message over; `reply_to` is an Inquiry.external_id."""

    id: str
    order: OrderRef | None
    line_id: str | None
    trigger: Trigger
    subject: str | None
    body: str
    reply_to: str | None

    __repr__ = hidden


@value
class Inquiry:
    """Hold a message of a buyer or the marketplace; `external_id` is made by the plug-in where they have none.

    Source: rakuten-france 4.9.
    """

    external_id: str
    thread_id: str
    author: Party
    sent: Moment
    subject: str
    body: str
    is_answered: bool
    is_claim: bool
    order_id: str | None
    line_id: str | None
    listing_id: str | None

    __repr__ = hidden


@value
class MailRelay:
    """Hold the marketplace's mail relay, spoken to by STARTTLS; `recipients` is a pattern of addresses it takes.

    `own_recipient` is the shop's own address among those, the only one that a test mail goes to; None: nobody said it.
    """

    host: str
    port: int
    username: str
    password: str
    sender: str
    recipients: str
    subject: TextRule
    body: TextRule
    max_bytes: int | None
    own_recipient: str | None = None

    __repr__ = hidden


@value
class Notice:
    """Hold a pushed hint to fetch, never the truth."""

    external_id: str
    kind: NoticeKind
    order_ids: tuple[str, ...]
    at: Moment | None


@value
class Notices:
    """Hold parsed notices and the replies: `stored` after the commit, `failed` if it did not happen."""

    notices: tuple[Notice, ...]
    stored: HttpAnswer
    failed: HttpAnswer


@value
class CsvColumn:
    """Describe a column of a file."""

    name: str
    aliases: tuple[str, ...] = ()
    is_required: bool = False
    rule: TextRule | None = None


@value
class CsvRow:
    """Hold one row: `number` as a spreadsheet counts, `cells` by column."""

    number: int
    cells: Mapping[str, str] = field(repr=False)


@value
class CsvLayout:
    """Describe a file that the marketplace writes or reads.

    `covers`: the SeenOrder fields it can state, the only ones that an overwrite clears; a dotted name is a member of a
    field, of each of its entries, or of a mapping ("packages.address", "details.orderType"). `read` takes the rows of
    one group and raises Rejected, whose `field` is "rows.<number>.<column>"; its `seen_at` is the newest time that the
    rows state, the importer knows better.
    """

    name: str
    version: str
    encodings: tuple[str, ...]
    columns: tuple[CsvColumn, ...]
    group_by: tuple[str, ...]
    covers: frozenset[str]
    download: MenuPath | None
    read: Callable[[tuple[CsvRow, ...]], SeenOrder] | None = None
    write: Callable[[tuple[ListingChange, ...]], bytes] | None = None


@value
class PlannedCall:
    """Describe a request that a write would send; {…} is given by an earlier answer, secrets are taken out."""

    method: str
    url: str
    media_type: str
    body: str = field(repr=False)
    groups: tuple[str, ...]
    purpose: str


@value
class Problem:
    """Say what would be refused (`is_blocking`) or left out of one entry; `pointer` is a JSON Pointer into it."""

    key: str
    pointer: str
    code: str
    message: LocalizedText
    is_blocking: bool


@value
class Plan:
    """Hold what a write would do."""

    calls: tuple[PlannedCall, ...]
    problems: tuple[Problem, ...]


Asked = OrderEffect | ListingChange | ImageFile | StockTarget | MessageRequest
