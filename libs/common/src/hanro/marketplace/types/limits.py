"""Holds what may be done, how fast, and by which rule: limits, routes, policy, keys and carriers."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from hanro.errors import LocalizedText
from hanro.marketplace.types.enums.catalogue import Level
from hanro.marketplace.types.enums.orders import OrderStatus, RouteKind
from hanro.marketplace.types.enums.rules import BatchUnit, Comparison, PolicyFact, PolicySubject, Verdict
from hanro.marketplace.types.plain import TextRule
from hanro.value import value


@value
class ApiGroup:
    """Hold the rate of one group of calls, per account: `request_count` in each `period`, `burst` of them at once.

    `shares` divides it by service and sums to 1; a single one owns the group.
    """

    name: str
    request_count: int
    period: timedelta
    burst: int
    shares: Mapping[str, Decimal]
    source: str


@value
class Batch:
    """Hold how many entries one port call takes, and what it costs.

    At most `call_count` requests a call plus `call_count_each` an entry; each takes a turn of all `groups`.
    """

    size: int
    unit: BatchUnit
    groups: tuple[str, ...]
    call_count: int = 1
    call_count_each: int = 0


@value
class MaintenanceWindow:
    """Hold a stretch of time in which groups rest; operators add them, no plug-in has any."""

    starts_at: datetime
    ends_at: datetime
    groups: frozenset[str]
    is_read_only: bool
    source: str


@value
class Limits:
    """Hold what a marketplace bears.

    `groups` by name. `batches` by method ("orders.ship", "orders.fetch.postage"). `read_lag` by protocol ("orders"):
    from a write until a read must show it. `call_deadline` is the longest that one call may take.
    """

    groups: Mapping[str, ApiGroup]
    batches: Mapping[str, Batch]
    read_lag: Mapping[str, timedelta]
    call_deadline: timedelta
    max_quantity: int
    max_axes: int
    max_variants: int
    max_images: int


@value
class Route:
    """Describe a way to find orders that has a cursor of its own.

    `shows` are the statuses it can show; a route that is not `is_windowed` ignores the window. `reach` is how far back
    it looks, None: not documented. Windows overlap by `overlap`; it runs `every` so often.
    """

    name: str
    kind: RouteKind
    shows: frozenset[OrderStatus]
    is_windowed: bool
    reach: timedelta | None
    overlap: timedelta
    every: timedelta
    source: str


@value
class Condition:
    """Compare one fact with `value`: an ISO 8601 duration, an enum's value or a pattern."""

    fact: PolicyFact
    comparison: Comparison
    value: str


@value
class Rule:
    """Refuse or warn about a subject when all conditions hold."""

    id: str
    subject: PolicySubject
    verdict: Verdict
    when: tuple[Condition, ...]
    message: LocalizedText
    source: str
    since: date
    is_on: bool = True


@value
class PolicyPack:
    """Hold what a marketplace forbids or advises against, as data with a version."""

    version: str
    rules: tuple[Rule, ...]


@value
class KeyField:
    """Describe a key by which sellers name what they sell there; the default ones find our listing and variant.

    With `is_case_folded` keys that differ in letter case alone are the same.
    """

    name: str
    label: LocalizedText
    level: Level
    rule: TextRule
    is_case_folded: bool
    is_unique: bool
    is_default: bool


@value
class Carrier:
    """Describe a carrier: `marketplace_value` None: not in their list; `number_pattern` None: not public.

    `tracking_url` holds {tracking_number} alone.
    """

    code: str
    names: LocalizedText
    aliases: tuple[str, ...]
    marketplace_value: str | None
    tracking_url: str | None
    number_pattern: str | None
    is_url_required: bool


@value
class CarrierCatalogue:
    """Hold the carriers that a marketplace knows; `other_value` is their word for any other ("Autre", "1000")."""

    version: str
    carriers: tuple[Carrier, ...]
    other_value: str | None
    is_other_url_required: bool


@value
class Tracking:
    """Hold a carrier and number that passed the catalogue's rules."""

    carrier_code: str
    marketplace_value: str
    number: str | None
    url: str | None
