"""Reads what a seller set up in RMS: all kinds side by side, each request in its turn."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import quote
from zoneinfo import ZoneInfo

from hanro.clock import Clock
from hanro.errors import ContractBroken, Failure, NeedsSeller, Retryable
from hanro.marketplace.port import Session
from hanro.marketplace.types import Absent, MarketEntry, MarketInformation, MarketKind
from hanro.value import value
from hanro_rakuten_ichiba.client import Client
from hanro_rakuten_ichiba.declared.words import both
from hanro_rakuten_ichiba.functions import BY_GRANT, GET_SUB_STATUS_LIST, Function
from hanro_rakuten_ichiba.mapping.market_lists import map_sets, map_sub_statuses, map_tree, set_entry_id
from hanro_rakuten_ichiba.mapping.shop import LISTS, MAPPERS, Mapped
from hanro_rakuten_ichiba.reading import check

_JAPAN = ZoneInfo("Asia/Tokyo")
_NOT_FOUND, _NO_SUCH = 404, "GE0014"
_KEY_CODES = frozenset({"credential-refused", "credential-expired"})
CALENDAR_DAYS = "180"
"""As far as the calendar is shown. Source: rakuten-ichiba-orders 10 [2+]."""
STATUSES = ("skuMigration", "pcTopMigration")

ABSENT: Mapping[MarketKind, Absent] = MappingProxyType(
    {
        MarketKind.RETURN_ADDRESS: Absent(
            reason=both(
                "返品・交換先を読み取る API はありません。ここに入力し、RMS で変えたらここも変えてください。",
                "no resource tells the return address: type it here, and change it here whenever it changes in RMS",
            ),
            source="rakuten-ichiba-orders 10 (no return-policy resource was found)",
        ),
        MarketKind.BRAND: Absent(
            reason=both(
                "店舗ごとのブランド一覧はありません。ブランドは商品属性として入力します。",
                "a shop has no list of brands here: a brand is an attribute of an item; type those that you use",
            ),
            source="rakuten-ichiba-catalog 4.1, 7",
        ),
    }
)


@value
class _Source:
    """Be one read, and the kinds that cannot be told without it."""

    kinds: tuple[MarketKind, ...]
    read: Callable[[], Awaitable[Mapped]]


async def read_market(session: Session) -> MarketInformation:
    """Read all kinds; one that fails goes to `failed`, the others come.

    Raises:
        NeedsSeller: the key is refused; the other reads are given up.
        Retryable: no kind could be read, and a machine can mend it.

    Source: rakuten-ichiba-orders 4.7, 10; rakuten-ichiba-catalog 5, 7.
    """
    sources = _sources(Client(session), session.clock)
    outcomes: list[Mapped | Failure] = await _read_all(sources)
    failed: dict[MarketKind, Failure] = {}
    entries: list[MarketEntry] = []
    for source, outcome in zip(sources, outcomes, strict=True):
        if isinstance(outcome, tuple):
            entries += outcome
        else:
            failed |= {kind: outcome for kind in source.kinds if kind not in failed}
    if not any(isinstance(outcome, tuple) for outcome in outcomes):
        passing = next((one for one in outcomes if isinstance(one, Retryable)), None)
        if passing is not None:
            raise passing
    return MarketInformation(
        read_at=session.clock.now(),
        entries=tuple(entry for entry in entries if entry.kind not in failed),
        absent=ABSENT,
        failed=MappingProxyType(failed),
    )


async def _read_all(sources: tuple[_Source, ...]) -> list[Mapped | Failure]:
    """Give what each source gave; a refused key ends all reads, whichever met it first."""
    tasks = [asyncio.create_task(_try(source)) for source in sources]
    try:
        for done in asyncio.as_completed(tasks):
            outcome = await done
            if isinstance(outcome, NeedsSeller) and outcome.code in _KEY_CODES:
                raise outcome
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() for task in tasks]


async def _try(source: _Source) -> Mapped | Failure:
    try:
        return await source.read()
    except (NeedsSeller, Retryable, ContractBroken) as failure:
        return failure


def _sources(client: Client, clock: Clock) -> tuple[_Source, ...]:
    def shop(name: str, *kinds: MarketKind, argument: str = "", query: tuple[tuple[str, str], ...] = ()) -> _Source:
        function = BY_GRANT[f"shop.{name}"]
        asked = replace(function, path=f"{function.path}{argument}")
        return _Source(kinds=kinds, read=lambda: _read_shop(client, asked, query))

    # From the first of the month, so that days that pass are no change that the seller made.
    first = clock.now().astimezone(_JAPAN).date().replace(day=1).isoformat()
    return (
        shop("shopMaster", MarketKind.SHOP, MarketKind.COMPANY_ADDRESS),
        *(shop("shopStatus", MarketKind.SHOP, argument=f"/{key}") for key in STATUSES),
        *(shop(name, shape.kind) for name, shape in LISTS.items()),
        shop("shopCalendar", MarketKind.CALENDAR, query=(("fromDate", first), ("period", CALENDAR_DAYS))),
        _Source(kinds=(MarketKind.CATEGORY,), read=lambda: _read_categories(client)),
        _Source(kinds=(MarketKind.SUB_STATUS,), read=lambda: _read_sub_statuses(client)),
    )


async def _read_shop(client: Client, function: Function, query: tuple[tuple[str, str], ...]) -> Mapped:
    result = await client.read_shop(function, query)
    # There is none of it: an answer, not a failure (C008).
    return () if result is None else MAPPERS[function.name](result)


async def _read_categories(client: Client) -> Mapped:
    listed = await client.look_up(BY_GRANT["categories.category-set-lists.get"], (("categorysetfields", "TITLE"),))
    sets = map_sets(listed.document.members)
    entries = list(sets)
    for one in sets:
        entries += await _read_tree(client, one.external_id.removeprefix(set_entry_id("")))
    return tuple(entries)


async def _read_tree(client: Client, set_id: str) -> Mapped:
    function = BY_GRANT["categories.category-trees.get"]
    asked = replace(function, path=function.path.format(category_set_id=quote(set_id, safe="")))
    try:
        reply = await client.look_up(asked, (("categoryfields", "TITLE"),))
    except ContractBroken as failure:
        refusal = failure.refusal
        if refusal is not None and (refusal.http_status, refusal.code) == (_NOT_FOUND, _NO_SUCH):
            # A set without a tree has no categories.
            return ()
        raise
    return map_tree(set_id, reply.document.members)


async def _read_sub_statuses(client: Client) -> Mapped:
    reply = await client.read(GET_SUB_STATUS_LIST, {})
    check(reply, "reading sub-statuses")
    return map_sub_statuses(reply.document.members)
