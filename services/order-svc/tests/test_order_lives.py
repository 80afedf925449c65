"""Lets a shop live through anything in any order, and holds what is stored against what the marketplace has."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from order_actions import ACTIONS, play, settle
from order_edge import parts_for, serve
from order_playground import prepare
from order_truth import differences
from order_world import World, create_world, leave

from hanro.db import Database
from hanro_local.databases import SchemaUrls
from order_svc.api import orders as orders_api
from order_svc.domain import merging
from order_svc.domain import reconcile as reconciling
from order_svc.domain.imports import decider
from order_svc.imports import storing
from order_svc.store import orders as orders_store

pytestmark = pytest.mark.schema("orders", prepare)

STEPS = 160
# "1-500" plays those instead, to their end, and tells all that is wrong.
CHOSEN = os.environ.get("HANRO_LIVES", "")
MOST_SEEDS = 40
FEW_SEEDS = range(1, 21)
# Each kind of thing happens at least so often, over all seeds.
OFTEN = 50
OLDEST = datetime.min.replace(tzinfo=UTC)


@pytest.fixture
async def client(urls: SchemaUrls) -> AsyncIterator[httpx.AsyncClient]:
    parts = parts_for(urls)
    routes = orders_api.make_routes(parts.db, parts.keyring, parts.idempotency, parts.cursors)
    async with serve(parts, routes) as made:
        yield made
    await parts.close()


async def lived(db: Database, client: httpx.AsyncClient, seed: int, *, steps: int = STEPS) -> tuple[World, list[str]]:
    """Play a seed to its end, and give what differs then."""
    world = await create_world(db, seed)
    try:
        await play(world, steps)
        await settle(world)
        return world, await differences(world, client)
    finally:
        await leave(world)


async def test_whatever_happens_in_any_order_what_is_stored_ends_as_the_marketplace_has_it(
    db: Database, client: httpx.AsyncClient, record_property: Callable[[str, object], None]
) -> None:
    counts: Counter[str] = Counter()
    first, _, last = CHOSEN.partition("-")
    seeds = range(int(first), int(last or first) + 1) if CHOSEN else range(1, MOST_SEEDS + 1)
    wrong: dict[int, list[str]] = {}
    for seed in seeds:
        if not CHOSEN and all(counts[name] >= OFTEN for name in ACTIONS):
            break
        world, found = await lived(db, client, seed)
        if found:
            wrong[seed] = found
        if found and not CHOSEN:
            break
        counts += world.counts
    for name, count in sorted(counts.items()):
        record_property(f"figure: {name}", count)
    assert wrong == {}
    assert CHOSEN or {name: counts[name] for name in ACTIONS if counts[name] < OFTEN} == {}


async def test_without_looking_at_when_it_was_seen_an_old_page_moves_an_order_back(
    db: Database, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Callable[..., Any] = reconciling.reconcile

    def forgetful(known: Any, *words: Any, **named: Any) -> Any:
        return whole(replace(known, seen_at=OLDEST) if known else None, *words, **named)

    monkeypatch.setattr(reconciling, "reconcile", forgetful)
    assert await is_found(db, client)


@pytest.mark.fault(is_long=True)
async def test_without_noting_looks_that_say_nothing_new_an_old_page_overrules_them(
    db: Database, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_words: Any) -> None: ...

    monkeypatch.setattr(orders_store, "save_seen", nothing)
    assert await is_found(db, client)


async def test_a_file_that_always_reserves_stock_is_seen(
    db: Database, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Callable[..., Any] = decider
    monkeypatch.setattr(storing, "decider", lambda terms: whole(replace(terms, reserves_stock=True)))
    assert await is_found(db, client)


async def test_an_updating_file_whose_blanks_clear_is_seen(
    db: Database, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "_updated", lambda _before, now: now)
    assert await is_found(db, client)


async def is_found(db: Database, client: httpx.AsyncClient) -> bool:
    """Tell whether a seed shows that something is wrong."""
    for seed in FEW_SEEDS:
        _, found = await lived(db, client, seed, steps=80)
        if found:
            return True
    return False
